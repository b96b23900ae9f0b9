-- What the users API shows of groups.

-- name: plan_for_these_values
-- The blocks below leave conditions and orders out by constants; only a plan made for the values at hand can drop
-- them. For this transaction alone.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: group_counts
-- The group, and how many assignments it has: kept by the workers, so that no list has to count.
SELECT id, assignment_count FROM user_group WHERE tenant_id = :tenant_id AND key = :group;

-- name: ids_of_roles
-- The roles of these keys that exist.
SELECT id FROM role WHERE tenant_id = :tenant_id AND key = ANY (CAST(:keys AS text[]));

-- name: count_with_roles
-- How many assignments of the group have one of these roles.
SELECT count(*) AS matching
  FROM group_assignment
 WHERE tenant_id = :tenant_id AND group_id = :group_id AND role_id = ANY (CAST(:role_ids AS bigint[]));

-- name: count_found
-- How many assignments of the group are of people whom the term finds.
SELECT count_members_found(:tenant_id, :group_id, :pattern, CAST(:role_ids AS bigint[])) AS matching;

-- name: assignments_as_made
-- A page in the order of creation, off the index that has it; people and roles are joined to the page alone.
WITH page AS MATERIALIZED (
    SELECT user_id, role_id, sources, created_at
      FROM group_assignment
     WHERE tenant_id = :tenant_id AND group_id = :group_id
       AND (CAST(:role_ids AS bigint[]) IS NULL OR role_id = ANY (CAST(:role_ids AS bigint[])))
     ORDER BY created_at, user_id, role_id
    OFFSET CAST(:offset AS bigint) LIMIT CAST(:limit AS bigint)
)
SELECT app_user.key AS user_key, first_name, last_name, department, active, role.key AS role_key, titles, sources,
       page.created_at
  FROM page
  JOIN app_user ON app_user.tenant_id = :tenant_id AND app_user.id = page.user_id
  JOIN role ON role.tenant_id = :tenant_id AND role.id = page.role_id
 ORDER BY page.created_at, page.user_id, page.role_id;

-- name: assignments_found
-- A page of the assignments of people whom the term finds. The function sees past row-level security, under which no
-- trigram index would serve, and takes the tenant; what it finds is read here, behind the fence.
SELECT app_user.key AS user_key, first_name, last_name, department, active, role.key AS role_key, titles, sources,
       held.created_at
  FROM search_members(:tenant_id, :group_id, :pattern, CAST(:role_ids AS bigint[]), CAST(:first AS text),
                      CAST(:second AS text), CAST(:offset AS bigint), CAST(:limit AS bigint))
       WITH ORDINALITY AS found (user_id, role_id, place)
  JOIN group_assignment AS held ON held.tenant_id = :tenant_id AND held.group_id = :group_id
                               AND held.user_id = found.user_id AND held.role_id = found.role_id
  JOIN app_user ON app_user.tenant_id = :tenant_id AND app_user.id = found.user_id
  JOIN role ON role.tenant_id = :tenant_id AND role.id = found.role_id
 ORDER BY place;

-- name: assignments_by_person
-- A page in the order of names. Planned for its values, a CASE is either its column, whose index
-- can be walked, or a constant, which orders nothing.
SELECT user_key, first_name, last_name, department, active, role.key AS role_key, titles, sources, page.created_at
  FROM (SELECT row_number() OVER () AS place, ordered.*
          FROM (SELECT held.role_id, held.sources, held.created_at, person.key AS user_key, person.first_name,
                       person.last_name, person.department, person.active
                  FROM app_user AS person
                  JOIN group_assignment AS held
                    ON held.tenant_id = :tenant_id AND held.group_id = :group_id AND held.user_id = person.id
                 WHERE person.tenant_id = :tenant_id
                   AND (CAST(:role_ids AS bigint[]) IS NULL OR held.role_id = ANY (CAST(:role_ids AS bigint[])))
                 ORDER BY CASE WHEN CAST(:first AS text) = 'first_name_asc' THEN person.first_name END,
                          CASE WHEN CAST(:first AS text) = 'first_name_desc' THEN person.first_name END DESC,
                          CASE WHEN CAST(:first AS text) = 'last_name_asc' THEN person.last_name END,
                          CASE WHEN CAST(:first AS text) = 'last_name_desc' THEN person.last_name END DESC,
                          CASE WHEN CAST(:second AS text) = 'first_name_asc' THEN person.first_name END,
                          CASE WHEN CAST(:second AS text) = 'first_name_desc' THEN person.first_name END DESC,
                          CASE WHEN CAST(:second AS text) = 'last_name_asc' THEN person.last_name END,
                          CASE WHEN CAST(:second AS text) = 'last_name_desc' THEN person.last_name END DESC,
                          person.id, held.role_id
                OFFSET CAST(:offset AS bigint) LIMIT CAST(:limit AS bigint)) AS ordered) AS page
  JOIN role ON role.tenant_id = :tenant_id AND role.id = page.role_id
 ORDER BY place;

-- name: assignment_at
-- One assignment by the three keys of its address; what does not exist is null.
SELECT user_group.id AS group_id, app_user.id AS user_id, role.id AS role_id, app_user.key AS user_key, first_name,
       last_name, department, active, role.key AS role_key, titles, sources, group_assignment.created_at
  FROM (SELECT CAST(:tenant_id AS bigint) AS tenant_id) AS asked
  LEFT JOIN user_group ON user_group.tenant_id = asked.tenant_id AND user_group.key = :group
  LEFT JOIN app_user ON app_user.tenant_id = asked.tenant_id AND app_user.key = :user
  LEFT JOIN role ON role.tenant_id = asked.tenant_id AND role.key = :role
  LEFT JOIN group_assignment
    ON group_assignment.tenant_id = asked.tenant_id AND group_assignment.group_id = user_group.id
   AND group_assignment.user_id = app_user.id AND group_assignment.role_id = role.id;

-- name: count_assignable_roles
-- How many roles may be given, at most those the caller is limited to.
SELECT count(*) AS matching
  FROM role
 WHERE tenant_id = :tenant_id AND permission_scope = :scope
   AND (CAST(:among AS text[]) IS NULL OR key = ANY (CAST(:among AS text[])));

-- name: assignable_roles
-- A page of them, by key or by the title that the caller would read: the first of its languages that the role has.
SELECT role.key, titles, descriptions
  FROM role
  LEFT JOIN LATERAL (
        SELECT title.value
          FROM json_each_text(role.titles) AS title
          LEFT JOIN unnest(CAST(:languages AS text[])) WITH ORDINALITY AS wish (tag, place)
            ON wish.tag = lower(title.key)
         ORDER BY place NULLS LAST, lower(title.key)
         LIMIT 1) AS shown ON true
 WHERE tenant_id = :tenant_id AND permission_scope = :scope
   AND (CAST(:among AS text[]) IS NULL OR role.key = ANY (CAST(:among AS text[])))
 ORDER BY CASE WHEN NOT CAST(:descending AS boolean) THEN lower(COALESCE(shown.value, role.key)) END,
          CASE WHEN CAST(:descending AS boolean) THEN lower(COALESCE(shown.value, role.key)) END DESC,
          role.key
OFFSET CAST(:offset AS bigint) LIMIT CAST(:limit AS bigint);
