-- Lists of sessions that cost the same at ten million as at ten thousand: an index per dimension and order, and counters for totals.

-- The day of creation is kept, because counters are kept per day: what they say and what is counted cannot drift apart.
alter table checkout_sessions add column created_day int;
comment on column checkout_sessions.created_day is
  'The day of the id''s time in the merchant''s time zone, in days since 1970-01-01. What the counters count by.';
update checkout_sessions s set created_day = (s.created_at at time zone m.time_zone)::date - date '1970-01-01'
  from merchants m where m.id = s.merchant_id;
alter table checkout_sessions alter column created_day set not null;

-- Three dimensions (all, owner, account) by three orders. The status stands before the order, so that filtering and sorting by
-- it need no index of their own: a list of all statuses merges six branches.
drop index checkout_sessions_by_owner;
create index checkout_sessions_by_expiry on checkout_sessions (merchant_id, status, expires_at, id) where deleted_at is null;
create index checkout_sessions_by_total on checkout_sessions (merchant_id, status, total_order, id) where deleted_at is null;
create index checkout_sessions_by_owner on checkout_sessions (merchant_id, owner_identity_id, status, id) where deleted_at is null;
create index checkout_sessions_by_owner_expiry on checkout_sessions (merchant_id, owner_identity_id, status, expires_at, id)
  where deleted_at is null;
create index checkout_sessions_by_owner_total on checkout_sessions (merchant_id, owner_identity_id, status, total_order, id)
  where deleted_at is null;

-- One index for both: the newest session of a token is unique, and a filter by tokens reads the chain.
drop index checkout_sessions_by_checkout_token;
drop index checkout_sessions_checkout_token;
create unique index checkout_sessions_checkout_token on checkout_sessions (merchant_id, checkout_token, successor_id)
  nulls not distinct where deleted_at is null;

-- The third dimension carries what its lists are ordered by. A deleted session has no row here.
delete from checkout_session_accounts a using checkout_sessions s
  where s.merchant_id = a.merchant_id and s.id = a.session_id and s.deleted_at is not null;
alter table checkout_session_accounts
  add column status text,
  add column expires_at timestamptz,
  add column total_order numeric;
update checkout_session_accounts a set status = s.status, expires_at = s.expires_at, total_order = s.total_order
  from checkout_sessions s where s.merchant_id = a.merchant_id and s.id = a.session_id;
alter table checkout_session_accounts
  alter column status set not null,
  alter column expires_at set not null,
  alter column total_order set not null,
  drop constraint checkout_session_accounts_pkey,
  add constraint checkout_session_accounts_pkey primary key (merchant_id, session_id, account_number);
create index checkout_session_accounts_by_status on checkout_session_accounts (merchant_id, account_number, status, session_id);
create index checkout_session_accounts_by_expiry on checkout_session_accounts (merchant_id, account_number, status, expires_at, session_id);
create index checkout_session_accounts_by_total on checkout_session_accounts (merchant_id, account_number, status, total_order, session_id);
grant update (status, expires_at), delete on checkout_session_accounts to pasarela_app;

-- What changed in the number of sessions: appended by whoever writes sessions, folded into totals by a job. No hot row.
create table checkout_session_deltas (
  merchant_id int not null,
  arrival bigint generated always as identity,
  created_day int not null,
  owner_identity_id object_id not null,
  account_numbers text[] not null,
  status text not null,
  change int not null constraint checkout_session_deltas_change check (change <> 0),
  primary key (merchant_id, arrival)
);
comment on column checkout_session_deltas.account_numbers is 'The whole set of accounts that these sessions pay, in order.';

-- An empty owner or account stands for all of them, and day -1 for every day: each level that a filter can ask for is a range
-- of this key. No parallel workers: starting them takes longer than reading all that a list ever asks for.
create table checkout_session_totals (
  merchant_id int not null,
  owner_identity_id text collate "C" not null,
  account_number text collate "C" not null,
  status text collate "C" not null,
  created_day int not null,
  sessions bigint not null,
  primary key (merchant_id, owner_identity_id, account_number, status, created_day)
) with (fillfactor = 80, parallel_workers = 0);

-- A session that pays several accounts is in the total of each; a filter by several must count it once. Each pair of its
-- accounts is counted here, with the whole set, from which a reader tells which pairs to take off.
create table checkout_session_pair_totals (
  merchant_id int not null,
  owner_identity_id text collate "C" not null,
  first_account text collate "C" not null,
  second_account text collate "C" not null,
  status text collate "C" not null,
  created_day int not null,
  account_numbers text[] collate "C" not null,
  sessions bigint not null,
  primary key (merchant_id, owner_identity_id, first_account, second_account, status, created_day, account_numbers),
  constraint checkout_session_pair_totals_order check (first_account < second_account)
) with (fillfactor = 80, parallel_workers = 0);

grant select, insert, delete on checkout_session_deltas to pasarela_app;
grant select, insert, update on checkout_session_totals, checkout_session_pair_totals to pasarela_app;

-- What is there already is counted once, as deltas; the job folds them.
insert into checkout_session_deltas (merchant_id, created_day, owner_identity_id, account_numbers, status, change)
select s.merchant_id, s.created_day, s.owner_identity_id, s.account_numbers, s.status, count(*)
from (
  select o.merchant_id, o.created_day, o.owner_identity_id, o.status, array(
    select a.account_number from checkout_session_accounts a
    where a.merchant_id = o.merchant_id and a.session_id = o.id order by a.account_number
  ) as account_numbers
  from checkout_sessions o where o.deleted_at is null
) s
group by s.merchant_id, s.created_day, s.owner_identity_id, s.account_numbers, s.status;

-- Pages must become all-visible soon, or an index-only walk reads the rows after all; deltas come and go.
alter table checkout_sessions set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02);
alter table checkout_session_accounts set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02);
alter table checkout_session_deltas set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
