-- name: pending_messages
-- The oldest unpublished messages, up to a number of rows and of bytes, and always at least one. A set, not a cursor: ids
-- are given before the commit, so a lower one can appear later; only within a tenant is their order the order of commit.
SELECT id, tenant_id, first_sequence, last_sequence, routing_key, body, bytes,
       CAST(extract(epoch FROM clock_timestamp() - created_at) AS double precision) AS waited_seconds
  FROM (SELECT head.*, sum(size) OVER (ORDER BY id) - size AS bytes_before
          FROM (SELECT id, tenant_id, first_sequence, last_sequence, routing_key, body, bytes, created_at,
                       coalesce(bytes, octet_length(body)) AS size
                  FROM outbox
                 WHERE published_at IS NULL
                   AND tenant_id <> ALL (CAST(:held_tenant_ids AS bigint[]))
                 ORDER BY id
                 LIMIT CAST(:most_rows AS integer)) AS head) AS sized
 WHERE bytes_before < CAST(:most_bytes AS bigint)
 ORDER BY id;

-- name: mark_published
-- Marks only what is still pending, so that the time of the first publication stays when two leaders overlapped.
UPDATE outbox
   SET published_at = now()
 WHERE published_at IS NULL
   AND id = ANY (CAST(:ids AS bigint[]));

-- name: lead_relay
-- The leader is whoever holds this lock: it belongs to the session and ends with it, however that ends.
SELECT pg_try_advisory_lock(CAST(:lock AS bigint)) AS leads;

-- name: ping_relay
-- Proves that the session, and with it the lock, still stands; it also keeps idle_session_timeout from ending it.
SELECT 1 AS alive;
