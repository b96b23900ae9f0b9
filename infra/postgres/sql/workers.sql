-- Workers: who is alive, what each holds, and what the dead have left.

-- name: register_worker
-- A worker's own row, and the session lock that says it lives: taken before the row can be seen, freed by the server
-- when the session ends, however it ends. Rows of other sessions of the same process go with it, and what still runs is
-- named by the new one; where the server has crashed since, which has emptied worker_session, they stay to be counted.
-- Known is the session of which the process has heard last (one may have been registered unheard since a crash, and an id
-- is given out again after it), for a minute, as in reap_workers.
WITH disowned AS (
    DELETE FROM worker USING worker_session
     WHERE worker_session.worker_id = worker.id AND worker_session.process = :process
    RETURNING worker.id
), ended AS (
    UPDATE worker_session SET died_at = clock_timestamp() WHERE worker_id IN (SELECT id FROM disowned)
), registered AS (
    INSERT INTO worker (name, version, tenant_ids, operation_ids)
    VALUES (:name, :version, CAST(:tenant_ids AS bigint[]), CAST(:operation_ids AS uuid[]))
    RETURNING id
), known AS (
    INSERT INTO worker_session (worker_id, process) SELECT id, :process FROM registered
)
SELECT id, EXISTS (SELECT FROM worker_session
                    WHERE worker_id = :former_id AND process = :former_process) AS is_known,
       pg_advisory_lock(CAST(:lock_class AS integer), CAST(id AS integer))
  FROM registered;

-- name: name_quickly
-- From now on this session does not wait until what it names is on the disk: that outlives its process at once, and a
-- crash of the server after 0.6 s.
SET synchronous_commit = off;

-- name: name_inflight
-- What the worker is about to run: named in a transaction of its own, so that it outlives a death. Since it holds these
-- tenants, whoever else names one does not run it any more: that worker has died, or is about to say that it gave up.
-- One whose death was counted since this pass read its operations names nothing, but their counts are others by now.
UPDATE worker
   SET tenant_ids = CAST(:tenant_ids AS bigint[]), operation_ids = CAST(:operation_ids AS uuid[]), seen_at = now()
 WHERE id = :worker_id
RETURNING EXISTS (SELECT 1 FROM worker AS other
                   WHERE other.id <> :worker_id AND other.tenant_ids && CAST(:held AS bigint[]))
       OR EXISTS (SELECT FROM unnest(CAST(:read_tenant_ids AS bigint[]), CAST(:read_ids AS uuid[]),
                                     CAST(:read_counts AS integer[])) AS read (tenant_id, id, counted)
                    JOIN operation USING (tenant_id, id)
                   WHERE attempts + deaths_alone <> counted) AS is_left_by_another;

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
                     AND attempts + deaths_alone <> CAST(:counted AS integer)) AS is_left_by_another;

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
-- Rows of workers whose lock can be had: dead. The row goes, and what it named has one attempt more; an operation that
-- was alone when its worker died has also died alone; one that runs was named by its chunk; who holds a row lock is at
-- work. For a minute it is kept of each what was counted, should the worker live after all (take_back); a clock that goes
-- back makes that shorter, since a verdict waits for it.
WITH dead AS (
    DELETE FROM worker
     WHERE id IN (SELECT id FROM worker
                   WHERE id <> :worker_id
                     AND pg_try_advisory_xact_lock(CAST(:lock_class AS integer), CAST(id AS integer)))
    RETURNING id, tenant_ids, operation_ids
), named AS (
    SELECT DISTINCT dead.id AS worker_id, held.tenant_id, held.operation_id,
           dead.operation_ids[1] = ALL (dead.operation_ids) AS was_alone
      FROM dead, unnest(dead.tenant_ids, dead.operation_ids) AS held (tenant_id, operation_id)
), still_open AS (
    SELECT operation.tenant_id, operation.id, named.worker_id, named.was_alone
      FROM named
      JOIN operation ON operation.tenant_id = named.tenant_id AND operation.id = named.operation_id
     WHERE operation.status IN ('queued', 'running')
       FOR NO KEY UPDATE OF operation SKIP LOCKED
), counted AS (
    UPDATE operation
       SET attempts = operation.attempts + died.deaths, deaths_alone = operation.deaths_alone + died.alone
      FROM (SELECT tenant_id, id, count(*) AS deaths, count(*) FILTER (WHERE was_alone) AS alone
              FROM still_open
             GROUP BY tenant_id, id) AS died
     WHERE operation.tenant_id = died.tenant_id AND operation.id = died.id
    RETURNING operation.id
), kept AS (
    UPDATE worker_session
       SET died_at = clock_timestamp(), tenant_ids = held.tenant_ids, operation_ids = held.operation_ids,
           was_alone = held.was_alone
      FROM (SELECT dead.id AS worker_id,
                   coalesce(array_agg(tenant_id) FILTER (WHERE still_open.id IS NOT NULL), '{}') AS tenant_ids,
                   coalesce(array_agg(still_open.id) FILTER (WHERE still_open.id IS NOT NULL), '{}') AS operation_ids,
                   coalesce(bool_and(was_alone), false) AS was_alone
              FROM dead
              LEFT JOIN still_open ON still_open.worker_id = dead.id
             GROUP BY dead.id) AS held
     WHERE worker_session.worker_id = held.worker_id
), forgotten AS (
    DELETE FROM worker_session
     WHERE died_at NOT BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp()
        OR (died_at IS NULL AND worker_id NOT IN (SELECT id FROM worker))
)
SELECT (SELECT count(*) FROM dead) AS workers, (SELECT count(*) FROM counted) AS operations;

