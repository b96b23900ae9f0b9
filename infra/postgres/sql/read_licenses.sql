-- Licences as the native API reads them; see read_directory.sql for windows.

-- name: find_license
-- One licence by the upstream's key.
SELECT id, key, name, kind, code, program_key, program_name, capacity, used, reserved, waiting, active, starts_at,
       expires_at
  FROM license
 WHERE tenant_id = :tenant_id AND key = :key;

-- name: page_of_licenses
-- Licences after an id, in the order of their ids.
WITH scanned AS MATERIALIZED (
    SELECT id, key, name, kind, code, program_key, program_name, capacity, used, reserved, waiting, active, starts_at,
           expires_at
      FROM license
     WHERE tenant_id = :tenant_id AND id > :after
     ORDER BY id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT scanned.*, ARRAY[id] AS place
      FROM scanned
     WHERE (CAST(:kind AS text) IS NULL OR kind = :kind)
       AND (CAST(:active AS boolean) IS NULL OR active = :active)
       AND (CAST(:name AS text) IS NULL OR name = :name)
       AND (CAST(:code AS text) IS NULL OR code = :code)
       AND (CAST(:program_key AS text) IS NULL OR program_key = :program_key)
     ORDER BY id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, ARRAY[max(id)] AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.id;
