-- The directory as the native API reads it. A list first walks an index for at most :window rows and filters those, so
-- that a filter that fits nobody costs a window and not the tenant; `scanned` and `last` tell where the walk stopped.

-- name: find_user
-- One person by the upstream's key.
SELECT app_user.id, app_user.key, username, email, first_name, last_name, department, active, attributes,
       user_group.key AS primary_group
  FROM app_user
  LEFT JOIN user_group ON user_group.tenant_id = app_user.tenant_id AND user_group.id = primary_group_id
 WHERE app_user.tenant_id = :tenant_id AND app_user.key = :key;

-- name: keys_from
-- Keys of people from this one on, in the order of the index.
SELECT key
  FROM app_user
 WHERE tenant_id = :tenant_id AND key >= :first
 ORDER BY key
 LIMIT CAST(:limit AS integer);

-- name: find_group
-- One group by the upstream's key.
SELECT id, key, name, user_count
  FROM user_group
 WHERE tenant_id = :tenant_id AND key = :key;

-- name: find_role
-- One role by the upstream's key.
SELECT id, key, permission_scope, titles, descriptions
  FROM role
 WHERE tenant_id = :tenant_id AND key = :key;

-- name: page_of_users
-- People after an id, in the order of their ids.
WITH scanned AS MATERIALIZED (
    SELECT id, key, username, email, first_name, last_name, department, active, attributes, primary_group_id
      FROM app_user
     WHERE tenant_id = :tenant_id AND id > :after
     ORDER BY id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT scanned.*, user_group.key AS primary_group, ARRAY[scanned.id] AS place
      FROM scanned
      LEFT JOIN user_group ON user_group.tenant_id = :tenant_id AND user_group.id = primary_group_id
     WHERE (CAST(:department AS text) IS NULL OR department = :department)
       AND (CAST(:active AS boolean) IS NULL OR active = :active)
     ORDER BY scanned.id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, ARRAY[max(id)] AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.id;

-- name: page_of_members
-- As page_of_users, for the people of one group; the walk is along the group's members. LIMIT 1 keeps the planner from
-- reading all people for the sake of a window.
WITH scanned AS MATERIALIZED (
    SELECT user_id
      FROM group_member
     WHERE tenant_id = :tenant_id AND group_id = :group_id AND user_id > :after
     ORDER BY user_id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT person.id, person.key, username, email, first_name, last_name, department, active, attributes,
           user_group.key AS primary_group, ARRAY[person.id] AS place
      FROM scanned
     CROSS JOIN LATERAL (SELECT * FROM app_user
                          WHERE app_user.tenant_id = :tenant_id AND app_user.id = scanned.user_id
                          LIMIT 1) AS person
      LEFT JOIN user_group ON user_group.tenant_id = :tenant_id AND user_group.id = primary_group_id
     WHERE (CAST(:department AS text) IS NULL OR department = :department)
       AND (CAST(:active AS boolean) IS NULL OR active = :active)
       AND (CAST(:username_key AS text) IS NULL OR username_key = :username_key)
       AND (CAST(:email_key AS text) IS NULL OR email_key = :email_key)
     ORDER BY person.id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, ARRAY[max(user_id)] AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.id;

-- name: users_by_name
-- The people, at most two, who hold this username or this e-mail and meet every other condition.
WITH named AS (
    SELECT id FROM app_user WHERE tenant_id = :tenant_id AND username_key = CAST(:username_key AS text)
     UNION
    SELECT id FROM app_user WHERE tenant_id = :tenant_id AND email_key = CAST(:email_key AS text)
)
SELECT app_user.id, app_user.key, username, email, first_name, last_name, department, active, attributes,
       user_group.key AS primary_group
  FROM named
  JOIN app_user ON app_user.tenant_id = :tenant_id AND app_user.id = named.id
  LEFT JOIN user_group ON user_group.tenant_id = :tenant_id AND user_group.id = primary_group_id
 WHERE app_user.id > :after
   AND (CAST(:username_key AS text) IS NULL OR username_key = :username_key)
   AND (CAST(:email_key AS text) IS NULL OR email_key = :email_key)
   AND (CAST(:department AS text) IS NULL OR department = :department)
   AND (CAST(:active AS boolean) IS NULL OR active = :active)
 ORDER BY app_user.id;

-- name: page_of_groups
-- Groups after an id, in the order of their ids.
WITH scanned AS MATERIALIZED (
    SELECT id, key, name, user_count
      FROM user_group
     WHERE tenant_id = :tenant_id AND id > :after
     ORDER BY id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT scanned.*, ARRAY[id] AS place
      FROM scanned
     WHERE (CAST(:name AS text) IS NULL OR name = :name)
     ORDER BY id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, ARRAY[max(id)] AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.id;

-- name: page_of_roles
-- Roles after an id, in the order of their ids.
WITH scanned AS MATERIALIZED (
    SELECT id, key, permission_scope, titles, descriptions
      FROM role
     WHERE tenant_id = :tenant_id AND id > :after
     ORDER BY id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT scanned.*, ARRAY[id] AS place
      FROM scanned
     WHERE (CAST(:permission_scope AS text) IS NULL OR permission_scope = :permission_scope)
     ORDER BY id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, ARRAY[max(id)] AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY matched.id;