-- name: take_back
-- Deaths that were none, as the worker itself says, behind its registration: whoever was counting has ended by then. Who
-- holds a row lock is at work, perhaps this worker's own pass, which waits for this session: that death stays.
WITH known AS (
    DELETE FROM worker_session
     WHERE process = :process AND worker_id <> :worker_id
    RETURNING tenant_ids, operation_ids, was_alone
), still_open AS (
    SELECT operation.tenant_id, operation.id, known.was_alone
      FROM known
     CROSS JOIN unnest(known.tenant_ids, known.operation_ids) AS held (tenant_id, operation_id)
      JOIN operation ON operation.tenant_id = held.tenant_id AND operation.id = held.operation_id
     WHERE operation.status IN ('queued', 'running')
       FOR NO KEY UPDATE OF operation SKIP LOCKED
)
UPDATE operation
   SET attempts = greatest(attempts - died.deaths, 0), deaths_alone = greatest(deaths_alone - died.alone, 0)
  FROM (SELECT tenant_id, id, count(*) AS deaths, count(*) FILTER (WHERE was_alone) AS alone
          FROM still_open
         GROUP BY tenant_id, id) AS died
 WHERE operation.tenant_id = died.tenant_id AND operation.id = died.id
RETURNING operation.id;

-- name: is_undecided
-- Whether this operation, of which so many deaths alone were read, is not to be failed for them yet: one was taken back
-- since, or is so fresh that its worker may still say that it lives.
SELECT deaths_alone < CAST(:deaths_alone AS integer)
       OR EXISTS (SELECT FROM worker_session
                   WHERE operation.id = ANY (operation_ids)
                     AND died_at BETWEEN clock_timestamp() - make_interval(secs => :seconds) AND clock_timestamp())
       AS is_undecided
  FROM operation
 WHERE tenant_id = :tenant_id AND id = :id;

-- name: take_suspects_turn
-- One at a time, in any worker, until its transaction ends.
SELECT pg_try_advisory_xact_lock(CAST(:lock AS bigint)) AS is_taken;

-- name: remove_worker
-- A worker that leaves in order takes its rows along.
WITH known AS (DELETE FROM worker_session WHERE worker_id = :worker_id)
DELETE FROM worker WHERE id = :worker_id;
