-- Who may call: merchants, their API clients, the keys that sign, the answers that are replayed.
-- The application works as pasarela_app, which owns nothing: what it is not granted here cannot happen.
do $$
begin
  if not exists (select from pg_roles where rolname = 'pasarela_app') then
    create role pasarela_app nologin;
  end if;
exception when duplicate_object or unique_violation then null; -- another database of this cluster was faster
end
$$;
do $$
begin
  if not pg_has_role(current_user, 'pasarela_app', 'member') then
    execute format('grant pasarela_app to %I', current_user);
  end if;
end
$$;

create domain minor_amount as bigint constraint minor_amount_range check (value between 1 and 1000000000000000);
create domain currency_code as text constraint currency_code_shape check (value ~ '^[A-Z]{3,5}$');
create domain object_id as text collate "C" constraint object_id_shape check (value ~ '^[a-z]{2,8}_[0-9a-hjkmnp-tv-z]{26}$');

-- Reference table: small, read by every process, the root of isolation.
create table merchants (
  id int generated always as identity primary key,
  name text not null constraint merchants_name_length check (length(name) between 1 and 120),
  mode text not null constraint merchants_mode check (mode in ('live', 'sandbox')),
  time_zone text not null default 'America/Santiago',
  quote_ttl_seconds int not null default 900 constraint merchants_quote_ttl check (quote_ttl_seconds between 30 and 86400),
  late_money text not null default 'accept' constraint merchants_late_money check (late_money in ('accept', 'refund', 'hold')),
  payer_refresh boolean not null default true,
  clock_offset_ms bigint not null default 0 constraint merchants_clock_sandbox check (clock_offset_ms = 0 or mode = 'sandbox'),
  created_at timestamptz not null default now()
);
comment on column merchants.clock_offset_ms is 'How far the test clock of a sandbox merchant is ahead of real time.';
comment on column merchants.late_money is 'What to do with money that nothing waits for any more; a rail may say otherwise in merchant_rails.';

-- Reference table: looked up by key before the merchant is known, so its unique indexes do not start with merchant_id.
create table api_clients (
  merchant_id int not null constraint api_clients_merchant references merchants (id),
  id object_id not null,
  name text not null constraint api_clients_name_length check (length(name) between 1 and 120),
  secret_hash bytea not null constraint api_clients_secret_hash check (length(secret_hash) = 32),
  api_key_hash bytea not null constraint api_clients_api_key_hash check (length(api_key_hash) = 32),
  requests_per_second int constraint api_clients_rate check (requests_per_second > 0),
  created_at timestamptz not null default now(),
  rotated_at timestamptz,
  revoked_at timestamptz,
  primary key (merchant_id, id),
  constraint api_clients_id unique (id),
  constraint api_clients_api_key unique (api_key_hash)
);
comment on column api_clients.requests_per_second is 'Null: no limit (the seeded sandbox client).';

-- Reference table: one row per named key, sealed by AES-256-GCM under PASARELA_MASTER_KEY.
create table sealed_keys (
  name text primary key constraint sealed_keys_name check (name ~ '^[a-z_]{1,40}$'),
  sealed bytea not null,
  created_at timestamptz not null default now()
);

create table idempotency_keys (
  merchant_id int not null,
  client_id object_id not null,
  key text not null constraint idempotency_keys_key_length check (length(key) between 1 and 255),
  request_hash bytea not null constraint idempotency_keys_hash check (length(request_hash) = 32),
  seed bytea not null constraint idempotency_keys_seed check (length(seed) = 16),
  leased_until timestamptz,
  status smallint,
  body text,
  created_at timestamptz not null,
  primary key (merchant_id, client_id, key),
  constraint idempotency_keys_answered check ((status is null) = (body is null)),
  constraint idempotency_keys_running check (status is not null or leased_until is not null)
);
create index idempotency_keys_age on idempotency_keys (created_at);
comment on column idempotency_keys.seed is 'UUID of what this request creates: a second run after a crash meets the first run''s row instead of making another.';

grant select, insert, update on merchants, api_clients to pasarela_app;
grant select, insert on sealed_keys to pasarela_app;
grant select, insert, update, delete on idempotency_keys to pasarela_app;
