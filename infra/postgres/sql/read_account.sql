-- What the account API shows of bundles.

-- name: plan_for_these_values
-- The blocks below leave orders out by constants; only a plan made for the values at hand can drop them, and knows
-- how large the group is. For this transaction alone.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: quantities
-- The bundle pools of the account; none says that it has no bundle licence at all.
SELECT code, capacity, used, reserved
  FROM license
 WHERE tenant_id = :tenant_id AND kind = 'bundle'
 ORDER BY code;

-- name: has_bundles
-- Whether the account has any bundle licence.
SELECT EXISTS (SELECT FROM license WHERE tenant_id = :tenant_id AND kind = 'bundle') AS has_bundles;

-- name: bundles_of_group
-- The group and its bundles in the order of allocation, one row each; what does not exist is null.
SELECT EXISTS (SELECT FROM license WHERE license.tenant_id = asked.tenant_id AND kind = 'bundle') AS has_bundles,
       user_group.id, user_group.key, user_group.name, use_external_license, user_count,
       given.id AS grant_id, given.license_id, given.code, given.quota, given.in_quota, given.assigned
  FROM (SELECT CAST(:tenant_id AS bigint) AS tenant_id) AS asked
  LEFT JOIN user_group ON user_group.tenant_id = asked.tenant_id AND user_group.key = :group
  LEFT JOIN LATERAL (
        SELECT group_license.id, license_id, code, quota, in_quota, assigned
          FROM group_license
          JOIN license ON license.tenant_id = group_license.tenant_id AND license.id = group_license.license_id
         WHERE group_license.tenant_id = asked.tenant_id AND group_id = user_group.id AND removed_at IS NULL
           AND kind = 'bundle') AS given ON true
 ORDER BY given.id;

-- name: count_licensed_groups
-- How many groups have bundles.
SELECT count(DISTINCT group_id) AS matching
  FROM group_license
  JOIN license ON license.tenant_id = group_license.tenant_id AND license.id = group_license.license_id
 WHERE group_license.tenant_id = :tenant_id AND removed_at IS NULL AND kind = 'bundle';

-- name: licensed_groups
-- A page of the groups that have bundles, one row for each bundle, in the order of allocation. There are few such
-- groups beside what their members hold, so they are sorted, not walked.
WITH page AS MATERIALIZED (
    SELECT user_group.id, user_group.key, name, use_external_license, user_count,
           row_number() OVER (ORDER BY CASE WHEN CAST(:by AS text) = 'name_asc' THEN name END,
                                       CASE WHEN CAST(:by AS text) = 'name_desc' THEN name END DESC,
                                       CASE WHEN CAST(:by AS text) = 'key_asc' THEN user_group.key END,
                                       CASE WHEN CAST(:by AS text) = 'key_desc' THEN user_group.key END DESC,
                                       CASE WHEN CAST(:by AS text) = 'made_desc' THEN user_group.id END DESC,
                                       user_group.id) AS place
      FROM user_group
     WHERE tenant_id = :tenant_id
       AND user_group.id IN (
           SELECT group_id
             FROM group_license
             JOIN license ON license.tenant_id = group_license.tenant_id AND license.id = group_license.license_id
            WHERE group_license.tenant_id = :tenant_id AND removed_at IS NULL AND kind = 'bundle')
     ORDER BY place
    OFFSET CAST(:offset AS bigint) LIMIT CAST(:limit AS bigint)
)
SELECT page.id, page.key, page.name, use_external_license, user_count, group_license.id AS grant_id, license_id, code,
       quota, in_quota, assigned
  FROM page
  JOIN group_license ON group_license.tenant_id = :tenant_id AND group_id = page.id AND removed_at IS NULL
  JOIN license ON license.tenant_id = :tenant_id AND license.id = license_id AND kind = 'bundle'
 ORDER BY place, group_license.id;

-- name: licensed_members
-- A page of the members who hold a seat that one of these grants gives them, with the places of those grants. Whom the
-- offset skips is asked for one such seat and no more; all places are read of those on the page alone.
-- Planned for its values, a CASE is either its column, whose index can be walked, or a constant, which orders nothing.
WITH page AS (
    SELECT person.id, person.key, person.username, person.email, person.first_name, person.last_name
      FROM app_user AS person
      JOIN group_member AS member
        ON member.tenant_id = :tenant_id AND member.group_id = :group_id AND member.user_id = person.id
     CROSS JOIN LATERAL (
            SELECT
              FROM unnest(CAST(:grant_ids AS bigint[]), CAST(:license_ids AS bigint[])) AS given (grant_id, license_id)
              JOIN entitlement
                ON entitlement.tenant_id = :tenant_id AND entitlement.license_id = given.license_id
               AND entitlement.user_id = person.id AND entitlement.state = 1
              JOIN entitlement_source AS source
                ON source.tenant_id = :tenant_id AND source.entitlement_id = entitlement.id
               AND source.grant_id = given.grant_id AND NOT source.blocked
             LIMIT 1) AS one
     WHERE person.tenant_id = :tenant_id
     ORDER BY CASE WHEN CAST(:by AS text) IN ('first_name_asc', 'display_name_asc') THEN person.first_name END,
              CASE WHEN CAST(:by AS text) IN ('first_name_desc', 'display_name_desc') THEN person.first_name END DESC,
              CASE WHEN CAST(:by AS text) IN ('last_name_asc', 'display_name_asc') THEN person.last_name END,
              CASE WHEN CAST(:by AS text) IN ('last_name_desc', 'display_name_desc') THEN person.last_name END DESC,
              CASE WHEN CAST(:by AS text) = 'email_asc' THEN person.email_key END,
              CASE WHEN CAST(:by AS text) = 'email_desc' THEN person.email_key END DESC,
              CASE WHEN CAST(:by AS text) = 'key_asc' THEN person.key END,
              CASE WHEN CAST(:by AS text) = 'key_desc' THEN person.key END DESC,
              CASE WHEN CAST(:by AS text) = 'made_desc' THEN person.id END DESC,
              person.id
    OFFSET CAST(:offset AS bigint) LIMIT CAST(:limit AS bigint))
SELECT shown.key, shown.username, shown.email, shown.first_name, shown.last_name, held.places
  FROM (SELECT page.*, row_number() OVER () AS rank FROM page) AS shown
 CROSS JOIN LATERAL (
        SELECT array_agg(given.place ORDER BY given.place) AS places
          FROM unnest(CAST(:grant_ids AS bigint[]), CAST(:license_ids AS bigint[])) WITH ORDINALITY
               AS given (grant_id, license_id, place)
          JOIN entitlement
            ON entitlement.tenant_id = :tenant_id AND entitlement.license_id = given.license_id
           AND entitlement.user_id = shown.id AND entitlement.state = 1
          JOIN entitlement_source AS source
            ON source.tenant_id = :tenant_id AND source.entitlement_id = entitlement.id
           AND source.grant_id = given.grant_id AND NOT source.blocked) AS held
 ORDER BY shown.rank;

-- name: count_licensed_members
-- How many members hold a seat that one of these grants gives them.
SELECT count(DISTINCT entitlement.user_id) AS matching
  FROM entitlement_source AS source
  JOIN entitlement ON entitlement.tenant_id = source.tenant_id AND entitlement.id = source.entitlement_id
 WHERE source.tenant_id = :tenant_id AND source.grant_id = ANY (CAST(:grant_ids AS bigint[])) AND NOT source.blocked
   AND entitlement.state = 1;
