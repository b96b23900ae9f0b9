-- Licence pools but for their counts, which are kept in seats.sql.

-- name: reserve_license_ids
-- Fresh ids, known before the rows are written because events and outcomes name them.
SELECT nextval('license_id_seq') AS id FROM generate_series(1, CAST(:count AS integer));

-- name: reserve_program_ids
-- Fresh numbers of programs.
SELECT nextval('program_id_seq') AS id FROM generate_series(1, CAST(:count AS integer));

-- name: licenses_in_question
-- Licences that a wave names by key or id, and those that have a code or external id it wants or names.
-- The lists are padded with NULLs, which match nothing.
SELECT license.*
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:keys AS text[])) AS sent (tenant_id, key)
  JOIN license USING (tenant_id, key)
UNION ALL
SELECT license.*
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS sent (tenant_id, id)
  JOIN license USING (tenant_id, id)
UNION ALL
SELECT license.*
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:codes AS text[])) AS sent (tenant_id, code)
  JOIN license USING (tenant_id, code)
UNION ALL
SELECT license.*
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:external_ids AS text[])) AS sent (tenant_id, external_id)
  JOIN license USING (tenant_id, external_id);

-- name: programs
-- The numbers of programs, and how many licences have each.
SELECT license.tenant_id, license.program_key, min(program_id) AS program_id, count(*) AS licenses
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:program_keys AS text[])) AS sent (tenant_id, program_key)
  JOIN license USING (tenant_id, program_key)
 GROUP BY license.tenant_id, license.program_key;

-- name: licenses_in_use
-- Which of these licences somebody has, or a group is given.
SELECT known.tenant_id, known.id
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS known (tenant_id, id)
 WHERE EXISTS (SELECT 1 FROM entitlement
                WHERE entitlement.tenant_id = known.tenant_id AND entitlement.license_id = known.id)
    OR EXISTS (SELECT 1 FROM group_license
                WHERE group_license.tenant_id = known.tenant_id AND group_license.license_id = known.id);

-- name: grants_of_licenses
-- The grants by which groups are given these licences.
SELECT known.tenant_id, group_license.id
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS known (tenant_id, id)
  JOIN group_license ON group_license.tenant_id = known.tenant_id AND group_license.license_id = known.id
 WHERE active AND NOT hold AND removed_at IS NULL;

-- name: write_licenses
-- New and changed licences, in one statement, so that codes may be swapped; their counts are not touched here.
INSERT INTO license (tenant_id, id, key, name, kind, code, program_id, program_key, program_name, external_id, source,
                     transaction_id, change_type, metadata, enrollment_config, capacity, active, starts_at,
                     expires_at, created_at, updated_at)
SELECT tenant_id, id, key, name, kind, code, program_id, program_key, program_name, external_id, source,
       transaction_id, change_type, CAST(metadata AS json), CAST(enrollment_config AS json), capacity, active,
       starts_at, expires_at, created_at, updated_at
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[]), CAST(:keys AS text[]), CAST(:names AS text[]),
              CAST(:kinds AS text[]), CAST(:codes AS text[]), CAST(:program_ids AS bigint[]),
              CAST(:program_keys AS text[]), CAST(:program_names AS text[]), CAST(:external_ids AS text[]),
              CAST(:sources AS text[]), CAST(:transaction_ids AS text[]), CAST(:change_types AS text[]),
              CAST(:metadatas AS text[]), CAST(:enrollment_configs AS text[]), CAST(:capacities AS bigint[]),
              CAST(:actives AS boolean[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]),
              CAST(:created_ats AS timestamptz[]), CAST(:updated_ats AS timestamptz[]))
       AS planned (tenant_id, id, key, name, kind, code, program_id, program_key, program_name, external_id, source,
                   transaction_id, change_type, metadata, enrollment_config, capacity, active, starts_at, expires_at,
                   created_at, updated_at)
    ON CONFLICT (tenant_id, id) DO UPDATE
   SET name = EXCLUDED.name, code = EXCLUDED.code, program_id = EXCLUDED.program_id,
       program_key = EXCLUDED.program_key, program_name = EXCLUDED.program_name,
       external_id = EXCLUDED.external_id, source = EXCLUDED.source, transaction_id = EXCLUDED.transaction_id,
       change_type = EXCLUDED.change_type, metadata = EXCLUDED.metadata,
       enrollment_config = EXCLUDED.enrollment_config, capacity = EXCLUDED.capacity, active = EXCLUDED.active,
       starts_at = EXCLUDED.starts_at, expires_at = EXCLUDED.expires_at, updated_at = EXCLUDED.updated_at;

-- name: remove_licenses
-- Licences that are gone.
DELETE FROM license
 USING unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS gone (tenant_id, id)
 WHERE license.tenant_id = gone.tenant_id AND license.id = gone.id;

-- name: forget_dates
-- The dates of licences that have none any more, or others.
DELETE FROM due
 USING unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS moved (tenant_id, license_id)
 WHERE due.tenant_id = moved.tenant_id AND due.license_id = moved.license_id;

-- name: write_dates
-- When a licence's start or end is to be looked at; an end that has passed is looked at at once.
INSERT INTO due (tenant_id, license_id, kind, at)
SELECT tenant_id, license_id, kind, at
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[]), CAST(:kinds AS text[]),
              CAST(:ats AS timestamptz[])) AS planned (tenant_id, license_id, kind, at);
