-- What the catalogue API shows of program licences, of who has them and of the groups that give them.

-- name: plan_for_these_values
-- The blocks below leave conditions and orders out by constants; only a plan made for the values at hand can drop
-- them and use the partial index that a filter has. For this transaction alone.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: programs
-- A page of the program licences; the pages of a tenant's pools are few, so that the filters need no index.
WITH page AS MATERIALIZED (
    SELECT id, name, capacity, used, waiting, active, created_at, starts_at, expires_at, metadata, source, external_id,
           program_id, program_key, program_name
      FROM license
     WHERE tenant_id = :tenant_id AND kind = 'program'
       AND (CAST(:active AS boolean) IS NULL OR active = :active)
       AND (CAST(:external_id AS text) IS NULL OR external_id = :external_id)
       AND (CAST(:name AS text) IS NULL OR name = :name)
       AND (CAST(:program_id AS bigint) IS NULL OR program_id = :program_id)
       AND (CAST(:part AS text) IS NULL OR strpos(lower(name), lower(:part)) > 0)
       AND (CAST(:source AS text) IS NULL OR source = :source)
     ORDER BY CASE WHEN CAST(:descending AS boolean) THEN id END DESC, CASE WHEN NOT :descending THEN id END
    OFFSET CAST(:offset AS bigint) LIMIT CAST(:limit AS bigint)
)
SELECT page.*,
       CASE WHEN CAST(:verbose AS boolean) THEN (
           SELECT count(*)
             FROM entitlement
            WHERE tenant_id = :tenant_id AND license_id = page.id AND state = 5) END AS suspended
  FROM page
 ORDER BY CASE WHEN :descending THEN page.id END DESC, page.id;

-- name: count_programs
-- How many program licences match.
SELECT count(*) AS matching
  FROM license
 WHERE tenant_id = :tenant_id AND kind = 'program'
   AND (CAST(:active AS boolean) IS NULL OR active = :active)
   AND (CAST(:external_id AS text) IS NULL OR external_id = :external_id)
   AND (CAST(:name AS text) IS NULL OR name = :name)
   AND (CAST(:program_id AS bigint) IS NULL OR program_id = :program_id)
   AND (CAST(:part AS text) IS NULL OR strpos(lower(name), lower(:part)) > 0)
   AND (CAST(:source AS text) IS NULL OR source = :source);

-- name: program
-- One program licence; a licence that starts later is not fulfilled before, by the database's own clock.
SELECT id, name, program_key, program_name, used, waiting, COALESCE(starts_at <= now(), true) AS has_started
  FROM license
 WHERE tenant_id = :tenant_id AND id = :license_id AND kind = 'program';

-- name: exceptions
-- The assignments that were set inactive, and the seats of e-mail addresses: few beside those that the pool's own
-- counts tell of, so that no list has to count its rows.
SELECT (SELECT count(*) FROM entitlement
         WHERE tenant_id = :tenant_id AND license_id = :license_id AND state = 5) AS suspended,
       (SELECT count(*) FROM entitlement
         WHERE tenant_id = :tenant_id AND license_id = :license_id AND email_key IS NOT NULL AND state = 1) AS addresses;

-- name: user_of_address
-- The user who has this e-mail address.
SELECT id FROM app_user WHERE tenant_id = :tenant_id AND email_key = :email_key;

-- name: assignments_in_order
-- A page of a licence's assignments by their ids, which are given in the order of creation. A state of 5 is suspended,
-- 1 holds a seat, which fulfils the assignment where the person is known.
SELECT id
  FROM entitlement
 WHERE tenant_id = :tenant_id AND license_id = :license_id
   AND (CAST(:active AS boolean) IS NULL OR (state <> 5) = :active)
   AND (CAST(:fulfilled AS boolean) IS NULL OR (state = 1 AND user_id IS NOT NULL) = :fulfilled)
 ORDER BY CASE WHEN CAST(:descending AS boolean) THEN id END DESC, CASE WHEN NOT :descending THEN id END
OFFSET CAST(:offset AS bigint) LIMIT CAST(:limit AS bigint);

-- name: assignments_of_person
-- A licence's assignments of a user, and of an e-mail address that is nobody's yet: at most one each.
SELECT id
  FROM (SELECT id, state, user_id
          FROM entitlement
         WHERE tenant_id = :tenant_id AND license_id = :license_id AND user_id = CAST(:user_id AS bigint)
         UNION ALL
        SELECT id, state, user_id
          FROM entitlement
         WHERE tenant_id = :tenant_id AND license_id = :license_id AND email_key = CAST(:email_key AS text)) AS found
 WHERE (CAST(:active AS boolean) IS NULL OR (state <> 5) = :active)
   AND (CAST(:fulfilled AS boolean) IS NULL OR (state = 1 AND user_id IS NOT NULL) = :fulfilled)
 ORDER BY CASE WHEN CAST(:descending AS boolean) THEN id END DESC, id;

-- name: assignments
-- These assignments, in this order; `direct` where there is a source of the person's own.
SELECT held.id, held.user_id, person.username, person.first_name, person.last_name,
       CASE WHEN held.user_id IS NULL THEN held.email ELSE person.email END AS email, held.state,
       EXISTS (SELECT FROM entitlement_source AS source
                WHERE source.tenant_id = :tenant_id AND source.entitlement_id = held.id AND source.grant_id = 0)
       AS direct, held.redirect_to, held.metadata, held.created_at, held.updated_at
  FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS asked (id, place)
  JOIN entitlement AS held ON held.tenant_id = :tenant_id AND held.id = asked.id
  LEFT JOIN app_user AS person ON person.tenant_id = :tenant_id AND person.id = held.user_id
 ORDER BY asked.place;

-- name: group_assignments
-- A page of the groups that have the licence; every member of a fulfilled one holds a seat of a licence that has
-- started.
SELECT given.id, given.group_id, user_group.name AS group_name, given.active, given.redirect_to, given.metadata,
       given.created_at, given.updated_at, user_group.user_count, given.assigned, given.waiting
  FROM group_license AS given
  JOIN user_group ON user_group.tenant_id = :tenant_id AND user_group.id = given.group_id
 WHERE given.tenant_id = :tenant_id AND given.license_id = :license_id AND given.removed_at IS NULL
   AND (CAST(:group_id AS bigint) IS NULL OR given.group_id = :group_id)
   AND (CAST(:active AS boolean) IS NULL OR given.active = :active)
   AND (CAST(:fulfilled AS boolean) IS NULL
        OR (given.active AND given.assigned = user_group.user_count) = :fulfilled)
 ORDER BY CASE WHEN CAST(:descending AS boolean) THEN given.id END DESC, CASE WHEN NOT :descending THEN given.id END
OFFSET CAST(:offset AS bigint) LIMIT CAST(:limit AS bigint);

-- name: count_group_assignments
-- How many groups match.
SELECT count(*) AS matching
  FROM group_license AS given
  JOIN user_group ON user_group.tenant_id = :tenant_id AND user_group.id = given.group_id
 WHERE given.tenant_id = :tenant_id AND given.license_id = :license_id AND given.removed_at IS NULL
   AND (CAST(:group_id AS bigint) IS NULL OR given.group_id = :group_id)
   AND (CAST(:active AS boolean) IS NULL OR given.active = :active)
   AND (CAST(:fulfilled AS boolean) IS NULL
        OR (given.active AND given.assigned = user_group.user_count) = :fulfilled);
