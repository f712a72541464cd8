-- Whoever takes from a queue walks over all that was taken since its last vacuum. That is a few pages, and must not take seconds
-- because vacuums of large tables are in no hurry.
alter table event_outbox set (autovacuum_vacuum_cost_delay = 0);
alter table balance_deltas set (autovacuum_vacuum_cost_delay = 0);
alter table checkout_session_deltas set (autovacuum_vacuum_cost_delay = 0);
