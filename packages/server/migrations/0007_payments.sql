-- The contract's transaction: origins → destinations, with fees and a product (currency pair). Refunds are children.
create table payments (
  merchant_id int not null,
  id object_id not null,
  type text not null constraint payments_type check (type in ('PURCHASE', 'REFUND')),
  status text not null constraint payments_status check (status in
    ('CREATED', 'AUTHORIZED', 'CAPTURED', 'RECEIVED', 'SETTLED', 'FAILED', 'EXPIRED', 'REVERSED')),
  session_id object_id,
  payment_link_id object_id,
  order_key text collate "C",
  parent_payment_id object_id,
  related_payment_id object_id,
  external_id text not null constraint payments_external_id_length check (length(external_id) between 1 and 120),
  identity_id object_id not null,
  identity_external_id text,
  account_number text collate "C" not null,
  description text constraint payments_description_length check (length(description) <= 500),
  currency currency_code not null,
  gross_minor minor_amount not null,
  total_minor minor_amount not null,
  total_order numeric not null,
  purchase_currency currency_code not null,
  purchase_minor minor_amount not null,
  rate text not null,
  fees json not null,
  origin json,
  destinations json not null,
  settlement text,
  metadata json not null default '{}',
  request_hash bytea,
  rail text not null,
  connector text not null,
  connection_id object_id,
  connector_ref text collate "C" constraint payments_connector_ref_length check (length(connector_ref) between 1 and 200),
  received_minor bigint,
  failure_reason text constraint payments_failure_reason_length check (length(failure_reason) <= 500),
  hold text constraint payments_hold check (hold in ('late', 'second', 'too_little', 'surplus', 'deleted_session', 'wrong_currency')),
  attention text constraint payments_attention_length check (length(attention) <= 500),
  next_check_at timestamptz,
  checks int not null default 0,
  leased_until timestamptz,
  event_sequence int,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz,
  authorized_at timestamptz,
  captured_at timestamptz,
  received_at timestamptz,
  settled_at timestamptz,
  failed_at timestamptz,
  expired_at timestamptz,
  reversed_at timestamptz,
  refunded_at timestamptz,
  accepted_at timestamptz,
  primary key (merchant_id, id),
  constraint payments_session foreign key (merchant_id, session_id) references checkout_sessions (merchant_id, id),
  constraint payments_parent foreign key (merchant_id, parent_payment_id) references payments (merchant_id, id),
  constraint payments_refund_parent check ((type = 'REFUND') = (parent_payment_id is not null)),
  constraint payments_settled check (status <> 'SETTLED' or settled_at is not null),
  constraint payments_failed check ((status = 'FAILED') = (failed_at is not null)),
  constraint payments_expired check (status <> 'EXPIRED' or expired_at is not null),
  constraint payments_reversed check ((status = 'REVERSED') = (reversed_at is not null)),
  constraint payments_net check (total_minor <= gross_minor),
  constraint payments_held_not_accepted check (hold is null or accepted_at is null)
);
comment on column payments.gross_minor is 'The amount in the session''s currency before fees: what the session asks for.';
comment on column payments.total_minor is 'gross_minor less fees.';
comment on column payments.total_order is 'The total in major units, for sorting across currencies.';
comment on column payments.purchase_minor is 'What the payer was asked for, in purchase_currency.';
comment on column payments.received_minor is 'What the provider says came, in purchase_currency; differs from purchase_minor when the payer paid another amount.';
comment on column payments.accepted_at is 'When this payment became the one that paid its order.';
comment on column payments.next_check_at is 'When the provider is asked next; null: no longer.';
comment on column payments.event_sequence is 'The event counter of a payment that is its own stream (no session, no link, no parent).';
create unique index payments_one_open on payments (merchant_id, session_id)
  where type = 'PURCHASE' and hold is null and related_payment_id is null and accepted_at is null and status in ('CREATED', 'AUTHORIZED', 'CAPTURED');
create unique index payments_one_accepted on payments (merchant_id, order_key) where accepted_at is not null;
create unique index payments_connector_ref on payments (merchant_id, connector, connector_ref) where connector_ref is not null and type = 'PURCHASE' and related_payment_id is null;
create index payments_by_session on payments (merchant_id, session_id, id) where session_id is not null;
create index payments_by_status on payments (merchant_id, status, id);
create index payments_by_identity on payments (merchant_id, identity_id, id);
create index payments_by_account on payments (merchant_id, account_number, id);
create index payments_by_type on payments (merchant_id, type, id);
create index payments_open_by_order on payments (merchant_id, order_key)
  where type = 'PURCHASE' and hold is null and related_payment_id is null and accepted_at is null and status in ('CREATED', 'AUTHORIZED', 'CAPTURED');
create index payments_by_related on payments (merchant_id, related_payment_id, id) where related_payment_id is not null;
create index payments_by_parent on payments (merchant_id, parent_payment_id, id) where parent_payment_id is not null;
create index payments_attention on payments (merchant_id, id) where attention is not null;
create index payments_refunded on payments (merchant_id, id) where refunded_at is not null;
create index payments_due on payments (next_check_at) where next_check_at is not null;

-- Every decision of an operator, kept.
create table payment_resolutions (
  merchant_id int not null,
  payment_id object_id not null,
  number smallint not null,
  client_id object_id not null,
  decision text not null constraint payment_resolutions_decision check (decision in ('accept', 'refund', 'failed')),
  reason text not null constraint payment_resolutions_reason_length check (length(reason) between 1 and 500),
  created_at timestamptz not null,
  primary key (merchant_id, payment_id, number),
  constraint payment_resolutions_payment foreign key (merchant_id, payment_id) references payments (merchant_id, id)
);

grant select, insert, update on payments to pasarela_app;
grant select, insert on payment_resolutions to pasarela_app;
