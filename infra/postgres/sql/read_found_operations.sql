-- Operations as operators find them, of all tenants or of one. Nothing here reads more than a window of an index, or one
-- entry for each tenant.

-- name: tenant_of_key
-- The tenant with this key.
SELECT id FROM tenant WHERE key = :key;

-- name: newest_place
-- A place behind every operation that has been accepted so far.
SELECT last_value + 1 AS place FROM operation_seq;

-- name: places_by_id
-- The operation with this id, whosever it is: one probe for each tenant.
SELECT found.tenant_id, found.id
  FROM tenant
 CROSS JOIN LATERAL (SELECT tenant_id, id FROM operation
                      WHERE operation.tenant_id = tenant.id AND operation.id = :id
                      LIMIT 1) AS found
 WHERE CAST(:tenant_id AS bigint) IS NULL OR tenant.id = :tenant_id;

-- name: places_by_key
-- The operations with this idempotency key, one of a tenant at most: one probe for each tenant.
SELECT found.tenant_id, found.id, found.fingerprint
  FROM tenant
 CROSS JOIN LATERAL (SELECT tenant_id, id, seq, fingerprint FROM operation
                      WHERE operation.tenant_id = tenant.id AND idempotency_key = :idempotency_key
                        AND idempotency_key IS NOT NULL
                      LIMIT 1) AS found
 WHERE CAST(:tenant_id AS bigint) IS NULL OR tenant.id = :tenant_id
 ORDER BY found.seq DESC;

