-- The reusable offer that sessions are minted from.
create table payment_links (
  merchant_id int not null,
  id object_id not null,
  checkout_token text collate "C" not null constraint payment_links_checkout_token_length check (length(checkout_token) between 1 and 120),
  page_token text collate "C" not null constraint payment_links_page_token_length check (length(page_token) = 22),
  status text not null constraint payment_links_status check (status in ('ATTEMPT', 'ACTIVE', 'EXPIRED', 'FINISHED', 'PROCESSING_PAYMENT')),
  owner_identity_id object_id not null,
  owner json not null,
  items json not null,
  currency currency_code not null,
  pre_tax_minor minor_amount not null,
  total_minor minor_amount not null,
  payment_methods text[] not null constraint payment_links_payment_methods check (cardinality(payment_methods) >= 1),
  customer json,
  customer_requirements text[],
  destinations json not null,
  account_numbers text[] not null,
  success_url text constraint payment_links_success_url_length check (length(success_url) <= 2048),
  failed_url text constraint payment_links_failed_url_length check (length(failed_url) <= 2048),
  duration_seconds int not null constraint payment_links_duration check (duration_seconds between 30 and 31622400),
  metadata json not null default '{}',
  max_payments int constraint payment_links_max_payments check (max_payments >= 1),
  uses_open int not null default 0 constraint payment_links_uses_open check (uses_open >= 0),
  uses_paid int not null default 0 constraint payment_links_uses_paid check (uses_paid >= 0),
  event_sequence int not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz not null,
  deleted_at timestamptz,
  primary key (merchant_id, id)
);
comment on column payment_links.uses_paid is 'Paid for good; late money that was accepted may take it beyond max_payments.';
comment on column payment_links.uses_open is 'Payments in flight; counted only where max_payments is set, so that an unlimited link is never a hot row.';
create unique index payment_links_checkout_token on payment_links (merchant_id, checkout_token) where deleted_at is null;
create unique index payment_links_page_token on payment_links (merchant_id, page_token);
create index payment_links_by_status on payment_links (merchant_id, status, id) where deleted_at is null;
create index payment_links_by_owner on payment_links (merchant_id, owner_identity_id, id) where deleted_at is null;
create index payment_links_by_account on payment_links using gin (account_numbers) where deleted_at is null;
create index payment_links_by_customer_email on payment_links (merchant_id, lower(customer ->> 'email'), id) where deleted_at is null;
create index payment_links_due on payment_links (expires_at) where status in ('ATTEMPT', 'ACTIVE', 'PROCESSING_PAYMENT') and deleted_at is null;

grant select, insert, update on payment_links to pasarela_app;
