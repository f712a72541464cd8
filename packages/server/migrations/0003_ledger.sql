-- Double entry, balanced by shape: a posting moves a positive amount from one account (debit) to another (credit).
-- An account is a code whose last part is its currency (`pending:acc_...:CLP`, `clearing:PIX:BRL`): there is no row per
-- account, hence none that every payment would have to lock.
create domain ledger_code as text collate "C" constraint ledger_code_shape check (value ~ '^[a-z]+(:[A-Za-z0-9_]+)*:[A-Z]{3,5}$');

create table ledger_entries (
  merchant_id int not null,
  id object_id not null,
  kind text not null constraint ledger_entries_kind check (kind in
    ('paid', 'provider_paid_out', 'settled', 'held', 'hold_accepted', 'hold_returned',
     'refund_started', 'refund_done', 'refund_failed', 'reversed')),
  source_id object_id not null,
  created_at timestamptz not null,
  primary key (merchant_id, id),
  constraint ledger_entries_once unique (merchant_id, source_id, kind)
);

create table ledger_postings (
  merchant_id int not null,
  entry_id object_id not null,
  number smallint not null constraint ledger_postings_number check (number between 1 and 100),
  debit_code ledger_code not null,
  credit_code ledger_code not null,
  currency currency_code not null,
  amount_minor minor_amount not null,
  primary key (merchant_id, entry_id, number),
  constraint ledger_postings_entry foreign key (merchant_id, entry_id) references ledger_entries (merchant_id, id),
  constraint ledger_postings_two_accounts check (debit_code <> credit_code),
  constraint ledger_postings_one_currency check (
    split_part(debit_code, ':', -1) = currency and split_part(credit_code, ':', -1) = currency)
);

-- Balances of merchants' accounts (credits minus debits): deltas are appended without a lock and folded into totals later.
create table balance_deltas (
  merchant_id int not null,
  code ledger_code not null,
  entry_id object_id not null,
  amount_minor bigint not null constraint balance_deltas_amount check (amount_minor <> 0),
  primary key (merchant_id, code, entry_id)
);
create table balance_totals (
  merchant_id int not null,
  code ledger_code not null,
  amount_minor bigint not null,
  primary key (merchant_id, code)
);

grant select, insert on ledger_entries, ledger_postings to pasarela_app;
grant select, insert, delete on balance_deltas to pasarela_app;
grant select, insert, update on balance_totals to pasarela_app;
