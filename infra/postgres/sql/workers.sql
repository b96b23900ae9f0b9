-- Workers: who is alive, what each holds, and what the dead have left.

-- name: register_worker
-- A worker's own row, and the session lock that says it lives: taken before the row can be seen, freed by the server
-- when the session ends, however it ends.
WITH registered AS (INSERT INTO worker (name, version) VALUES (:name, :version) RETURNING id)
SELECT id, pg_advisory_lock(CAST(:lock_class AS integer), CAST(id AS integer)) FROM registered;

-- name: name_inflight
-- What the worker is about to run: named in a transaction of its own, so that it outlives a death. Since it holds these
-- tenants, whoever else names one does not run it any more: that worker has died, or is about to say that it gave up.
-- One whose death was counted since this pass read its operations names nothing, but they have more attempts by now.
UPDATE worker
   SET tenant_ids = CAST(:tenant_ids AS bigint[]), operation_ids = CAST(:operation_ids AS uuid[]), seen_at = now()
 WHERE id = :worker_id
RETURNING EXISTS (SELECT 1 FROM worker AS other
                   WHERE other.id <> :worker_id AND other.tenant_ids && CAST(:held AS bigint[]))
       OR (SELECT sum(attempts + deaths_alone)
             FROM unnest(CAST(:read_tenant_ids AS bigint[]), CAST(:read_ids AS uuid[])) AS read (tenant_id, id)
             JOIN operation USING (tenant_id, id)) > CAST(:counted AS bigint) AS is_left_by_another;

-- name: name_chunk
-- The operation whose chunk is about to run, beside what a pass of the same worker has named; as name_inflight.
UPDATE worker
   SET tenant_ids = tenant_ids || CAST(:tenant_id AS bigint),
       operation_ids = operation_ids || CAST(:operation_id AS uuid), seen_at = now()
 WHERE id = :worker_id
RETURNING EXISTS (SELECT 1 FROM worker AS other
                   WHERE other.id <> :worker_id AND CAST(:tenant_id AS bigint) = ANY (other.tenant_ids))
       OR EXISTS (SELECT 1 FROM operation
                   WHERE operation.tenant_id = :tenant_id AND operation.id = :operation_id
                     AND attempts + deaths_alone > CAST(:counted AS bigint)) AS is_left_by_another;

-- name: clear_inflight
-- Whoever gives up a pass or chunk clears what it held, as its commit would have (append_outbox); what the other of the
-- two holds stays named.
UPDATE worker
   SET (tenant_ids, operation_ids) =
       (SELECT coalesce(array_agg(tenant_id), '{}'), coalesce(array_agg(operation_id), '{}')
          FROM unnest(worker.tenant_ids, worker.operation_ids) AS held (tenant_id, operation_id)
         WHERE operation_id <> ALL (CAST(:operation_ids AS uuid[]))),
       seen_at = now()
 WHERE id = :worker_id;

-- name: seen
-- Heartbeat for the people who watch; liveness itself is the lock.
UPDATE worker
   SET seen_at = now(), leads_relay = CAST(:leads_relay AS boolean), chunk = CAST(:chunk AS json)
 WHERE id = :worker_id
RETURNING id;

-- name: reap_workers
-- Rows of workers whose lock can be had: dead. The row goes, and what it named has one attempt more; an operation
-- that was alone when its worker died has also died alone; one that runs was named by its chunk. The row locks are
-- skipped, since a holder is at work.
WITH dead AS (
    DELETE FROM worker
     WHERE id IN (SELECT id FROM worker
                   WHERE id <> :worker_id
                     AND pg_try_advisory_xact_lock(CAST(:lock_class AS integer), CAST(id AS integer)))
    RETURNING id, tenant_ids, operation_ids
), named AS (
    SELECT held.tenant_id, held.operation_id, cardinality(dead.operation_ids) = 1 AS was_alone
      FROM dead, unnest(dead.tenant_ids, dead.operation_ids) AS held (tenant_id, operation_id)
), still_open AS (
    SELECT operation.tenant_id, operation.id, named.was_alone
      FROM named
      JOIN operation ON operation.tenant_id = named.tenant_id AND operation.id = named.operation_id
     WHERE operation.status IN ('queued', 'running')
       FOR NO KEY UPDATE OF operation SKIP LOCKED
), counted AS (
    UPDATE operation
       SET attempts = operation.attempts + 1,
           deaths_alone = operation.deaths_alone + CASE WHEN still_open.was_alone THEN 1 ELSE 0 END
      FROM still_open
     WHERE operation.tenant_id = still_open.tenant_id AND operation.id = still_open.id
    RETURNING operation.id
)
SELECT (SELECT count(*) FROM dead) AS workers, (SELECT count(*) FROM counted) AS operations;

-- name: remove_worker
-- A worker that leaves in order takes its row along.
DELETE FROM worker WHERE id = :worker_id;
