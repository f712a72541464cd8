-- A vacuum of a large table reads all of its indexes, ten of them; after every fiftieth of the table it had no end.
alter table checkout_sessions set (autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_scale_factor = 0.1,
  autovacuum_analyze_scale_factor = 0.2);
alter table checkout_session_accounts set (autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_scale_factor = 0.1,
  autovacuum_analyze_scale_factor = 0.2);

-- Events are only added, and read by key together with their rows: marking their pages as visible to all would write each a second
-- time, and what is known of ten thousand of them holds for a million.
alter table events set (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 1);
alter table event_log set (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 1);

-- Queues are filled again at once: giving their empty end back to the system keeps writers out meanwhile.
alter table event_outbox set (vacuum_truncate = off);
alter table balance_deltas set (vacuum_truncate = off);
alter table checkout_session_deltas set (vacuum_truncate = off);
