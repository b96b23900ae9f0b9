-- Grants of licences to groups: what a command about one asks for, and the rows it leaves.

-- name: grant_in_question
-- A licence and a group by their ids, and the grant of the one to the other; what does not exist is NULL.
SELECT license.kind AS license_kind, user_group.key AS group_key, user_group.name AS group_name,
       user_group.user_count, group_license.id AS grant_id, group_license.active, group_license.hold,
       group_license.assigned + group_license.waiting + group_license.suspended AS reached,
       EXISTS (SELECT 1 FROM continuation
                WHERE continuation.tenant_id = asked.tenant_id AND continuation.kind = 'give'
                  AND target_id = group_license.id) AS is_giving
  FROM (SELECT CAST(:tenant_id AS bigint) AS tenant_id) AS asked
  LEFT JOIN license ON license.tenant_id = asked.tenant_id AND license.id = :license_id
  LEFT JOIN user_group ON user_group.tenant_id = asked.tenant_id AND user_group.id = :group_id
  LEFT JOIN group_license ON group_license.tenant_id = asked.tenant_id AND group_id = user_group.id
                         AND license_id = license.id AND removed_at IS NULL;

-- name: grant_by_id
-- A grant that is not being taken away, with the kind of its licence.
SELECT group_license.id, group_id, license_id, license.kind AS license_kind,
       assigned + group_license.waiting + suspended AS reached
  FROM group_license
  JOIN license ON license.tenant_id = group_license.tenant_id AND license.id = license_id
 WHERE group_license.tenant_id = :tenant_id AND group_license.id = :id AND removed_at IS NULL;

-- name: reserve_grant_ids
-- Fresh ids, known before the rows are written because events and answers name them.
SELECT nextval('group_license_id_seq') AS id FROM generate_series(1, CAST(:count AS integer));

-- name: write_grants
-- New grants and changed ones; counts are not touched here.
INSERT INTO group_license (tenant_id, id, group_id, license_id, active, hold, shortage, quota, redirect_to, metadata,
                           removed_at, created_at, updated_at)
SELECT tenant_id, id, group_id, license_id, active, hold, shortage, quota, redirect_to, CAST(metadata AS json),
       CASE WHEN is_removed THEN updated_at END, created_at, updated_at
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[]), CAST(:group_ids AS bigint[]),
              CAST(:license_ids AS bigint[]), CAST(:actives AS boolean[]), CAST(:holds AS boolean[]),
              CAST(:shortages AS text[]), CAST(:quotas AS bigint[]), CAST(:redirects AS text[]),
              CAST(:metadatas AS text[]), CAST(:removals AS boolean[]), CAST(:created_ats AS timestamptz[]),
              CAST(:updated_ats AS timestamptz[]))
       WITH ORDINALITY AS planned (tenant_id, id, group_id, license_id, active, hold, shortage, quota, redirect_to,
                                   metadata, is_removed, created_at, updated_at, place)
 ORDER BY place
    ON CONFLICT (tenant_id, id) DO UPDATE
   SET active = EXCLUDED.active, hold = EXCLUDED.hold, shortage = EXCLUDED.shortage, quota = EXCLUDED.quota,
       redirect_to = EXCLUDED.redirect_to, metadata = EXCLUDED.metadata, removed_at = EXCLUDED.removed_at,
       updated_at = EXCLUDED.updated_at;

-- name: remove_grants
-- Grants that were taken away, now that nobody has anything from them any more.
DELETE FROM group_license
 WHERE tenant_id = :tenant_id AND id = ANY (CAST(:ids AS bigint[])) AND removed_at IS NOT NULL;
