-- A pass: what a worker does to lock tenants, read their open operations, and record what became of them.

-- name: lock_tenants
-- Lock first, in its own statement and in id order: the statements that follow then see everything that
-- earlier holders committed. Tenants held elsewhere are left to their holder.
SELECT tenant_log.tenant_id, tenant.key AS tenant_key, event_seq, type_seq, now() AS at,
       EXISTS (SELECT FROM operation
                WHERE operation.tenant_id = tenant_log.tenant_id AND status = 'queued'
                  AND cancel_requested_at IS NOT NULL) AS has_cancellations
  FROM tenant_log
  JOIN tenant ON tenant.id = tenant_log.tenant_id
 WHERE tenant_id = ANY (CAST(:tenant_ids AS bigint[]))
 ORDER BY tenant_id
   FOR NO KEY UPDATE OF tenant_log SKIP LOCKED;

-- name: read_open
-- Each tenant's oldest queued operations, in accept order, up to its share and to what one pass may take at most.
-- The sums are over what stands before a row, so a tenant's first operation comes through however large it is.
-- One that was redriven has been queued since then (the last entry of its history), not since it was accepted; beside
-- it stands whether something of its tenant goes on in chunks, which under the lock nobody else can begin.
SELECT open_operation.tenant_id, id, seq, kind, request, dry_run, attempts, deaths_alone, failures, items, bytes,
       reply_to, request_id, traceparent,
       coalesce(CAST(history -> -1 ->> 'at' AS timestamptz), accepted_at) AS queued_at,
       EXISTS (SELECT FROM continuation WHERE continuation.tenant_id = held.tenant_id) AS is_running
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:shares AS integer[])) AS held (tenant_id, share)
 CROSS JOIN LATERAL (
       SELECT operation.*,
              sum(bytes) OVER before_it AS bytes_before,
              sum(items) OVER before_it AS items_before
         FROM operation
        WHERE operation.tenant_id = held.tenant_id AND status = 'queued'
       WINDOW before_it AS (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ORDER BY seq
        LIMIT held.share) AS open_operation
 WHERE coalesce(bytes_before, 0) < CAST(:most_bytes AS bigint)
   AND coalesce(items_before, 0) < CAST(:most_items AS bigint)
 ORDER BY open_operation.tenant_id, seq;

-- name: read_cancelled
-- Queued operations that an operator wants taken back, wherever they stand in their tenants' logs.
SELECT tenant_id, id, seq, kind, request, dry_run, attempts, deaths_alone, failures, items, bytes, reply_to,
       request_id, traceparent, coalesce(CAST(history -> -1 ->> 'at' AS timestamptz), accepted_at) AS queued_at
  FROM operation
 WHERE tenant_id = ANY (CAST(:tenant_ids AS bigint[])) AND status = 'queued' AND cancel_requested_at IS NOT NULL
 ORDER BY tenant_id, seq
 LIMIT CAST(:rows AS integer);

-- name: tenants_with_open_work
-- Every tenant that has an open operation, by jumping from tenant to tenant in the partial index of open rows.
WITH RECURSIVE jump (tenant_id) AS (
    (SELECT tenant_id FROM operation WHERE status IN ('queued', 'running') ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT operation.tenant_id FROM operation
             WHERE status IN ('queued', 'running') AND operation.tenant_id > jump.tenant_id
             ORDER BY operation.tenant_id LIMIT 1)
      FROM jump
     WHERE jump.tenant_id IS NOT NULL
)
SELECT tenant_id FROM jump WHERE tenant_id IS NOT NULL;

-- name: still_open
-- Which of these tenants have queued operations, and which have work that goes on in chunks: the re-read that whoever
-- held a tenant owes after its commit.
SELECT tenant_id, is_queued, is_running
  FROM unnest(CAST(:tenant_ids AS bigint[])) AS held (tenant_id)
 CROSS JOIN LATERAL (
       SELECT EXISTS (SELECT 1 FROM operation
                       WHERE operation.tenant_id = held.tenant_id AND operation.status = 'queued') AS is_queued,
              EXISTS (SELECT 1 FROM continuation
                       WHERE continuation.tenant_id = held.tenant_id) AS is_running) AS owed
 WHERE is_queued OR is_running;

-- name: finish_operations
-- Final states and answers, in one statement however many operations ended; one that goes on has its answer already, and
-- what was counted against it is forgotten, since its first chunk went well.
UPDATE operation
   SET status = ended.status,
       attempts = CASE WHEN ended.status <> 'running' THEN attempts ELSE 0 END,
       deaths_alone = CASE WHEN ended.status <> 'running' THEN deaths_alone ELSE 0 END,
       failures = CASE WHEN ended.status <> 'running' THEN failures ELSE 0 END,
       response = CAST(ended.response AS json),
       error = CAST(ended.error AS json),
       done = ended.done,
       total = coalesce(ended.total, operation.total),
       started_at = CASE WHEN ended.status <> 'cancelled' THEN now() END,
       finished_at = CASE WHEN ended.status <> 'running' THEN clock_timestamp() END,
       error_group = ended.error_group,
       first_sequence = ended.first_sequence,
       last_sequence = ended.last_sequence,
       events = ended.events
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS uuid[]), CAST(:statuses AS text[]),
              CAST(:responses AS text[]), CAST(:errors AS text[]), CAST(:dones AS bigint[]), CAST(:totals AS bigint[]),
              CAST(:error_groups AS text[]), CAST(:first_sequences AS bigint[]), CAST(:last_sequences AS bigint[]),
              CAST(:events AS bigint[]))
       AS ended (tenant_id, id, status, response, error, done, total, error_group, first_sequence, last_sequence,
                 events)
 WHERE operation.tenant_id = ended.tenant_id AND operation.id = ended.id;

