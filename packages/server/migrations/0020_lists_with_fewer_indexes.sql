-- Lists keep the indexes that the promise on lists needs; every other list sorts what it finds (docs/adr/0071).

-- Counters are taken over from the table of pairs below: nobody may count meanwhile.
lock table checkout_session_pair_totals in share mode;

-- The accounts of a session never change, and neither does a row here: status, expiry and total are read from the session.
create index checkout_session_accounts_by_account on checkout_session_accounts (merchant_id, account_number, session_id);
drop index checkout_session_accounts_by_status, checkout_session_accounts_by_expiry, checkout_session_accounts_by_total;
alter table checkout_session_accounts drop column status, drop column expires_at, drop column total_order;
drop index checkout_sessions_by_owner_expiry, checkout_sessions_by_owner_total;

-- A session that pays several accounts is also counted under each of them together with the whole set: '<account> {<account>,<account>}'.
-- Every pair of a set was counted as often as the set itself.
insert into checkout_session_totals (merchant_id, owner_identity_id, account_number, status, created_day, sessions)
select merchant_id, owner_identity_id, account || ' ' || account_numbers::text, status, created_day, max(sessions)
from checkout_session_pair_totals cross join lateral unnest(account_numbers) as account
group by 1, 2, 3, 4, 5;
drop table checkout_session_pair_totals;

-- Nothing asks any more when the sessions of a day end.
delete from checkout_session_deltas where change = 0;
alter table checkout_session_deltas drop column expires_from, drop column expires_until,
  add constraint checkout_session_deltas_change check (change <> 0);
alter table checkout_session_totals drop column expires_from, drop column expires_until;
comment on column checkout_session_totals.account_number is
  'Empty: all accounts. With a space: an account, and the set of accounts that these sessions pay, which it belongs to.';
