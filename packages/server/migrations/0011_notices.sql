-- What providers tell by themselves: stored as it came, answered, then applied by a job.

-- Reference table: a notice is let in by its connection before the merchant is known, so this index does not start with merchant_id.
alter table connections add constraint connections_id unique (id);
create unique index connections_sandbox on connections (merchant_id) where connector = 'sandbox';

create table notices (
  merchant_id int not null,
  connection_id object_id not null,
  ref text collate "C" not null constraint notices_ref_length check (length(ref) between 1 and 200),
  kind text not null constraint notices_kind check (kind ~ '^[a-z_]{1,40}$'),
  id object_id not null,
  connector text not null constraint notices_connector check (connector ~ '^[a-z0-9_]{1,40}$'),
  body bytea not null constraint notices_body_length check (length(body) <= 65536),
  meaning_hash bytea not null constraint notices_meaning_hash check (length(meaning_hash) = 32),
  copies int not null default 1,
  other_body bytea constraint notices_other_body_length check (length(other_body) <= 65536),
  payment_id object_id,
  effect text constraint notices_effect check (effect ~ '^[a-z_]{1,40}$'),
  attention text constraint notices_attention_length check (length(attention) <= 500),
  tries int not null default 0,
  next_at timestamptz,
  leased_until timestamptz,
  received_at timestamptz not null,
  applied_at timestamptz,
  dismissed_at timestamptz,
  dismissed_by object_id,
  dismissed_why text constraint notices_dismissed_why_length check (length(dismissed_why) between 1 and 500),
  primary key (merchant_id, connection_id, ref, kind),
  constraint notices_id unique (merchant_id, id),
  constraint notices_dismissed check (dismissed_at is null or (dismissed_by is not null and dismissed_why is not null))
);
comment on column notices.ref is 'The provider''s reference; for a body that cannot be read, its SHA-256.';
comment on column notices.copies is 'How often it came.';
comment on column notices.other_body is 'The first repetition that said something else under the same reference and kind.';
comment on column notices.effect is 'What it did; null: nothing yet.';
comment on column notices.next_at is 'When it is looked at next; null: no longer.';
create index notices_due on notices (next_at) where next_at is not null;
create index notices_attention on notices (merchant_id, id) where attention is not null;
create index notices_by_payment on notices (merchant_id, payment_id, id) where payment_id is not null;
create index notices_by_ref on notices (merchant_id, ref) where effect is null;
create index notices_age on notices (received_at);

-- Which payments the sandbox's banks will tell of by themselves; a row goes when they have.
create table sandbox_notices (
  merchant_id int not null,
  payment_id object_id not null,
  due_at timestamptz not null,
  leased_until timestamptz,
  primary key (merchant_id, payment_id)
);
create index sandbox_notices_due on sandbox_notices (due_at);

-- Money that came beside a payment: one payment on record per reference of the provider.
alter table payments add column received_currency currency_code;
comment on column payments.received_currency is 'The currency of received_minor, where it is not purchase_currency.';
create unique index payments_related_ref on payments (merchant_id, related_payment_id, connector_ref)
  where related_payment_id is not null and connector_ref is not null;
create index payments_beside_by_ref on payments (merchant_id, connector, connector_ref)
  where connector_ref is not null and (related_payment_id is not null or type = 'REFUND');

grant select, insert, update, delete on notices, sandbox_notices to pasarela_app;
grant delete on merchant_rails to pasarela_app;
