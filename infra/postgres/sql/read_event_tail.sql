-- Events across tenants, for operators: by the ids of their messages, which are given before the commit.

-- name: settled_message
-- The id behind which everything is yet to come: the newest message's, or that before the first missing one of a
-- window whose writer may still commit it. Only an id that was given before a message as young as that can be.
WITH newest AS MATERIALIZED (
    SELECT id, created_at
      FROM outbox
     ORDER BY id DESC
     LIMIT CAST(:window AS integer)
), followed AS (
    SELECT id, created_at, lag(id) OVER (ORDER BY id) AS before FROM newest
)
SELECT coalesce(min(before) FILTER (WHERE before < id - 1 AND created_at > now() - CAST(:hole AS interval)), max(id), 0)
       AS id
  FROM followed;

-- name: messages_after
-- The messages behind an id, in the order of their ids.
SELECT id, tenant_id, type, first_sequence, body, bytes
  FROM outbox
 WHERE id > CAST(:after AS bigint)
 ORDER BY id
 LIMIT CAST(:limit AS integer);

-- name: newest_messages
-- The newest messages of all tenants; of some types, those among the newest of a window.
WITH scanned AS MATERIALIZED (
    SELECT id, tenant_id, type, first_sequence
      FROM outbox
     ORDER BY id DESC
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT * FROM scanned
     WHERE CAST(:types AS text[]) IS NULL OR type = ANY (:types)
     ORDER BY id DESC
     LIMIT CAST(:limit AS integer)
)
SELECT matched.id, matched.tenant_id, matched.type, matched.first_sequence, kept.body, kept.bytes
  FROM matched
 CROSS JOIN LATERAL (SELECT body, bytes FROM outbox
                      WHERE outbox.tenant_id = matched.tenant_id AND outbox.first_sequence = matched.first_sequence
                      LIMIT 1) AS kept
 ORDER BY matched.id;

-- name: newest_messages_of_tenant
-- As newest_messages, of one tenant.
WITH scanned AS MATERIALIZED (
    SELECT id, tenant_id, type, first_sequence
      FROM outbox
     WHERE tenant_id = :tenant_id
     ORDER BY first_sequence DESC
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT * FROM scanned
     WHERE CAST(:types AS text[]) IS NULL OR type = ANY (:types)
     ORDER BY first_sequence DESC
     LIMIT CAST(:limit AS integer)
)
SELECT matched.id, matched.tenant_id, matched.type, matched.first_sequence, kept.body, kept.bytes
  FROM matched
 CROSS JOIN LATERAL (SELECT body, bytes FROM outbox
                      WHERE outbox.tenant_id = :tenant_id AND outbox.first_sequence = matched.first_sequence
                      LIMIT 1) AS kept
 ORDER BY matched.first_sequence;
