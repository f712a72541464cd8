-- What goes out. Events are queued with the change they tell of, get their place in the merchant's log after the commit, and
-- are handed to webhook endpoints in the order of each stream.

-- What was committed and has no place in the log yet: narrow, and empty when nobody is behind.
create table event_outbox (
  merchant_id int not null,
  arrival bigint generated always as identity,
  stream_id object_id not null,
  sequence int not null,
  primary key (merchant_id, arrival)
);
comment on column event_outbox.arrival is 'Drawn while the stream''s row is locked, so within a stream it is in the order of the sequence.';

-- The merchant's events in one gapless order: what a reader's cursor counts.
create table event_log (
  merchant_id int not null,
  position bigint not null constraint event_log_position check (position >= 1),
  stream_id object_id not null,
  sequence int not null,
  type text not null,
  created_at timestamptz not null,
  primary key (merchant_id, position),
  constraint event_log_once unique (merchant_id, stream_id, sequence)
);
create index event_log_by_time on event_log (merchant_id, created_at);

-- The last position given, per merchant. Only the sequencer touches it, never a request.
create table event_positions (
  merchant_id int not null,
  position bigint not null,
  primary key (merchant_id)
);

create table webhook_endpoints (
  merchant_id int not null,
  id object_id not null,
  url text not null constraint webhook_endpoints_url_length check (length(url) <= 2048),
  description text constraint webhook_endpoints_description_length check (length(description) <= 500),
  format text not null constraint webhook_endpoints_format check (format in ('standard', 'published-v1', 'published-v2')),
  event_types text[] not null constraint webhook_endpoints_event_types check (cardinality(event_types) between 1 and 50),
  status text not null constraint webhook_endpoints_status check (status in ('ACTIVE', 'PAUSED')),
  attention text constraint webhook_endpoints_attention_length check (length(attention) <= 500),
  secret_sealed bytea not null,
  previous_secret_sealed bytea,
  previous_secret_until timestamptz,
  failing_since timestamptz,
  given_up int not null default 0,
  event_sequence int not null default 0,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  paused_at timestamptz,
  deleted_at timestamptz,
  primary key (merchant_id, id),
  constraint webhook_endpoints_paused check ((status = 'PAUSED') = (paused_at is not null)),
  constraint webhook_endpoints_previous_secret check ((previous_secret_sealed is null) = (previous_secret_until is null))
);
comment on column webhook_endpoints.failing_since is 'The first failure since the last success; null: healthy.';
comment on column webhook_endpoints.given_up is 'Deliveries that used up their tries since the last success.';

-- One row per message: an endpoint, an event, and which of the messages that its format makes of the event.
create table webhook_deliveries (
  merchant_id int not null,
  endpoint_id object_id not null,
  id object_id not null,
  stream_id object_id not null,
  sequence int not null,
  part smallint not null,
  type text not null,
  status text not null constraint webhook_deliveries_status check (status in ('PENDING', 'DELIVERED', 'FAILED')),
  attempts int not null default 0,
  created_at timestamptz not null,
  tried_at timestamptz,
  next_attempt_at timestamptz,
  delivered_at timestamptz,
  status_code smallint,
  error text constraint webhook_deliveries_error_length check (length(error) <= 200),
  duration_ms int,
  primary key (merchant_id, endpoint_id, id),
  constraint webhook_deliveries_once unique (merchant_id, endpoint_id, stream_id, sequence, part),
  constraint webhook_deliveries_delivered check (status <> 'DELIVERED' or delivered_at is not null)
);
create index webhook_deliveries_waiting on webhook_deliveries (merchant_id, stream_id, endpoint_id, sequence, part) where status = 'PENDING';
create index webhook_deliveries_undelivered on webhook_deliveries (merchant_id, endpoint_id, status, id) where status <> 'DELIVERED';
create index webhook_deliveries_by_time on webhook_deliveries (merchant_id, created_at);

-- What is claimed: a stream as one endpoint receives it. One lease at a time, so its messages go out one after the other.
create table webhook_queues (
  merchant_id int not null,
  endpoint_id object_id not null,
  stream_id object_id not null,
  pending int not null,
  due_at timestamptz,
  leased_until timestamptz,
  primary key (merchant_id, endpoint_id, stream_id)
);
comment on column webhook_queues.pending is 'How many PENDING deliveries wait; changed by additions alone, so that writers need not see each other.';
comment on column webhook_queues.due_at is 'When the first of them is tried next; null: nothing waits, or the endpoint is paused.';
create index webhook_queues_due on webhook_queues (due_at) where due_at is not null;

grant select, insert, delete on event_outbox to pasarela_app;
grant select, insert, delete on event_log to pasarela_app;
grant select, insert, update on event_positions to pasarela_app;
grant select, insert, update, delete on webhook_endpoints to pasarela_app;
grant select, insert, update, delete on webhook_deliveries to pasarela_app;
grant select, insert, update, delete on webhook_queues to pasarela_app;
