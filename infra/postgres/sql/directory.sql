-- The directory: users, groups and roles, written in sets.

-- name: reserve_user_ids
-- Fresh ids, known before the rows are written because events and outcomes name them.
SELECT nextval('app_user_id_seq') AS id FROM generate_series(1, CAST(:count AS integer));

-- name: reserve_group_ids
-- As reserve_user_ids.
SELECT nextval('user_group_id_seq') AS id FROM generate_series(1, CAST(:count AS integer));

-- name: reserve_role_ids
-- As reserve_user_ids.
SELECT nextval('role_id_seq') AS id FROM generate_series(1, CAST(:count AS integer));

-- name: users_in_question
-- Users that a wave names by key, and those that hold a username or e-mail it wants.
SELECT app_user.tenant_id, id, key, username, email, first_name, last_name, department, active, attributes,
       primary_group_id
  FROM app_user
  JOIN unnest(CAST(:tenant_ids AS bigint[]), CAST(:keys AS text[])) AS sent (tenant_id, key) USING (tenant_id, key)
UNION ALL
SELECT app_user.tenant_id, id, key, username, email, first_name, last_name, department, active, attributes,
       primary_group_id
  FROM app_user
  JOIN unnest(CAST(:tenant_ids AS bigint[]), CAST(:username_keys AS text[])) AS sent (tenant_id, username_key)
 USING (tenant_id, username_key)
UNION ALL
SELECT app_user.tenant_id, id, key, username, email, first_name, last_name, department, active, attributes,
       primary_group_id
  FROM app_user
  JOIN unnest(CAST(:tenant_ids AS bigint[]), CAST(:email_keys AS text[])) AS sent (tenant_id, email_key)
 USING (tenant_id, email_key);

-- name: group_keys
-- The keys of groups known by id.
SELECT user_group.tenant_id, id, key
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS known (tenant_id, id)
  JOIN user_group USING (tenant_id, id);

-- name: groups_in_question
-- Groups by (tenant, key), with what an update compares and a deletion asks for.
SELECT user_group.tenant_id, user_group.id, key, name, user_count, assignment_count,
       EXISTS (SELECT 1 FROM app_user
                WHERE app_user.tenant_id = user_group.tenant_id AND primary_group_id = user_group.id) AS is_primary,
       EXISTS (SELECT 1 FROM group_license
                WHERE group_license.tenant_id = user_group.tenant_id AND group_id = user_group.id) AS has_grants
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:keys AS text[])) AS sent (tenant_id, key)
  JOIN user_group USING (tenant_id, key);

-- name: roles_in_question
-- Roles by (tenant, key), with what an update compares and a deletion asks for.
SELECT role.tenant_id, role.id, key, permission_scope, titles, descriptions,
       EXISTS (SELECT 1 FROM group_assignment
                WHERE group_assignment.tenant_id = role.tenant_id AND role_id = role.id) AS is_in_use
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:keys AS text[])) AS sent (tenant_id, key)
  JOIN role USING (tenant_id, key);

-- name: write_users
-- New and changed users. One statement, so that names may be swapped: uniqueness is checked at its end.
INSERT INTO app_user (tenant_id, id, key, username, username_key, email, email_key, first_name, last_name,
                      department, active, attributes, primary_group_id)
SELECT tenant_id, id, key, username, username_key, email, email_key, first_name, last_name, department, active,
       CAST(attributes AS json), primary_group_id
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[]), CAST(:keys AS text[]),
              CAST(:usernames AS text[]), CAST(:username_keys AS text[]), CAST(:emails AS text[]),
              CAST(:email_keys AS text[]), CAST(:first_names AS text[]), CAST(:last_names AS text[]),
              CAST(:departments AS text[]), CAST(:actives AS boolean[]), CAST(:attributes AS text[]),
              CAST(:primary_group_ids AS bigint[]))
       AS planned (tenant_id, id, key, username, username_key, email, email_key, first_name, last_name,
                   department, active, attributes, primary_group_id)
    ON CONFLICT (tenant_id, id) DO UPDATE
   SET username = EXCLUDED.username, username_key = EXCLUDED.username_key, email = EXCLUDED.email,
       email_key = EXCLUDED.email_key, first_name = EXCLUDED.first_name, last_name = EXCLUDED.last_name,
       department = EXCLUDED.department, active = EXCLUDED.active, attributes = EXCLUDED.attributes,
       primary_group_id = EXCLUDED.primary_group_id, updated_at = now();

-- name: remove_users
-- People who are gone.
DELETE FROM app_user
 USING unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS gone (tenant_id, id)
 WHERE app_user.tenant_id = gone.tenant_id AND app_user.id = gone.id;

-- name: write_groups
-- New and renamed groups; their counts are not touched here.
INSERT INTO user_group (tenant_id, id, key, name)
SELECT tenant_id, id, key, name
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[]), CAST(:keys AS text[]),
              CAST(:names AS text[])) AS planned (tenant_id, id, key, name)
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = EXCLUDED.name, updated_at = now();

-- name: remove_groups
-- Groups that are gone.
DELETE FROM user_group
 USING unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS gone (tenant_id, id)
 WHERE user_group.tenant_id = gone.tenant_id AND user_group.id = gone.id;

-- name: write_roles
-- New and changed roles.
INSERT INTO role (tenant_id, id, key, permission_scope, titles, descriptions)
SELECT tenant_id, id, key, permission_scope, CAST(titles AS json), CAST(descriptions AS json)
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[]), CAST(:keys AS text[]),
              CAST(:permission_scopes AS text[]), CAST(:titles AS text[]), CAST(:descriptions AS text[]))
       AS planned (tenant_id, id, key, permission_scope, titles, descriptions)
    ON CONFLICT (tenant_id, id) DO UPDATE
   SET permission_scope = EXCLUDED.permission_scope, titles = EXCLUDED.titles,
       descriptions = EXCLUDED.descriptions, updated_at = now();

-- name: remove_roles
-- Roles that are gone.
DELETE FROM role
 USING unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS gone (tenant_id, id)
 WHERE role.tenant_id = gone.tenant_id AND role.id = gone.id;
