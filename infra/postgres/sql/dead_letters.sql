-- Dead letters: counted by their errors as they come and go, queued again, and given up, all under the tenant's lock.

-- name: count_dead_letters
-- So many operations more have failed with these errors.
INSERT INTO error_group (tenant_id, fingerprint, kind, code, message, count, first_seen, last_seen)
SELECT tenant_id, fingerprint, kind, code, message, more, clock_timestamp(), clock_timestamp()
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:fingerprints AS text[]), CAST(:kinds AS text[]),
              CAST(:codes AS text[]), CAST(:messages AS text[]), CAST(:counts AS bigint[]))
       AS failed (tenant_id, fingerprint, kind, code, message, more)
    ON CONFLICT (tenant_id, fingerprint) DO UPDATE
   SET count = error_group.count + excluded.count, last_seen = excluded.last_seen;

-- name: uncount_dead_letters
-- So many of these errors are no dead letters any more; an error without any goes.
WITH fewer AS (
    SELECT fingerprint, less FROM unnest(CAST(:fingerprints AS text[]), CAST(:counts AS bigint[]))
        AS gone (fingerprint, less)
), emptied AS (
    DELETE FROM error_group
     USING fewer
     WHERE tenant_id = :tenant_id AND error_group.fingerprint = fewer.fingerprint AND count <= less
)
UPDATE error_group
   SET count = count - less
  FROM fewer
 WHERE tenant_id = :tenant_id AND error_group.fingerprint = fewer.fingerprint AND count > less;

-- name: errors_like
-- The tenant's errors of this fingerprint, code and kind, where these are asked for.
SELECT fingerprint
  FROM error_group
 WHERE tenant_id = :tenant_id
   AND (CAST(:fingerprint AS text) IS NULL OR fingerprint = :fingerprint)
   AND (CAST(:code AS text) IS NULL OR code = :code)
   AND (CAST(:kind AS text) IS NULL OR kind = :kind);

-- name: next_dead_letters
-- The tenant's dead letters behind the cursor and before a place in its log that are meant, by a walk over at most
-- :window of them; `scanned` and `last` tell where it stopped.
WITH scanned AS MATERIALIZED (
    SELECT id, seq, error_group, finished_at, unfinished IS NOT NULL AS is_unfinished
      FROM operation
     WHERE tenant_id = :tenant_id AND status = 'failed' AND discarded_at IS NULL
       AND seq > :cursor AND seq < :up_to
     ORDER BY discarded_at, seq
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT id, seq, error_group, is_unfinished
      FROM scanned
     WHERE (CAST(:fingerprints AS text[]) IS NULL OR error_group = ANY (CAST(:fingerprints AS text[])))
       AND (CAST(:since AS timestamptz) IS NULL OR finished_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR finished_at < :until)
     ORDER BY seq
     LIMIT CAST(:rows AS integer)
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, max(seq) AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.seq;

-- name: named_dead_letters
-- Those of these operations that are dead letters of the tenant, behind the cursor and before a place in its log, in
-- the order of the log; one row more than asked tells that there are more.
WITH named AS MATERIALIZED (
    SELECT id, seq, error_group, unfinished IS NOT NULL AS is_unfinished
      FROM operation
     WHERE tenant_id = :tenant_id AND status = 'failed' AND discarded_at IS NULL AND id = ANY (CAST(:ids AS uuid[]))
)
SELECT id, seq, error_group, is_unfinished
  FROM named
 WHERE seq > :cursor AND seq < :up_to
 ORDER BY seq
 LIMIT CAST(:rows AS integer) + 1;

-- name: redrive
-- Queued again under the same ids, at the end of the log, as if nothing had been tried; what was tried stays in the
-- history (the last thirty entries). One whose chunks had begun keeps its answer and goes on with what they left.
WITH chosen AS (
    SELECT id, nextval('operation_seq') AS fresh
      FROM (SELECT id FROM operation
             WHERE tenant_id = :tenant_id AND id = ANY (CAST(:ids AS uuid[]))
             ORDER BY seq) AS in_order
)
UPDATE operation
   SET status = CASE WHEN unfinished IS NULL THEN 'queued' ELSE 'running' END,
       seq = chosen.fresh, attempts = 0, deaths_alone = 0, failures = 0, reply_to = NULL, error = NULL,
       error_group = NULL,
       done = CASE WHEN unfinished IS NULL THEN 0 ELSE done END,
       total = CASE WHEN unfinished IS NULL THEN items ELSE done END,
       started_at = NULL, finished_at = NULL, cancel_requested_at = NULL,
       first_sequence = CASE WHEN unfinished IS NULL THEN NULL ELSE first_sequence END, last_sequence = NULL,
       events = NULL,
       history = CAST(jsonb_path_query_array(
           coalesce(CAST(history AS jsonb), '[]')
           || jsonb_build_array(
                  jsonb_build_object('event', 'claimed', 'at', started_at),
                  jsonb_build_object('event', 'failed', 'at', finished_at, 'code', error ->> 'code'),
                  jsonb_build_object('event', 'redriven', 'at', clock_timestamp())),
           '$[last - 29 to last]') AS json)
  FROM chosen
 WHERE operation.tenant_id = :tenant_id AND operation.id = chosen.id
RETURNING operation.id, seq, unfinished, traceparent;

-- name: forget_unfinished
-- What the chunks of this operation had left is under way again.
UPDATE operation SET unfinished = NULL WHERE tenant_id = :tenant_id AND id = :id;

-- name: discard
-- Given up: still failed, and no dead letters any more.
UPDATE operation
   SET discarded_at = clock_timestamp(), discard_reason = :reason
 WHERE tenant_id = :tenant_id AND id = ANY (CAST(:ids AS uuid[]));

-- name: grant_gives
-- Whether a grant gives its licence to its group; no row where it does not exist.
SELECT active AND NOT hold AND removed_at IS NULL AS gives
  FROM group_license
 WHERE tenant_id = :tenant_id AND id = :grant_id;
