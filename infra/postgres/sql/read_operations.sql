-- name: page_of_operations
-- A tenant's operations, newest first, without their requests and answers, which may be large. The walk looks at most
-- at :window rows; `scanned` and `last` tell where it stopped (see read_directory.sql).
WITH scanned AS MATERIALIZED (
    SELECT id, seq, kind, status, dry_run, done, total, accepted_at, started_at, finished_at, superseded_by, error
      FROM operation
     WHERE tenant_id = :tenant_id AND seq < :before
     ORDER BY seq DESC
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT *, ARRAY[seq] AS place
      FROM scanned
     WHERE (CAST(:since AS timestamptz) IS NULL OR accepted_at >= :since)
       AND (CAST(:statuses AS text[]) IS NULL OR status = ANY (CAST(:statuses AS text[])))
       AND (CAST(:kinds AS text[]) IS NULL OR kind = ANY (CAST(:kinds AS text[])))
     ORDER BY seq DESC
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, ARRAY[min(seq)] AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.seq DESC;
