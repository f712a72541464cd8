-- What happened, append-only, numbered 1, 2, 3 without gaps per stream (the session's, else the link's, else the payment's).
create table events (
  merchant_id int not null,
  stream_id object_id not null,
  sequence int not null constraint events_sequence check (sequence >= 1),
  id object_id not null,
  type text not null constraint events_type_shape check (type ~ '^[a-z_]+(\.[a-z_]+)+$'),
  data json not null,
  created_at timestamptz not null,
  primary key (merchant_id, stream_id, sequence)
);
comment on column events.data is 'The whole object as it was at that moment, in canonical (v2) wire form, without its secret url.';

grant select, insert on events to pasarela_app;
