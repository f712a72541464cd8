-- One payer's attempt to pay a fixed list of items.
create table checkout_sessions (
  merchant_id int not null,
  id object_id not null,
  root_session_id object_id not null,
  successor_id object_id,
  payment_link_id object_id,
  checkout_token text collate "C" not null constraint checkout_sessions_checkout_token_length check (length(checkout_token) between 1 and 120),
  page_token text collate "C" not null constraint checkout_sessions_page_token_length check (length(page_token) = 22),
  status text not null constraint checkout_sessions_status check (status in ('ATTEMPT', 'ACTIVE', 'EXPIRED', 'FINISHED', 'PROCESSING_PAYMENT', 'FAILED')),
  owner_identity_id object_id not null,
  owner json not null,
  items json not null,
  currency currency_code not null,
  pre_tax_minor minor_amount not null,
  total_minor minor_amount not null,
  total_order numeric not null,
  payment_methods text[] not null constraint checkout_sessions_payment_methods check (cardinality(payment_methods) >= 1),
  customer json,
  customer_requirements text[],
  destinations json not null,
  success_url text constraint checkout_sessions_success_url_length check (length(success_url) <= 2048),
  failed_url text constraint checkout_sessions_failed_url_length check (length(failed_url) <= 2048),
  duration_seconds int not null constraint checkout_sessions_duration check (duration_seconds between 30 and 31622400),
  metadata json not null default '{}',
  order_key text collate "C" not null constraint checkout_sessions_order_key_length check (length(order_key) between 1 and 520),
  quote json not null,
  quote_expires_at timestamptz,
  tries int not null default 0 constraint checkout_sessions_tries check (tries >= 0),
  payer_refreshes int not null default 0 constraint checkout_sessions_payer_refreshes check (payer_refreshes >= 0),
  event_sequence int not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz not null,
  finished_at timestamptz,
  deleted_at timestamptz,
  primary key (merchant_id, id),
  constraint checkout_sessions_finished check ((status = 'FINISHED') = (finished_at is not null))
);
comment on column checkout_sessions.total_order is 'The total in major units, for sorting across currencies.';
comment on column checkout_sessions.order_key is 'What is paid at most once: ref:<metadata.orderReference>, else the root session of the chain.';
comment on column checkout_sessions.quote_expires_at is 'Null: nothing is converted, so the quote lives as long as the session.';
comment on column checkout_sessions.tries is 'Failed payments of the whole chain so far.';
create unique index checkout_sessions_checkout_token on checkout_sessions (merchant_id, checkout_token)
  where deleted_at is null and successor_id is null;
create unique index checkout_sessions_page_token on checkout_sessions (merchant_id, page_token) where successor_id is null;
create index checkout_sessions_by_status on checkout_sessions (merchant_id, status, id) where deleted_at is null;
create index checkout_sessions_by_owner on checkout_sessions (merchant_id, owner_identity_id, id) where deleted_at is null;
create index checkout_sessions_due on checkout_sessions (expires_at) where status in ('ATTEMPT', 'ACTIVE') and deleted_at is null;
create index checkout_sessions_by_checkout_token on checkout_sessions (merchant_id, checkout_token, id) where deleted_at is null;

-- Destinations are a dimension of their own: a session may pay several accounts.
create table checkout_session_accounts (
  merchant_id int not null,
  account_number text collate "C" not null,
  session_id object_id not null,
  primary key (merchant_id, account_number, session_id)
);

grant select, insert, update on checkout_sessions to pasarela_app;
grant select, insert on checkout_session_accounts to pasarela_app;
