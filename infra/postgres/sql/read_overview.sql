-- The installation at a glance. Every block reads a bounded number of rows, whatever the tables hold.

-- name: present
-- The instant of the overview, by the clock that all processes share.
SELECT clock_timestamp() AS at;

-- name: open_operations
-- Queued operations, counted no further than the bound, in the order of the partial index of open ones.
SELECT count(*) AS scanned, count(*) FILTER (WHERE status = 'queued') AS queued
  FROM (SELECT status FROM operation
         WHERE status IN ('queued', 'running')
         ORDER BY tenant_id, seq
         LIMIT CAST(:counted AS integer)) AS open_operation;

-- name: oldest_queued
-- The operation that has been queued for longest: a tenant's first is its oldest, so one index entry a tenant is looked
-- at, and of no more tenants than the bound. A redriven one has been queued since then: the last entry of its history.
WITH RECURSIVE jump (tenant_id) AS (
    (SELECT tenant_id FROM operation WHERE status IN ('queued', 'running') ORDER BY tenant_id, seq LIMIT 1)
    UNION ALL
    SELECT (SELECT operation.tenant_id FROM operation
             WHERE status IN ('queued', 'running') AND operation.tenant_id > jump.tenant_id
             ORDER BY operation.tenant_id, seq LIMIT 1)
      FROM jump
     WHERE jump.tenant_id IS NOT NULL
)
SELECT tenant.key AS tenant_key, oldest.id,
       CAST(extract(epoch FROM clock_timestamp() - oldest.queued_at) AS double precision) AS age_seconds
  FROM (SELECT first.tenant_id, first.id, first.queued_at
          FROM (SELECT tenant_id FROM jump WHERE tenant_id IS NOT NULL LIMIT CAST(:counted AS integer)) AS busy
         CROSS JOIN LATERAL (
               SELECT tenant_id, id, coalesce(CAST(history -> -1 ->> 'at' AS timestamptz), accepted_at) AS queued_at
                 FROM operation
                WHERE operation.tenant_id = busy.tenant_id AND status = 'queued'
                ORDER BY seq LIMIT 1) AS first
         ORDER BY first.queued_at
         LIMIT 1) AS oldest
  JOIN tenant ON tenant.id = oldest.tenant_id;

-- name: running_operations
-- Operations that go on in chunks, counted no further than the bound.
SELECT count(DISTINCT operation_id) AS running
  FROM (SELECT operation_id FROM continuation LIMIT CAST(:counted AS integer)) AS going_on;

-- name: pending_outbox
-- Messages not published yet, counted no further than the bound, and the age of the first.
SELECT (SELECT count(*)
          FROM (SELECT 1 FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT CAST(:counted AS integer))
               AS pending) AS pending,
       (SELECT CAST(extract(epoch FROM clock_timestamp() - created_at) AS double precision)
          FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT 1) AS lag_seconds;

-- name: dead_letters
-- Dead letters by their error, as they are counted with every failure, redrive and discard.
SELECT code, CAST(sum(count) AS bigint) AS count
  FROM error_group
 GROUP BY code
 ORDER BY code;

-- name: workers_alive
-- Workers whose session lock stands.
SELECT count(*) AS alive
  FROM worker
 WHERE id IN (SELECT CAST(objid AS bigint) FROM pg_locks
               WHERE locktype = 'advisory' AND objsubid = 2 AND granted
                 AND CAST(classid AS bigint) = CAST(:lock_class AS bigint)
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()));

-- name: recent_measures
-- What all processes have counted in the slots of the last seconds, newest first.
SELECT CAST(extract(epoch FROM now() - at) AS double precision) AS age_seconds, accepted, applied, events,
       accept_counts, apply_counts
  FROM process_measure
 WHERE at > now() - CAST(:period AS interval)
 ORDER BY at DESC;

-- name: history_of_measures
-- What all processes have counted, by steps of time; the counts by bounds are added up place by place.
WITH recent AS (
    SELECT date_bin(CAST(:step AS interval), at, 'epoch') AS step, process_measure.*
      FROM process_measure
     WHERE at > now() - CAST(:period AS interval)
), timed AS (
    SELECT step, place, sum(accepts) AS accepts, sum(applies) AS applies
      FROM recent
     CROSS JOIN unnest(accept_counts, apply_counts) WITH ORDINALITY AS counted (accepts, applies, place)
     GROUP BY step, place
)
SELECT step, counted.accepted, counted.applied, counted.events, listed.accept_counts, listed.apply_counts
  FROM (SELECT step, sum(accepted) AS accepted, sum(applied) AS applied, sum(events) AS events
          FROM recent GROUP BY step) AS counted
  JOIN (SELECT step, array_agg(accepts ORDER BY place) AS accept_counts,
               array_agg(applies ORDER BY place) AS apply_counts
          FROM timed GROUP BY step) AS listed USING (step);

-- name: history_of_samples
-- The worst sample of each step, so that a short peak is not averaged away.
SELECT date_bin(CAST(:step AS interval), at, 'epoch') AS step, max(depth) AS depth,
       max(oldest_age_seconds) AS oldest_age_seconds, max(outbox_lag_seconds) AS outbox_lag_seconds,
       max(waiting_seats) AS waiting_seats, max(dead_letters) AS dead_letters
  FROM overview_sample
 WHERE at > now() - CAST(:period AS interval)
 GROUP BY 1;
