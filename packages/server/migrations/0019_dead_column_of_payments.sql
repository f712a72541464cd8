-- Nothing has ever written it: a payment's events belong to its session's stream.
alter table payments drop column event_sequence;
