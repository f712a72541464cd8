-- A slow endpoint with a long queue must not make looking for the others' work long.
create index webhook_queues_by_endpoint on webhook_queues (merchant_id, endpoint_id, due_at) where due_at is not null;
