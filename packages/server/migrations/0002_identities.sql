-- Who owns accounts, links and sessions, and what they are charged.
create table identities (
  merchant_id int not null constraint identities_merchant references merchants (id),
  id object_id not null,
  parent_id object_id,
  type text not null constraint identities_type check (type in ('USER', 'ORGANIZATION')),
  name text not null constraint identities_name_length check (length(name) between 1 and 120),
  lastname text constraint identities_lastname_length check (length(lastname) <= 120),
  nickname text constraint identities_nickname_length check (length(nickname) <= 120),
  email text not null constraint identities_email_length check (length(email) between 3 and 254),
  phone text not null constraint identities_phone_shape check (phone ~ '^\+[0-9]{6,15}$'),
  document_type text not null constraint identities_document_type_length check (length(document_type) between 1 and 40),
  document_number text not null constraint identities_document_number_length check (length(document_number) between 1 and 40),
  document_key text collate "C" not null constraint identities_document_key_length check (length(document_key) between 1 and 40),
  country text constraint identities_country_shape check (country ~ '^[A-Z]{3}$'),
  external_id text constraint identities_external_id_length check (length(external_id) between 1 and 120),
  status text not null constraint identities_status check (status in
    ('PENDING', 'PENDING_EMAIL_VALIDATION', 'PENDING_PHONE_VALIDATION', 'SCREENING', 'ACTIVE')),
  profile json not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (merchant_id, id),
  constraint identities_parent foreign key (merchant_id, parent_id) references identities (merchant_id, id),
  constraint identities_parent_other check (parent_id <> id)
);
comment on column identities.profile is 'What the contract publishes of an identity and a checkout does not use: idv, securityOptions, bankAccount, address.';
comment on column identities.document_key is 'The document number without separators, in upper case: what makes two numbers the same.';
create unique index identities_organization_document on identities (merchant_id, upper(document_type), document_key) where type = 'ORGANIZATION';
create unique index identities_user_document on identities (merchant_id, upper(document_type), document_key, lower(email), phone) where type = 'USER';
create index identities_children on identities (merchant_id, parent_id, id) where parent_id is not null;
create index identities_by_document on identities (merchant_id, document_key, id);
create index identities_by_email on identities (merchant_id, lower(email), id);
create index identities_by_phone on identities (merchant_id, phone, id);
create index identities_by_external_id on identities (merchant_id, external_id, id) where external_id is not null;
create index identities_by_type on identities (merchant_id, type, id);
create index identities_by_country on identities (merchant_id, country, id);
create index identities_by_status on identities (merchant_id, status, id);

create table accounts (
  merchant_id int not null constraint accounts_merchant references merchants (id),
  id object_id not null,
  identity_id object_id not null,
  parent_id object_id,
  external_id text not null constraint accounts_external_id_length check (length(external_id) between 1 and 120),
  type text not null constraint accounts_type check (type in ('CHECKING', 'ASSET', 'SAVINGS', 'ESCROW', 'FEE')),
  custody text not null constraint accounts_custody_length check (length(custody) between 1 and 60),
  currency currency_code not null,
  name text not null constraint accounts_name_length check (length(name) between 1 and 120),
  account_number text collate "C" not null constraint accounts_account_number_length check (length(account_number) between 1 and 60),
  account_holder text not null constraint accounts_account_holder_length check (length(account_holder) between 1 and 250),
  status text not null constraint accounts_status check (status in ('PENDING', 'ACTIVE', 'BLOCKED')),
  custody_bank_account json,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (merchant_id, id),
  constraint accounts_identity foreign key (merchant_id, identity_id) references identities (merchant_id, id),
  constraint accounts_parent foreign key (merchant_id, parent_id) references accounts (merchant_id, id),
  constraint accounts_account_number unique (merchant_id, account_number)
);
create index accounts_by_identity on accounts (merchant_id, identity_id, id);
create index accounts_children on accounts (merchant_id, parent_id, id) where parent_id is not null;
create index accounts_by_external_id on accounts (merchant_id, external_id, id);
create index accounts_by_type on accounts (merchant_id, type, id);
create index accounts_by_currency on accounts (merchant_id, currency, id);
create index accounts_by_status on accounts (merchant_id, status, id);

create table rules (
  merchant_id int not null constraint rules_merchant references merchants (id),
  id object_id not null,
  identity_id object_id not null,
  type text not null constraint rules_type check (type in ('FEE')),
  owner text not null constraint rules_owner check (owner in ('CONOMY_HQ', 'CLIENT')),
  target text not null constraint rules_target check (target in ('IDENTITY', 'TRANSACTION')),
  overwrites boolean not null,
  filter json not null,
  fee_description text not null constraint rules_fee_description_length check (length(fee_description) between 1 and 120),
  fee_type text not null constraint rules_fee_type check (fee_type in ('FIXED', 'PERCENTAGE')),
  fee_value text not null constraint rules_fee_value check (fee_value ~ '^[0-9]{1,12}(\.[0-9]{1,12})?$'),
  created_at timestamptz not null,
  primary key (merchant_id, id),
  constraint rules_identity foreign key (merchant_id, identity_id) references identities (merchant_id, id)
);
create index rules_by_identity on rules (merchant_id, identity_id, id);

create table exchange_rates (
  merchant_id int not null constraint exchange_rates_merchant references merchants (id),
  purchase_currency currency_code not null,
  currency currency_code not null,
  rate text not null constraint exchange_rates_rate check (rate ~ '^[0-9]{1,12}(\.[0-9]{1,12})?$' and rate::numeric > 0),
  updated_at timestamptz not null,
  primary key (merchant_id, purchase_currency, currency),
  constraint exchange_rates_pair check (purchase_currency <> currency)
);
comment on column exchange_rates.rate is 'How much of currency one unit of purchase_currency is.';

-- A merchant's configured use of a connector: the sandbox for sandbox merchants, providers for live ones.
create table connections (
  merchant_id int not null constraint connections_merchant references merchants (id),
  id object_id not null,
  connector text not null constraint connections_connector check (connector ~ '^[a-z0-9_]{1,40}$'),
  rails text[] not null,
  sealed_credentials bytea not null,
  created_at timestamptz not null,
  disabled_at timestamptz,
  primary key (merchant_id, id)
);

-- What a merchant wants otherwise than the rail's own data.
create table merchant_rails (
  merchant_id int not null constraint merchant_rails_merchant references merchants (id),
  rail text not null constraint merchant_rails_rail check (rail ~ '^[A-Z_]{1,20}$'),
  late_money text not null constraint merchant_rails_late_money check (late_money in ('accept', 'refund', 'hold')),
  primary key (merchant_id, rail)
);

grant select, insert, update on identities, accounts to pasarela_app;
grant select, insert, delete on rules to pasarela_app;
grant select, insert, update on exchange_rates, connections, merchant_rails to pasarela_app;
