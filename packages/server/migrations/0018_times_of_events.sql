-- A step that waited for another one has an earlier time than what it follows. Times within a stream never step back, so the time of
-- the last event stands with the counter. Null: no step since this migration; updated_at is then as late as the row knows.
alter table checkout_sessions add column last_event_at timestamptz;
