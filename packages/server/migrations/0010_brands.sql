-- How the hosted pages look: one brand per merchant (its default) or per identity, inherited by the identity's children.
create table brands (
  merchant_id int not null constraint brands_merchant references merchants (id),
  organization_id text collate "C" not null constraint brands_organization_id check
    (organization_id = 'default' or organization_id ~ '^[a-z]{2,8}_[0-9a-hjkmnp-tv-z]{26}$'),
  settings json not null,
  logo bytea constraint brands_logo_size check (length(logo) <= 12288),
  logo_type text constraint brands_logo_type check (logo_type in ('image/png', 'image/jpeg', 'image/webp')),
  logo_hash text collate "C" constraint brands_logo_hash_length check (length(logo_hash) = 22),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (merchant_id, organization_id),
  constraint brands_logo_whole check ((logo is null) = (logo_type is null) and (logo is null) = (logo_hash is null))
);
comment on column brands.organization_id is 'The identity whose pages look like this, or "default": all pages of the merchant that have no nearer brand.';

grant select, insert, update, delete on brands to pasarela_app;
