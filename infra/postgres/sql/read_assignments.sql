-- Group assignments as the native API reads them: by tenant, by group or by person, each along an index.
-- `scanned` and `last` tell where the walk of at most :window rows stopped (see read_directory.sql).

-- name: assignments_of_tenant
-- All assignments, in the order of the primary key.
WITH scanned AS MATERIALIZED (
    SELECT group_id, user_id, role_id, sources, created_at
      FROM group_assignment
     WHERE tenant_id = :tenant_id
       AND (group_id, user_id, role_id)
           > (CAST(:after_group AS bigint), CAST(:after_user AS bigint), CAST(:after_role AS bigint))
     ORDER BY group_id, user_id, role_id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT *, ARRAY[group_id, user_id, role_id] AS place
      FROM scanned
     WHERE sources & CAST(:sources AS integer) <> 0
     ORDER BY group_id, user_id, role_id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, place, sources, matched.created_at, group_id, user_group.key AS group_key,
       user_group.name AS group_name, user_id, app_user.key AS user_key, first_name, last_name, department, active,
       role.key AS role_key, titles
  FROM (SELECT count(*) AS scanned, max(ARRAY[group_id, user_id, role_id]) AS last FROM scanned) AS frame
  LEFT JOIN (matched
             JOIN user_group ON user_group.tenant_id = :tenant_id AND user_group.id = group_id
             JOIN app_user ON app_user.tenant_id = :tenant_id AND app_user.id = user_id
             JOIN role ON role.tenant_id = :tenant_id AND role.id = role_id) ON true
 ORDER BY place;

-- name: assignments_of_group
-- One group's assignments, by person and role.
WITH scanned AS MATERIALIZED (
    SELECT group_id, user_id, role_id, sources, created_at
      FROM group_assignment
     WHERE tenant_id = :tenant_id AND group_id = :group_id
       AND (user_id, role_id) > (CAST(:after_user AS bigint), CAST(:after_role AS bigint))
     ORDER BY user_id, role_id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT *, ARRAY[group_id, user_id, role_id] AS place
      FROM scanned
     WHERE sources & CAST(:sources AS integer) <> 0
     ORDER BY user_id, role_id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, place, sources, matched.created_at, group_id, user_group.key AS group_key,
       user_group.name AS group_name, user_id, app_user.key AS user_key, first_name, last_name, department, active,
       role.key AS role_key, titles
  FROM (SELECT count(*) AS scanned, max(ARRAY[group_id, user_id, role_id]) AS last FROM scanned) AS frame
  LEFT JOIN (matched
             JOIN user_group ON user_group.tenant_id = :tenant_id AND user_group.id = group_id
             JOIN app_user ON app_user.tenant_id = :tenant_id AND app_user.id = user_id
             JOIN role ON role.tenant_id = :tenant_id AND role.id = role_id) ON true
 ORDER BY place;

-- name: assignments_of_person
-- One person's assignments, by group and role; of one group where :group_id is given. Their number is the person's own.
WITH scanned AS MATERIALIZED (
    SELECT group_id, user_id, role_id, sources, created_at
      FROM group_assignment
     WHERE tenant_id = :tenant_id AND user_id = :user_id
       AND (CAST(:group_id AS bigint) IS NULL OR group_id = :group_id)
       AND (group_id, role_id) > (CAST(:after_group AS bigint), CAST(:after_role AS bigint))
     ORDER BY group_id, role_id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT *, ARRAY[group_id, user_id, role_id] AS place
      FROM scanned
     WHERE sources & CAST(:sources AS integer) <> 0
     ORDER BY group_id, role_id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, place, sources, matched.created_at, group_id, user_group.key AS group_key,
       user_group.name AS group_name, user_id, app_user.key AS user_key, first_name, last_name, department, active,
       role.key AS role_key, titles
  FROM (SELECT count(*) AS scanned, max(ARRAY[group_id, user_id, role_id]) AS last FROM scanned) AS frame
  LEFT JOIN (matched
             JOIN user_group ON user_group.tenant_id = :tenant_id AND user_group.id = group_id
             JOIN app_user ON app_user.tenant_id = :tenant_id AND app_user.id = user_id
             JOIN role ON role.tenant_id = :tenant_id AND role.id = role_id) ON true
 ORDER BY place;

-- name: group_and_user
-- The ids behind a group's and a user's key, null where there is none.
SELECT (SELECT id FROM user_group WHERE tenant_id = :tenant_id AND key = CAST(:group AS text)) AS group_id,
       (SELECT id FROM app_user WHERE tenant_id = :tenant_id AND key = CAST(:user AS text)) AS user_id;
