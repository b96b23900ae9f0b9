-- The audit trail as operators read it.

-- name: page_of_audit
-- Entries, the newest first, by a walk over at most :window of them; `scanned` and `last` tell where it stopped (see
-- read_directory.sql).
WITH scanned AS MATERIALIZED (
    SELECT audit_entry.*
      FROM audit_entry
     WHERE id < :before
     ORDER BY id DESC
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT scanned.*, tenant.key AS tenant_key, ARRAY[scanned.id] AS place
      FROM scanned
      LEFT JOIN tenant ON tenant.id = scanned.tenant_id
     WHERE (CAST(:since AS timestamptz) IS NULL OR at >= :since)
       AND (CAST(:actions AS text[]) IS NULL OR action = ANY (CAST(:actions AS text[])))
       AND (CAST(:tenant AS text) IS NULL OR tenant.key = :tenant)
       AND (CAST(:actor AS text) IS NULL OR CAST(token_id AS text) = :actor
            OR (token_id IS NOT NULL AND actor = :actor)
            OR (token_id IS NULL AND :actor = 'command line'))
     ORDER BY scanned.id DESC
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, ARRAY[min(id)] AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.id DESC;