-- name: walk_operations
-- Operations below a place, the newest first: of every tenant those down to the floor, so that all tenants together are
-- at most as many as the floor lies below; of one tenant a window. `further` is where anything older begins.
WITH owner AS (
    SELECT id FROM tenant WHERE CAST(:tenant_id AS bigint) IS NULL OR id = :tenant_id
), scanned AS MATERIALIZED (
    SELECT recent.*
      FROM owner
     CROSS JOIN LATERAL (
           SELECT tenant_id, id, seq, kind, status, accepted_at
             FROM operation
            WHERE operation.tenant_id = owner.id AND seq < :before AND seq >= :floor
            ORDER BY seq DESC
            LIMIT CAST(:window AS integer)) AS recent
), matched AS (
    SELECT tenant_id, id, seq
      FROM scanned
     WHERE (CAST(:statuses AS text[]) IS NULL OR status = ANY (CAST(:statuses AS text[])))
       AND (CAST(:kinds AS text[]) IS NULL OR kind = ANY (CAST(:kinds AS text[])))
       AND (CAST(:since AS timestamptz) IS NULL OR accepted_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR accepted_at < :until)
     ORDER BY seq DESC
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.*, further.seq AS further, matched.*
  FROM (SELECT count(*) AS scanned, min(seq) AS last, min(accepted_at) AS scanned_until FROM scanned) AS frame
 CROSS JOIN (SELECT max(older.seq) AS seq
               FROM owner
              CROSS JOIN LATERAL (SELECT seq FROM operation
                                   WHERE operation.tenant_id = owner.id AND seq < :floor
                                   ORDER BY seq DESC
                                   LIMIT 1) AS older) AS further
  LEFT JOIN matched ON true
 ORDER BY matched.seq DESC;

-- name: walk_open_operations
-- The same of open operations alone, which have an index of their own.
WITH owner AS (
    SELECT id FROM tenant WHERE CAST(:tenant_id AS bigint) IS NULL OR id = :tenant_id
), scanned AS MATERIALIZED (
    SELECT recent.*
      FROM owner
     CROSS JOIN LATERAL (
           SELECT tenant_id, id, seq, kind, status, accepted_at
             FROM operation
            WHERE operation.tenant_id = owner.id AND status IN ('queued', 'running')
              AND seq < :before AND seq >= :floor
            ORDER BY seq DESC
            LIMIT CAST(:window AS integer)) AS recent
), matched AS (
    SELECT tenant_id, id, seq
      FROM scanned
     WHERE status = ANY (CAST(:statuses AS text[]))
       AND (CAST(:kinds AS text[]) IS NULL OR kind = ANY (CAST(:kinds AS text[])))
       AND (CAST(:since AS timestamptz) IS NULL OR accepted_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR accepted_at < :until)
     ORDER BY seq DESC
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.*, further.seq AS further, matched.*
  FROM (SELECT count(*) AS scanned, min(seq) AS last, min(accepted_at) AS scanned_until FROM scanned) AS frame
 CROSS JOIN (SELECT max(older.seq) AS seq
               FROM owner
              CROSS JOIN LATERAL (SELECT seq FROM operation
                                   WHERE operation.tenant_id = owner.id AND status IN ('queued', 'running')
                                     AND seq < :floor
                                   ORDER BY seq DESC
                                   LIMIT 1) AS older) AS further
  LEFT JOIN matched ON true
 ORDER BY matched.seq DESC;

-- name: walk_requests
-- Operations of one tenant whose requests hold these texts, the newest first; the caller looks closer. The walk ends
-- after :window rows or :most_bytes of requests, whichever comes first.
WITH walked AS MATERIALIZED (
    SELECT tenant_id, id, seq, kind, status, accepted_at, bytes,
           sum(bytes) OVER (ORDER BY seq DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
      FROM (SELECT * FROM operation
             WHERE tenant_id = :tenant_id AND seq < :before
             ORDER BY seq DESC
             LIMIT CAST(:window AS integer)) AS recent
), scanned AS MATERIALIZED (
    SELECT * FROM walked WHERE coalesce(bytes_before, 0) < CAST(:most_bytes AS bigint)
), matched AS (
    SELECT scanned.tenant_id, scanned.id, scanned.seq, scanned.kind, operation.request
      FROM scanned
      JOIN operation ON operation.tenant_id = scanned.tenant_id AND operation.id = scanned.id
     WHERE (CAST(:statuses AS text[]) IS NULL OR scanned.status = ANY (CAST(:statuses AS text[])))
       AND (CAST(:kinds AS text[]) IS NULL OR scanned.kind = ANY (CAST(:kinds AS text[])))
       AND (CAST(:since AS timestamptz) IS NULL OR scanned.accepted_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR scanned.accepted_at < :until)
       AND NOT EXISTS (SELECT FROM unnest(CAST(:texts AS text[]), CAST(:numbers AS text[])) AS named (text, number)
                        WHERE strpos(CAST(operation.request AS text), named.text) = 0
                          AND (named.number IS NULL OR strpos(CAST(operation.request AS text), named.number) = 0))
)
SELECT frame.*, matched.*
  FROM (SELECT count(*) AS scanned, min(seq) AS last, min(accepted_at) AS scanned_until FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.seq DESC;

-- name: numbers_of_keys
-- The numbers behind these keys of a tenant, of those that exist.
SELECT (SELECT id FROM app_user WHERE tenant_id = :tenant_id AND key = :user) AS user_id,
       (SELECT id FROM user_group WHERE tenant_id = :tenant_id AND key = :group) AS group_id,
       (SELECT id FROM license WHERE tenant_id = :tenant_id AND key = :license) AS license_id;

-- name: listed_operations
-- These operations without their requests and answers, which may be large.
SELECT tenant.key AS tenant, operation.id, seq, kind, status, dry_run, attempts, done, total, accepted_at, started_at,
       finished_at, request_id, idempotency_key, superseded_by, error_group, discarded_at, discard_reason,
       error ->> 'code' AS code, left(error ->> 'message', CAST(:longest AS integer)) AS message
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS uuid[])) WITH ORDINALITY AS asked (tenant_id, id, place)
  JOIN operation USING (tenant_id, id)
  JOIN tenant ON tenant.id = operation.tenant_id
 ORDER BY place;

-- name: told_of
-- An operation's moments and where its events are.
SELECT history, cancel_requested_at, discarded_at, first_sequence, last_sequence, events, finished_at
  FROM operation
 WHERE tenant_id = :tenant_id AND id = :id;

-- name: events_of
-- The messages that an operation has written, as far as one walk along the tenant's log goes from its first event to its
-- last; of one that went on in chunks the last is the last that was written before it ended.
SELECT coalesce(sum(last_sequence - first_sequence + 1), 0) AS written,
       coalesce(sum(last_sequence - first_sequence + 1) FILTER (WHERE published_at IS NOT NULL), 0) AS published,
       max(published_at) AS published_at, max(last_sequence) AS last
  FROM (SELECT operation_id, first_sequence, last_sequence, published_at
          FROM outbox
         WHERE tenant_id = :tenant_id AND first_sequence >= :first
           AND first_sequence <= coalesce(CAST(:last AS bigint), 9223372036854775807)
           AND (CAST(:until AS timestamptz) IS NULL OR created_at <= :until)
         ORDER BY first_sequence
         LIMIT CAST(:window AS integer)) AS walked
 WHERE operation_id = :id;

-- name: events_in_pass
-- What is still pending of an operation that ended in its own pass: its events stand in a row, its end is the last, and
-- messages of up to a hundred events that hold them may hold those of others.
SELECT coalesce(sum(events) FILTER (WHERE published_at IS NULL), 0) AS pending, max(published_at) AS published_at
  FROM (VALUES (CAST(:first AS bigint), :first + CAST(:events AS bigint) - 2), (CAST(:last AS bigint), :last))
       AS told (first, last)
 CROSS JOIN LATERAL (
       SELECT published_at, least(last_sequence, told.last) - greatest(first_sequence, told.first) + 1 AS events
         FROM outbox
        WHERE tenant_id = :tenant_id AND first_sequence > told.first - 100
          AND first_sequence <= told.last AND last_sequence >= told.first) AS message
 WHERE events > 0;
