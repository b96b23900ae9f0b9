-- Operations: accepted commands, each a committed row, and what became of them.

-- name: accept_operations
-- One row per accepted command, sorted by (tenant, key) so that two API processes cannot deadlock.
-- A key that is taken inserts nothing; `accepted_by_key` then reads the winners.
INSERT INTO operation (tenant_id, id, kind, dry_run, items, bytes, request, presentation, reply_to,
                       idempotency_key, fingerprint, request_id, traceparent, total)
SELECT tenant_id, id, kind, dry_run, items, octet_length(request), CAST(request AS json),
       CAST(presentation AS json), reply_to, idempotency_key, fingerprint, request_id, traceparent, items
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS uuid[]), CAST(:kinds AS text[]),
              CAST(:dry_runs AS boolean[]), CAST(:items AS integer[]), CAST(:requests AS text[]),
              CAST(:presentations AS text[]), CAST(:replies_to AS text[]), CAST(:idempotency_keys AS text[]),
              CAST(:fingerprints AS bytea[]), CAST(:request_ids AS text[]), CAST(:traceparents AS text[]))
       WITH ORDINALITY AS sent (tenant_id, id, kind, dry_run, items, request, presentation, reply_to,
                                idempotency_key, fingerprint, request_id, traceparent, place)
 ORDER BY tenant_id, idempotency_key, place
    ON CONFLICT (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING tenant_id, id, seq, accepted_at;

-- name: accepted_by_key
-- The operations that hold these idempotency keys, for the submissions that met them.
SELECT operation.tenant_id, operation.idempotency_key, operation.id, operation.fingerprint
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:idempotency_keys AS text[])) AS sent (tenant_id, idempotency_key)
  JOIN operation USING (tenant_id, idempotency_key);

-- name: open_counts
-- How many operations of each tenant are open, counted no further than the limit.
SELECT tenant_id,
       (SELECT count(*)
          FROM (SELECT 1 FROM operation
                 WHERE operation.tenant_id = sent.tenant_id AND status IN ('queued', 'running')
                 LIMIT CAST(:counted AS bigint)) AS open_operation) AS open
  FROM unnest(CAST(:tenant_ids AS bigint[])) AS sent (tenant_id);

-- name: read_operations
-- The operations of these (tenant, id) pairs that exist.
SELECT operation.tenant_id, id, seq, kind, status, dry_run, request, presentation, response, error, attempts,
       done, total, accepted_at, started_at, finished_at, superseded_by, request_id
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS uuid[])) AS asked (tenant_id, id)
  JOIN operation USING (tenant_id, id);

-- name: read_finished
-- As read_operations, but only those that have an answer: what a waiting API process asks for all its waiters at once.
-- The request of one that it has accepted itself is known to it: unpacked and read, it is a third of what comes back.
SELECT operation.tenant_id, id, seq, kind, status, dry_run, CASE WHEN NOT known THEN request END AS request,
       presentation, response, error, attempts,
       done, total, accepted_at, started_at, finished_at, superseded_by, request_id
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS uuid[]), CAST(:known AS boolean[]))
       AS asked (tenant_id, id, known)
  JOIN operation USING (tenant_id, id)
 WHERE operation.status <> 'queued' AND (operation.response IS NOT NULL OR operation.finished_at IS NOT NULL);
