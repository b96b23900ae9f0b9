-- Cascades: whom the deletion of a group, a role or a licence comes to next, and what it takes from them.

-- name: grants_of
-- All grants of these groups and of this licence, those that are being taken away too.
SELECT id, group_id, license_id
  FROM group_license
 WHERE tenant_id = :tenant_id
   AND (group_id = ANY (CAST(:group_ids AS bigint[])) OR license_id = CAST(:license_id AS bigint))
 ORDER BY id;

-- name: count_of_role
-- How many hold the role, by an index alone.
SELECT count(*) AS people FROM group_assignment WHERE tenant_id = :tenant_id AND role_id = :role_id;

-- name: count_of_license
-- How many have the licence or wait for it.
SELECT used + waiting AS people FROM license WHERE tenant_id = :tenant_id AND id = :license_id;

-- name: mark_grants_removed
-- Grants that nobody sees any more; their rows stay until their last source is gone.
UPDATE group_license
   SET removed_at = now(), updated_at = now()
 WHERE tenant_id = :tenant_id AND id = ANY (CAST(:ids AS bigint[])) AND removed_at IS NULL;

-- name: next_of_group
-- People behind the cursor who are in the group, or have it as their primary one.
SELECT user_id
  FROM ((SELECT user_id FROM group_member
          WHERE tenant_id = :tenant_id AND group_id = :group_id AND user_id > :cursor
          ORDER BY user_id
          LIMIT CAST(:rows AS integer))
        UNION
        (SELECT id FROM app_user
          WHERE tenant_id = :tenant_id AND primary_group_id = :group_id AND id > :cursor
          ORDER BY id
          LIMIT CAST(:rows AS integer))) AS person (user_id)
 ORDER BY user_id
 LIMIT CAST(:rows AS integer);

-- name: next_of_role
-- People behind the cursor who hold the role anywhere.
SELECT DISTINCT user_id
  FROM group_assignment
 WHERE tenant_id = :tenant_id AND role_id = :role_id AND user_id > :cursor
 ORDER BY user_id
 LIMIT CAST(:rows AS integer);

-- name: next_of_license
-- Entitlements of the licence behind the cursor, in the order of their rows.
SELECT id AS entitlement_id, coalesce(user_id, 0) AS user_id
  FROM entitlement
 WHERE tenant_id = :tenant_id AND license_id = :license_id AND id > :cursor
 ORDER BY id
 LIMIT CAST(:rows AS integer);

-- name: take_from_group
-- Takes what these people hold in the group, and their being in it; returns what it was, with the keys that events name.
-- Of a role that is being deleted too the continuation remembers the key.
WITH taken AS (
    DELETE FROM group_assignment
     USING unnest(CAST(:user_ids AS bigint[])) AS person (id)
     WHERE tenant_id = :tenant_id AND group_id = :group_id AND user_id = person.id
    RETURNING user_id, role_id, sources
), gone AS (
    DELETE FROM group_member
     USING unnest(CAST(:user_ids AS bigint[])) AS person (id)
     WHERE tenant_id = :tenant_id AND group_id = :group_id AND user_id = person.id
)
SELECT taken.user_id, held.key AS user_key, taken.role_id,
       coalesce(role.key, (SELECT target_key FROM continuation AS going
                            WHERE going.tenant_id = :tenant_id AND going.kind = 'delete_role'
                              AND going.target_id = taken.role_id)) AS role_key,
       taken.sources
  FROM taken
 CROSS JOIN LATERAL (SELECT key FROM app_user
                      WHERE app_user.tenant_id = :tenant_id AND app_user.id = taken.user_id LIMIT 1) AS held
  LEFT JOIN role ON role.tenant_id = :tenant_id AND role.id = taken.role_id
 ORDER BY taken.user_id, taken.role_id;

-- name: leaving_with_role
-- Who of these people loses their last role in a group with this one.
SELECT gone.group_id, gone.user_id
  FROM unnest(CAST(:user_ids AS bigint[])) AS person (id)
  JOIN group_assignment AS gone ON gone.tenant_id = :tenant_id AND gone.role_id = :role_id
                               AND gone.user_id = person.id
 WHERE NOT EXISTS (SELECT 1 FROM group_assignment AS beside
                    WHERE beside.tenant_id = gone.tenant_id AND beside.group_id = gone.group_id
                      AND beside.user_id = gone.user_id AND beside.role_id <> gone.role_id);

-- name: take_role
-- Takes the role from these people wherever they hold it, and their being in a group where it was their last; the groups
-- count it. Returns what it was, with the keys that events name; of a group that is being deleted too the continuation
-- remembers the key.
WITH taken AS (
    DELETE FROM group_assignment
     USING unnest(CAST(:user_ids AS bigint[])) AS person (id)
     WHERE tenant_id = :tenant_id AND role_id = :role_id AND user_id = person.id
    RETURNING group_id, user_id, sources
), gone AS (
    DELETE FROM group_member
     USING taken
     WHERE group_member.tenant_id = :tenant_id AND group_member.group_id = taken.group_id
       AND group_member.user_id = taken.user_id
       AND NOT EXISTS (SELECT 1 FROM group_assignment AS beside
                        WHERE beside.tenant_id = :tenant_id AND beside.group_id = taken.group_id
                          AND beside.user_id = taken.user_id AND beside.role_id <> :role_id)
    RETURNING group_member.group_id, group_member.user_id
), moved AS (
    UPDATE user_group
       SET assignment_count = assignment_count - fewer.assignments, user_count = user_count - fewer.users
      FROM (SELECT group_id, count(*) AS assignments,
                   (SELECT count(*) FROM gone WHERE gone.group_id = taken.group_id) AS users
              FROM taken GROUP BY group_id) AS fewer
     WHERE user_group.tenant_id = :tenant_id AND user_group.id = fewer.group_id
)
SELECT taken.group_id, taken.user_id, held.key AS user_key, taken.sources,
       coalesce(user_group.key, (SELECT target_key FROM continuation AS going
                                  WHERE going.tenant_id = :tenant_id AND going.kind = 'delete_group'
                                    AND going.target_id = taken.group_id)) AS group_key
  FROM taken
 CROSS JOIN LATERAL (SELECT key FROM app_user
                      WHERE app_user.tenant_id = :tenant_id AND app_user.id = taken.user_id LIMIT 1) AS held
  LEFT JOIN user_group ON user_group.tenant_id = :tenant_id AND user_group.id = taken.group_id
 ORDER BY taken.group_id, taken.user_id;

-- name: forget_primary_group
-- A group that is gone is nobody's primary group.
UPDATE app_user
   SET primary_group_id = NULL, updated_at = now()
 WHERE tenant_id = :tenant_id AND id = ANY (CAST(:user_ids AS bigint[])) AND primary_group_id = :group_id;

-- name: remove_grants_of
-- The grants of a group, or of a licence, that is gone with all that it gave. One that a later deletion of its licence
-- has yet to take from people stays until then.
DELETE FROM group_license
 WHERE tenant_id = :tenant_id AND removed_at IS NOT NULL
   AND (group_id = CAST(:group_id AS bigint) OR license_id = CAST(:license_id AS bigint))
   AND NOT EXISTS (SELECT 1 FROM entitlement_source AS source
                    WHERE source.tenant_id = group_license.tenant_id AND source.grant_id = group_license.id
                      AND source.grant_id <> 0);
