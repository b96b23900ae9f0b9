-- Entitlements as the native API reads them: a walk of at most :window rows along an index finds which (`scanned` and
-- `last` tell where it stopped, see read_directory.sql), in the order of licences and ids; then those found are shown.

-- name: ids_of_filter
-- The ids behind the keys of a filter, null where there is none.
SELECT (SELECT id FROM app_user WHERE tenant_id = :tenant_id AND key = CAST(:user AS text)) AS user_id,
       (SELECT id FROM license WHERE tenant_id = :tenant_id AND key = CAST(:license AS text)) AS license_id,
       (SELECT id FROM user_group WHERE tenant_id = :tenant_id AND key = CAST(:group AS text)) AS group_id;

-- name: entitlements_of_licenses
-- All of the licences up to :last_license, in whatever state.
WITH scanned AS MATERIALIZED (
    SELECT license_id, id, state
      FROM entitlement
     WHERE tenant_id = :tenant_id
       AND (license_id, id) > (CAST(:after_license AS bigint), CAST(:after_id AS bigint))
       AND license_id <= CAST(:last_license AS bigint)
     ORDER BY license_id, id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT id, ARRAY[license_id, id] AS place
      FROM scanned
     WHERE state = ANY (CAST(:states AS smallint[]))
     ORDER BY license_id, id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, max(ARRAY[license_id, id]) AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY place;

-- name: entitlements_not_active
-- As entitlements_of_licenses, along the partial index that leaves out whoever is active and known: who waits or is
-- suspended is found past them at once.
WITH scanned AS MATERIALIZED (
    SELECT license_id, id, state
      FROM entitlement
     WHERE tenant_id = :tenant_id
       AND (state <> 1 OR user_id IS NULL)
       AND (license_id, id) > (CAST(:after_license AS bigint), CAST(:after_id AS bigint))
       AND license_id <= CAST(:last_license AS bigint)
     ORDER BY license_id, id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT id, ARRAY[license_id, id] AS place
      FROM scanned
     WHERE state = ANY (CAST(:states AS smallint[]))
     ORDER BY license_id, id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, max(ARRAY[license_id, id]) AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY place;

-- name: entitlements_of_person
-- One person's, at most one of each licence; of those that a group gives where :group_id is given.
WITH scanned AS MATERIALIZED (
    SELECT license_id, id, state
      FROM entitlement
     WHERE tenant_id = :tenant_id AND user_id = CAST(:user_id AS bigint)
       AND license_id >= CAST(:after_license AS bigint) AND license_id <= CAST(:last_license AS bigint)
       AND (license_id, id) > (CAST(:after_license AS bigint), CAST(:after_id AS bigint))
     ORDER BY license_id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT id, ARRAY[license_id, id] AS place
      FROM scanned
     WHERE state = ANY (CAST(:states AS smallint[]))
       AND (CAST(:group_id AS bigint) IS NULL
            OR EXISTS (SELECT 1
                         FROM group_license
                         JOIN entitlement_source ON entitlement_source.tenant_id = :tenant_id
                              AND entitlement_id = scanned.id AND grant_id = group_license.id
                        WHERE group_license.tenant_id = :tenant_id AND group_id = :group_id
                          AND group_license.license_id = scanned.license_id AND removed_at IS NULL))
     ORDER BY license_id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, max(ARRAY[license_id, id]) AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY place;

-- name: entitlements_of_address
-- As entitlements_of_person, for an e-mail address whose person is not known.
WITH scanned AS MATERIALIZED (
    SELECT id, ARRAY[license_id, id] AS place
      FROM entitlement
     WHERE tenant_id = :tenant_id AND email_key = CAST(:email_key AS text)
       AND (license_id, id) > (CAST(:after_license AS bigint), CAST(:after_id AS bigint))
     ORDER BY license_id, id
     LIMIT CAST(:window AS integer)
)
SELECT frame.scanned, frame.last, scanned.*
  FROM (SELECT count(*) AS scanned, max(place) AS last FROM scanned) AS frame
  LEFT JOIN scanned ON true
 ORDER BY place;

-- name: entitlements_of_group
-- What a group gives, grant after grant along the sources. The recursion goes on to the next grant only while the window
-- is not full: a join and a sort would read a window of every grant.
WITH RECURSIVE granted AS MATERIALIZED (
    SELECT id AS grant_id, license_id, row_number() OVER (ORDER BY license_id) AS place
      FROM group_license
     WHERE tenant_id = :tenant_id AND group_id = CAST(:group_id AS bigint) AND removed_at IS NULL
       AND license_id >= CAST(:after_license AS bigint) AND license_id <= CAST(:last_license AS bigint)
), walked AS (
    SELECT CAST(0 AS bigint) AS place, CAST(0 AS bigint) AS license_id, CAST('{}' AS bigint[]) AS ids, 0 AS total
     UNION ALL
    SELECT granted.place, granted.license_id, given.ids, walked.total + cardinality(given.ids)
      FROM walked
      JOIN granted ON granted.place = walked.place + 1
     CROSS JOIN LATERAL (
            SELECT ARRAY(SELECT entitlement_id
                           FROM entitlement_source
                          WHERE tenant_id = :tenant_id AND entitlement_source.grant_id = granted.grant_id
                            AND entitlement_source.grant_id <> 0
                            AND entitlement_id > CASE WHEN granted.license_id = CAST(:after_license AS bigint)
                                                      THEN CAST(:after_id AS bigint) ELSE 0 END
                          ORDER BY entitlement_id
                          LIMIT CAST(:window AS integer) - walked.total) AS ids) AS given
     WHERE walked.total < CAST(:window AS integer)
), scanned AS MATERIALIZED (
    SELECT license_id, unnest(ids) AS id FROM walked
), matched AS (
    SELECT scanned.id, ARRAY[scanned.license_id, scanned.id] AS place
      FROM scanned
     CROSS JOIN LATERAL (SELECT state FROM entitlement
                          WHERE entitlement.tenant_id = :tenant_id AND entitlement.id = scanned.id
                          LIMIT 1) AS held
     WHERE state = ANY (CAST(:states AS smallint[]))
     ORDER BY scanned.license_id, scanned.id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, matched.*
  FROM (SELECT count(*) AS scanned, max(ARRAY[license_id, id]) AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
 ORDER BY place;

-- name: entitlements_shown
-- These entitlements with their sources and, for who waits for a seat, the place in the licence's waiting list. Places
-- are counted along the queue's index up to the last one asked for, at most :counted rows in all; who stands behind those
-- is told how many. A group that is being deleted has its key from what deletes it.
WITH shown AS MATERIALIZED (
    SELECT asked.place, entitlement.id, license_id, user_id, email, state, asked_seq, created_at
      FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS asked (id, place)
     CROSS JOIN LATERAL (SELECT * FROM entitlement
                          WHERE entitlement.tenant_id = :tenant_id AND entitlement.id = asked.id
                          LIMIT 1) AS entitlement
), queue AS MATERIALIZED (
    -- Who has no user id comes last among those of one operation, hence everything before the next operation.
    SELECT license_id,
           CASE WHEN last[2] = 9223372036854775807 THEN last[1] + 1 ELSE last[1] END AS last_seq,
           CASE WHEN last[2] = 9223372036854775807 THEN 0 ELSE last[2] END AS last_user,
           CAST(:counted AS integer) / count(*) OVER () AS counted
      FROM (SELECT license_id, max(ARRAY[asked_seq, coalesce(user_id, 9223372036854775807)]) AS last
              FROM shown
             WHERE state = 2
             GROUP BY license_id) AS asked
), counted AS MATERIALIZED (
    SELECT ahead.id, ahead.position
      FROM queue
     CROSS JOIN LATERAL (
            SELECT id, row_number() OVER (ORDER BY asked_seq, user_id, id) AS position
              FROM (SELECT id, asked_seq, user_id
                      FROM entitlement
                     WHERE tenant_id = :tenant_id AND license_id = queue.license_id AND state = 2
                       AND (asked_seq, user_id) <= (queue.last_seq, queue.last_user)
                     ORDER BY asked_seq, user_id, id
                     LIMIT queue.counted) AS waiting) AS ahead
)
SELECT shown.id, license.id AS license_id, license.key AS license_key, app_user.id AS user_id,
       app_user.key AS user_key, shown.email, shown.state, counted.position,
       CASE WHEN shown.state = 2 AND counted.position IS NULL THEN queue.counted END AS position_beyond,
       shown.created_at, license.expires_at,
       license.active AND (license.expires_at IS NULL OR license.expires_at > now()) AS gives,
       source.grant_ids, source.group_ids, source.group_keys, source.since, source.operation_ids
  FROM shown
  JOIN license ON license.tenant_id = :tenant_id AND license.id = shown.license_id
  LEFT JOIN app_user ON app_user.tenant_id = :tenant_id AND app_user.id = shown.user_id
  LEFT JOIN counted ON counted.id = shown.id
  LEFT JOIN queue ON queue.license_id = shown.license_id
 CROSS JOIN LATERAL (
        SELECT array_agg(grant_id ORDER BY grant_id) AS grant_ids,
               array_agg(group_license.group_id ORDER BY grant_id) AS group_ids,
               array_agg(coalesce(user_group.key, target_key) ORDER BY grant_id) AS group_keys,
               array_agg(since ORDER BY grant_id) AS since,
               array_agg(entitlement_source.operation_id ORDER BY grant_id) AS operation_ids
          FROM entitlement_source
          LEFT JOIN group_license ON group_license.tenant_id = :tenant_id AND group_license.id = grant_id
          LEFT JOIN user_group ON user_group.tenant_id = :tenant_id AND user_group.id = group_license.group_id
          LEFT JOIN continuation ON continuation.tenant_id = :tenant_id AND target_id = group_license.group_id
                                AND kind = 'delete_group'
         WHERE entitlement_source.tenant_id = :tenant_id AND entitlement_id = shown.id) AS source
 ORDER BY shown.place;