-- name: append_outbox
-- The messages of the pass, in order; identity values follow it, so a tenant's ids rise with its sequences. With them
-- go the tenants' event counters, as far as this pass has numbered, and what the worker had named: the other of its pass
-- and its chunk stays named. One statement, since each costs a round trip; the last one, since it locks the worker's row.
WITH advanced AS (
    UPDATE tenant_log
       SET event_seq = passed.event_seq, type_seq = CAST(passed.type_seq AS json)
      FROM unnest(CAST(:log_tenant_ids AS bigint[]), CAST(:event_seqs AS bigint[]), CAST(:type_seqs AS text[]))
           AS passed (tenant_id, event_seq, type_seq)
     WHERE tenant_log.tenant_id = passed.tenant_id
), cleared AS (
    UPDATE worker
       SET (tenant_ids, operation_ids) =
           (SELECT coalesce(array_agg(tenant_id), '{}'), coalesce(array_agg(operation_id), '{}')
              FROM unnest(worker.tenant_ids, worker.operation_ids) AS held (tenant_id, operation_id)
             WHERE operation_id <> ALL (CAST(:held AS uuid[]))),
           seen_at = now()
     WHERE id = :worker_id
)
INSERT INTO outbox (tenant_id, type, first_sequence, last_sequence, operation_id, routing_key, body, bytes)
SELECT tenant_id, type, first_sequence, last_sequence, operation_id, routing_key, body, bytes
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:types AS text[]), CAST(:firsts AS bigint[]),
              CAST(:lasts AS bigint[]), CAST(:operation_ids AS uuid[]), CAST(:routing_keys AS text[]),
              CAST(:bodies AS bytea[]), CAST(:bytes AS integer[]))
       WITH ORDINALITY AS message (tenant_id, type, first_sequence, last_sequence, operation_id, routing_key,
                                   body, bytes, place)
 ORDER BY place;

-- name: count_attempt
-- An operation whose statement timed out when it ran alone has used one attempt, and has failed by itself.
UPDATE operation
   SET attempts = attempts + 1, failures = failures + 1
 WHERE tenant_id = :tenant_id AND id = :id AND status = 'queued';
