-- When the sessions of a day end, at the earliest and at the latest: a list of some days in the order of `expiresAt` walks between
-- the two, however much ends before and after. Bounds only widen. Infinite: not known, which is what was counted before has.
alter table checkout_session_deltas
  add column expires_from timestamptz not null default '-infinity',
  add column expires_until timestamptz not null default 'infinity',
  -- A session that was given more time changes no number.
  drop constraint checkout_session_deltas_change;
alter table checkout_session_totals
  add column expires_from timestamptz not null default '-infinity',
  add column expires_until timestamptz not null default 'infinity';
comment on column checkout_session_totals.expires_from is 'No session that is or was counted here ends before.';
comment on column checkout_session_totals.expires_until is 'No session that is or was counted here ends later.';
