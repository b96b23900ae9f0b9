-- Dead letters as operators read them. Every list walks one of the indexes in which nothing but dead letters is: bounds
-- and order are that index's own columns, so that no other index will do.

-- name: page_of_errors
-- Errors by how many dead letters have them, of all tenants together or of one, and a dead letter that shows each.
WITH counted AS (
    SELECT fingerprint, min(kind) AS kind, min(code) AS code, CAST(sum(count) AS bigint) AS count,
           min(first_seen) AS first_seen, max(last_seen) AS last_seen
      FROM error_group
     WHERE CAST(:tenant_id AS bigint) IS NULL OR tenant_id = :tenant_id
     GROUP BY fingerprint
), page AS (
    SELECT * FROM counted
     WHERE (count, fingerprint) < (CAST(:count AS bigint), CAST(:fingerprint AS text))
     ORDER BY count DESC, fingerprint DESC
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.total, page.*, latest.message, tenant.key AS sample_tenant, sample.id AS sample_id
  FROM (SELECT CAST(coalesce(sum(count), 0) AS bigint) AS total FROM counted) AS frame
  LEFT JOIN page ON true
  LEFT JOIN LATERAL (SELECT tenant_id, message FROM error_group
                      WHERE error_group.fingerprint = page.fingerprint
                        AND (CAST(:tenant_id AS bigint) IS NULL OR tenant_id = :tenant_id)
                      ORDER BY error_group.last_seen DESC
                      LIMIT 1) AS latest ON true
  LEFT JOIN tenant ON tenant.id = latest.tenant_id
  LEFT JOIN LATERAL (SELECT id FROM operation
                      WHERE operation.tenant_id = latest.tenant_id AND status = 'failed' AND discarded_at IS NULL
                        AND operation.error_group = page.fingerprint
                      ORDER BY seq DESC
                      LIMIT 1) AS sample ON true
 ORDER BY page.count DESC, page.fingerprint DESC;

-- name: dead_letters
-- Dead letters of all tenants, the newest first, by a walk over at most :window of them; `scanned` and `last` tell where
-- it stopped (see read_directory.sql).
WITH scanned AS MATERIALIZED (
    SELECT tenant_id, id, seq, error_group, finished_at
      FROM operation
     WHERE status = 'failed' AND discarded_at IS NULL AND seq < :before
     ORDER BY seq DESC
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT tenant_id, id, seq, ARRAY[seq] AS place
      FROM scanned
     WHERE (CAST(:fingerprints AS text[]) IS NULL OR error_group = ANY (CAST(:fingerprints AS text[])))
       AND (CAST(:since AS timestamptz) IS NULL OR finished_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR finished_at < :until)
     ORDER BY seq DESC
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, ARRAY[min(seq)] AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.seq DESC;

-- name: dead_letters_of_tenant
-- The same of one tenant.
WITH scanned AS MATERIALIZED (
    SELECT tenant_id, id, seq, error_group, finished_at
      FROM operation
     WHERE tenant_id = :tenant_id AND status = 'failed' AND discarded_at IS NULL AND seq < :before
     ORDER BY discarded_at DESC, seq DESC
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT tenant_id, id, seq, ARRAY[seq] AS place
      FROM scanned
     WHERE (CAST(:fingerprints AS text[]) IS NULL OR error_group = ANY (CAST(:fingerprints AS text[])))
       AND (CAST(:since AS timestamptz) IS NULL OR finished_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR finished_at < :until)
     ORDER BY seq DESC
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, ARRAY[min(seq)] AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.seq DESC;

-- name: dead_letters_of_error
-- The same of one error in all tenants.
WITH scanned AS MATERIALIZED (
    SELECT tenant_id, id, seq, finished_at
      FROM operation
     WHERE status = 'failed' AND discarded_at IS NULL
       AND (error_group, seq) >= (CAST(:fingerprint AS text), 0) AND (error_group, seq) < (:fingerprint, :before)
     ORDER BY error_group DESC, seq DESC
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT tenant_id, id, seq, ARRAY[seq] AS place
      FROM scanned
     WHERE (CAST(:since AS timestamptz) IS NULL OR finished_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR finished_at < :until)
     ORDER BY seq DESC
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, ARRAY[min(seq)] AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.seq DESC;

-- name: dead_letters_of_error_of_tenant
-- The same of one error in one tenant.
WITH scanned AS MATERIALIZED (
    SELECT tenant_id, id, seq, finished_at
      FROM operation
     WHERE tenant_id = :tenant_id AND error_group = :fingerprint AND status = 'failed' AND discarded_at IS NULL
       AND seq < :before
     ORDER BY seq DESC
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT tenant_id, id, seq, ARRAY[seq] AS place
      FROM scanned
     WHERE (CAST(:since AS timestamptz) IS NULL OR finished_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR finished_at < :until)
     ORDER BY seq DESC
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, ARRAY[min(seq)] AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.seq DESC;

-- name: errors_meant
-- The errors of these codes and kinds, of any tenant.
SELECT DISTINCT fingerprint
  FROM error_group
 WHERE (CAST(:tenant_id AS bigint) IS NULL OR tenant_id = :tenant_id)
   AND (CAST(:code AS text) IS NULL OR code = :code)
   AND (CAST(:kind AS text) IS NULL OR kind = :kind);

-- name: count_meant
-- How many dead letters of each tenant are meant, by the counts of their errors.
SELECT error_group.tenant_id, tenant.key AS tenant, CAST(sum(count) AS bigint) AS matched
  FROM error_group
  JOIN tenant ON tenant.id = error_group.tenant_id
 WHERE (CAST(:tenant_id AS bigint) IS NULL OR error_group.tenant_id = :tenant_id)
   AND (CAST(:fingerprint AS text) IS NULL OR fingerprint = :fingerprint)
   AND (CAST(:code AS text) IS NULL OR code = :code)
   AND (CAST(:kind AS text) IS NULL OR kind = :kind)
 GROUP BY error_group.tenant_id, tenant.key
 ORDER BY error_group.tenant_id;

-- name: count_meant_in_time
-- The same where it matters when they failed: counted one by one.
SELECT error_group.tenant_id, tenant.key AS tenant, count(*) AS matched
  FROM error_group
  JOIN tenant ON tenant.id = error_group.tenant_id
  JOIN operation ON operation.tenant_id = error_group.tenant_id AND operation.error_group = error_group.fingerprint
                AND operation.status = 'failed' AND operation.discarded_at IS NULL
 WHERE (CAST(:tenant_id AS bigint) IS NULL OR error_group.tenant_id = :tenant_id)
   AND (CAST(:fingerprint AS text) IS NULL OR error_group.fingerprint = :fingerprint)
   AND (CAST(:code AS text) IS NULL OR error_group.code = :code)
   AND (CAST(:kind AS text) IS NULL OR error_group.kind = :kind)
   AND (CAST(:since AS timestamptz) IS NULL OR finished_at >= :since)
   AND (CAST(:until AS timestamptz) IS NULL OR finished_at < :until)
 GROUP BY error_group.tenant_id, tenant.key
 ORDER BY error_group.tenant_id;

-- name: count_named
-- Those of these operations that are dead letters, by tenant.
SELECT tenant_id, tenant.key AS tenant, count(*) AS matched, array_agg(operation.id ORDER BY seq) AS ids
  FROM operation
  JOIN tenant ON tenant.id = operation.tenant_id
 WHERE operation.id = ANY (CAST(:ids AS uuid[])) AND status = 'failed' AND discarded_at IS NULL
 GROUP BY tenant_id, tenant.key
 ORDER BY tenant_id;
