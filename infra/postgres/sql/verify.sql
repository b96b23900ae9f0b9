-- Verification: everything recounted from its rows, a slice at a time, in one snapshot that blocks nobody.
-- What a running continuation has not come to yet is no drift: its row says so.
-- Other tables are looked up by LATERAL … LIMIT 1, an index probe a row: the planner takes a range over two columns for a
-- large part of the table, and would hash all of app_user or entitlement anew for each slice.

-- name: tenants_to_verify
-- The tenants, or the one with this key.
SELECT id, key FROM tenant WHERE CAST(:key AS text) IS NULL OR key = CAST(:key AS text) ORDER BY id;

-- name: lead_verification
-- Whoever holds this lock does the daily recount; it belongs to the session and ends with it.
SELECT pg_try_advisory_lock(CAST(:lock AS bigint)) AS leads;

-- name: ping_verification
-- Proves that the session, and with it the lock, still stands.
SELECT 1 AS alive;

-- name: expected_rows
-- About how many rows a recount of these tenants will read, from the counts that it is about to check: enough for a
-- progress bar.
SELECT CAST(coalesce((SELECT sum(assignment_count) FROM user_group WHERE tenant_id = ANY (held.ids)), 0)
          + coalesce((SELECT sum(used + waiting) FROM license WHERE tenant_id = ANY (held.ids)), 0)
          + coalesce((SELECT sum(assigned + waiting + suspended) FROM group_license
                       WHERE tenant_id = ANY (held.ids)), 0) AS bigint) AS rows
  FROM (SELECT CAST(:tenant_ids AS bigint[]) AS ids) AS held;

-- name: stored_groups
-- A page of groups with the counts they carry.
SELECT id, key, user_count, assignment_count
  FROM user_group
 WHERE tenant_id = :tenant_id AND id > CAST(:after AS bigint)
 ORDER BY id
 LIMIT CAST(:rows AS integer);

-- name: assignment_slice_end
-- The last (group, user) of the next slice of assignments; no row where fewer are left.
SELECT group_id, user_id
  FROM group_assignment
 WHERE tenant_id = :tenant_id AND (group_id, user_id) > (CAST(:after_group AS bigint), CAST(:after_user AS bigint))
 ORDER BY group_id, user_id
OFFSET CAST(:rows AS integer) - 1
 LIMIT 1;

-- name: count_memberships
-- The assignments and members of a slice by group, and in how many pairs the two tables contradict each other.
SELECT coalesce(assigned.group_id, member.group_id) AS id,
       CAST(coalesce(sum(assigned.roles), 0) AS bigint) AS assignment_count,
       count(assigned.user_id) AS user_count,
       count(*) FILTER (WHERE member.user_id IS NULL) AS without_member,
       count(*) FILTER (WHERE assigned.user_id IS NULL) AS without_assignment
  FROM (SELECT group_id, user_id, count(*) AS roles
          FROM group_assignment
         WHERE tenant_id = :tenant_id
           AND (group_id, user_id) > (CAST(:after_group AS bigint), CAST(:after_user AS bigint))
           AND (group_id, user_id) <= (CAST(:last_group AS bigint), CAST(:last_user AS bigint))
         GROUP BY group_id, user_id) AS assigned
  FULL JOIN (SELECT group_id, user_id
               FROM group_member
              WHERE tenant_id = :tenant_id
                AND (group_id, user_id) > (CAST(:after_group AS bigint), CAST(:after_user AS bigint))
                AND (group_id, user_id) <= (CAST(:last_group AS bigint), CAST(:last_user AS bigint))) AS member
    ON member.group_id = assigned.group_id AND member.user_id = assigned.user_id
 GROUP BY 1
 ORDER BY 1;

-- name: stray_assignments
-- Assignments of a slice whose group or role does not exist, or whose person does not or is not active.
SELECT held.group_id, user_group.key AS group_key, held.user_id, held.role_id,
       CASE WHEN user_group.id IS NULL THEN 'no group' WHEN role.id IS NULL THEN 'no role'
            WHEN app_user.id IS NULL THEN 'no person' ELSE 'not active' END AS reason
  FROM group_assignment AS held
  LEFT JOIN user_group ON user_group.tenant_id = held.tenant_id AND user_group.id = held.group_id
  LEFT JOIN role ON role.tenant_id = held.tenant_id AND role.id = held.role_id
  LEFT JOIN LATERAL (SELECT id, active FROM app_user
                      WHERE tenant_id = held.tenant_id AND id = held.user_id
                      LIMIT 1) AS app_user ON true
 WHERE held.tenant_id = :tenant_id
   AND (held.group_id, held.user_id) > (CAST(:after_group AS bigint), CAST(:after_user AS bigint))
   AND (held.group_id, held.user_id) <= (CAST(:last_group AS bigint), CAST(:last_user AS bigint))
   AND (user_group.id IS NULL OR role.id IS NULL OR app_user.active IS NOT TRUE)
   AND NOT EXISTS (SELECT FROM continuation
                    WHERE continuation.tenant_id = held.tenant_id
                      AND ((kind = 'delete_group' AND target_id = held.group_id)
                           OR (kind = 'delete_role' AND target_id = held.role_id)));

-- name: members_without_source
-- Members of a slice who lack what a giving grant of their group gives; those whom its fan-out has not reached are left
-- out.
SELECT granted.id AS grant_id, granted.license_id, member.group_id, user_group.key AS group_key, member.user_id
  FROM group_member AS member
  JOIN user_group ON user_group.tenant_id = member.tenant_id AND user_group.id = member.group_id
  JOIN group_license AS granted
    ON granted.tenant_id = member.tenant_id AND granted.group_id = member.group_id
   AND granted.active AND NOT granted.hold AND granted.removed_at IS NULL
  LEFT JOIN LATERAL (SELECT id FROM entitlement
                      WHERE tenant_id = member.tenant_id AND license_id = granted.license_id
                        AND user_id = member.user_id
                      LIMIT 1) AS held ON true
  LEFT JOIN LATERAL (SELECT entitlement_id AS id FROM entitlement_source
                      WHERE tenant_id = member.tenant_id AND entitlement_id = held.id AND grant_id = granted.id
                      LIMIT 1) AS given ON true
 WHERE member.tenant_id = :tenant_id
   AND (member.group_id, member.user_id) > (CAST(:after_group AS bigint), CAST(:after_user AS bigint))
   AND (member.group_id, member.user_id) <= (CAST(:last_group AS bigint), CAST(:last_user AS bigint))
   AND given.id IS NULL
   AND NOT EXISTS (SELECT FROM continuation
                    WHERE continuation.tenant_id = member.tenant_id AND kind = 'give' AND target_id = granted.id
                      AND continuation.cursor < member.user_id);

-- name: entitlement_slice_end
-- The last entitlement of the next slice; no row where fewer are left.
SELECT id
  FROM entitlement
 WHERE tenant_id = :tenant_id AND id > CAST(:after AS bigint)
 ORDER BY id
OFFSET CAST(:rows AS integer) - 1
 LIMIT 1;

-- name: count_entitlements
-- The entitlements of a slice by licence and by what they do to its counts.
SELECT license_id AS id,
       count(*) FILTER (WHERE state = 1) AS used,
       count(*) FILTER (WHERE state = 2) AS queued,
       count(*) FILTER (WHERE state IN (2, 3, 4)) AS waiting,
       count(*) AS rows
  FROM entitlement
 WHERE tenant_id = :tenant_id AND id > CAST(:after AS bigint) AND id <= CAST(:last AS bigint)
 GROUP BY license_id;

-- name: contradicted_entitlements
-- Entitlements of a slice without a source, without their licence or person, or in a state that their sources and
-- their person do not make; a suspended one is suspended whatever else it has.
SELECT held.id, held.license_id, license.key AS license_key, held.state,
       CASE WHEN license.id IS NULL THEN 'no license'
            WHEN held.user_id IS NOT NULL AND app_user.id IS NULL THEN 'no person'
            WHEN source.sources = 0 THEN 'no source'
            WHEN held.state IN (1, 2) AND source.within_quota = 0 THEN 'beyond every quota'
            WHEN held.state = 3 AND source.within_quota > 0 THEN 'within a quota'
            WHEN held.state IN (1, 2, 3) THEN 'person not active'
            ELSE 'person active' END AS reason
  FROM entitlement AS held
  LEFT JOIN license ON license.tenant_id = held.tenant_id AND license.id = held.license_id
  LEFT JOIN LATERAL (SELECT id, active FROM app_user
                      WHERE tenant_id = held.tenant_id AND id = held.user_id
                      LIMIT 1) AS app_user ON true
 CROSS JOIN LATERAL (SELECT count(*) AS sources, count(*) FILTER (WHERE NOT blocked) AS within_quota
                       FROM entitlement_source
                      WHERE tenant_id = held.tenant_id AND entitlement_id = held.id) AS source
 WHERE held.tenant_id = :tenant_id AND held.id > CAST(:after AS bigint) AND held.id <= CAST(:last AS bigint)
   AND (license.id IS NULL
        OR (held.user_id IS NOT NULL AND app_user.id IS NULL)
        OR source.sources = 0
        OR (held.state IN (1, 2) AND source.within_quota = 0)
        OR (held.state = 3 AND source.within_quota > 0)
        OR (held.state IN (1, 2, 3) AND app_user.active IS FALSE)
        OR (held.state = 4 AND app_user.active IS NOT FALSE))
   AND NOT EXISTS (SELECT FROM continuation
                    WHERE continuation.tenant_id = held.tenant_id AND kind = 'delete_license'
                      AND target_id = held.license_id);

-- name: sources_without_entitlement
-- Sources of a slice that stand alone.
SELECT source.entitlement_id, source.grant_id
  FROM entitlement_source AS source
  LEFT JOIN LATERAL (SELECT id FROM entitlement
                      WHERE tenant_id = source.tenant_id AND id = source.entitlement_id
                      LIMIT 1) AS entitlement ON true
 WHERE source.tenant_id = :tenant_id
   AND source.entitlement_id > CAST(:after AS bigint) AND source.entitlement_id <= CAST(:last AS bigint)
   AND entitlement.id IS NULL;

-- name: stored_grants
-- A page of grants to groups with the counts they carry, whether a continuation is still at work on them, and whether
-- they stand alone. One that is removed is left out: nobody sees its counts any more.
SELECT granted.id, granted.group_id, granted.license_id, quota, in_quota, assigned, granted.waiting, suspended,
       EXISTS (SELECT FROM continuation
                WHERE continuation.tenant_id = granted.tenant_id
                  AND (target_id = granted.id OR continuation.license_id = granted.license_id)) AS is_moving,
       (license.id IS NULL OR user_group.id IS NULL)
       AND NOT EXISTS (SELECT FROM continuation
                        WHERE continuation.tenant_id = granted.tenant_id
                          AND ((kind = 'delete_group' AND target_id = granted.group_id)
                               OR (kind = 'delete_license' AND target_id = granted.license_id))) AS is_stray
  FROM group_license AS granted
  LEFT JOIN license ON license.tenant_id = granted.tenant_id AND license.id = granted.license_id
  LEFT JOIN user_group ON user_group.tenant_id = granted.tenant_id AND user_group.id = granted.group_id
 WHERE granted.tenant_id = :tenant_id AND granted.id > CAST(:after AS bigint) AND removed_at IS NULL
 ORDER BY granted.id
 LIMIT CAST(:rows AS integer);

-- name: source_slice_end
-- The last (grant, entitlement) of the next slice of what groups give; no row where fewer are left.
SELECT grant_id, entitlement_id
  FROM entitlement_source
 WHERE tenant_id = :tenant_id AND grant_id <> 0
   AND (grant_id, entitlement_id) > (CAST(:after_grant AS bigint), CAST(:after_entitlement AS bigint))
 ORDER BY grant_id, entitlement_id
OFFSET CAST(:rows AS integer) - 1
 LIMIT 1;

-- name: count_sources
-- The sources of a slice by grant and by the states of their entitlements.
SELECT source.grant_id AS id,
       count(*) FILTER (WHERE NOT blocked) AS in_quota,
       count(*) FILTER (WHERE blocked) AS blocked,
       count(*) FILTER (WHERE state = 1) AS assigned,
       count(*) FILTER (WHERE state IN (2, 3, 4)) AS waiting,
       count(*) FILTER (WHERE state = 5) AS suspended,
       count(*) AS rows
  FROM entitlement_source AS source
 CROSS JOIN LATERAL (SELECT state FROM entitlement
                      WHERE tenant_id = source.tenant_id AND id = source.entitlement_id
                      LIMIT 1) AS held
 WHERE source.tenant_id = :tenant_id AND source.grant_id <> 0
   AND (source.grant_id, source.entitlement_id)
       > (CAST(:after_grant AS bigint), CAST(:after_entitlement AS bigint))
   AND (source.grant_id, source.entitlement_id)
       <= (CAST(:last_grant AS bigint), CAST(:last_entitlement AS bigint))
 GROUP BY source.grant_id
 ORDER BY source.grant_id;

-- name: stray_sources
-- Sources of a slice whose grant does not exist, gives nothing, gives another licence, or goes to a group that the
-- person is not in. What a withdrawal or deletion has not come to yet is left out.
SELECT source.grant_id, source.entitlement_id, held.license_id, granted.group_id,
       CASE WHEN granted.id IS NULL THEN 'no grant'
            WHEN granted.license_id <> held.license_id THEN 'another license'
            WHEN member.user_id IS NULL THEN 'no member'
            ELSE 'not giving' END AS reason
  FROM entitlement_source AS source
 CROSS JOIN LATERAL (SELECT license_id, user_id FROM entitlement
                      WHERE tenant_id = source.tenant_id AND id = source.entitlement_id
                      LIMIT 1) AS held
  LEFT JOIN group_license AS granted ON granted.tenant_id = source.tenant_id AND granted.id = source.grant_id
  LEFT JOIN LATERAL (SELECT user_id FROM group_member
                      WHERE tenant_id = source.tenant_id AND group_id = granted.group_id AND user_id = held.user_id
                      LIMIT 1) AS member ON true
 WHERE source.tenant_id = :tenant_id AND source.grant_id <> 0
   AND (source.grant_id, source.entitlement_id)
       > (CAST(:after_grant AS bigint), CAST(:after_entitlement AS bigint))
   AND (source.grant_id, source.entitlement_id)
       <= (CAST(:last_grant AS bigint), CAST(:last_entitlement AS bigint))
   AND (granted.id IS NULL OR granted.license_id <> held.license_id OR member.user_id IS NULL
        OR NOT granted.active OR granted.hold OR granted.removed_at IS NOT NULL)
   AND NOT EXISTS (SELECT FROM continuation
                    WHERE continuation.tenant_id = source.tenant_id
                      AND ((kind IN ('withdraw', 'convert') AND target_id = source.grant_id)
                           OR (kind = 'delete_group' AND target_id = coalesce(granted.group_id, target_id))
                           OR (kind = 'delete_license' AND target_id = held.license_id)));

-- name: stored_licenses
-- Every licence with its counts, what its continuations hold back, and whether it gives seats now: by the clock, which is
-- later than the snapshot, so that one that has expired since then owes nobody a seat.
SELECT id, key, capacity, used, license.reserved, queued, waiting,
       active AND (expires_at IS NULL OR expires_at > clock_timestamp()) AS gives,
       coalesce(running.reserved, 0) AS held_back, running.license_id IS NOT NULL AS is_moving
  FROM license
  LEFT JOIN (SELECT license_id, CAST(sum(reserved) AS bigint) AS reserved
               FROM continuation
              WHERE tenant_id = :tenant_id AND license_id IS NOT NULL
              GROUP BY license_id) AS running ON running.license_id = license.id
 WHERE tenant_id = :tenant_id
 ORDER BY id;

-- name: missed_dates
-- Licences whose start or end is still to come and not on record, and those that have expired, are still held, and about
-- which nothing is under way.
SELECT license.id, license.key,
       CASE WHEN starts_at > clock_timestamp() AND starting.at IS DISTINCT FROM starts_at THEN 'start is not on record'
            WHEN expires_at > clock_timestamp() THEN 'end is not on record'
            ELSE 'expired and still held' END AS reason
  FROM license
  LEFT JOIN due AS starting
    ON starting.tenant_id = license.tenant_id AND starting.license_id = license.id AND starting.kind = 'start'
  LEFT JOIN due AS ending
    ON ending.tenant_id = license.tenant_id AND ending.license_id = license.id AND ending.kind = 'end'
 WHERE license.tenant_id = :tenant_id
   AND ((starts_at > clock_timestamp() AND starting.at IS DISTINCT FROM starts_at)
        OR (expires_at > clock_timestamp() AND ending.at IS DISTINCT FROM expires_at)
        OR (expires_at <= now() AND used > 0 AND ending.at IS NULL
            AND NOT EXISTS (SELECT FROM continuation
                             WHERE continuation.tenant_id = license.tenant_id
                               AND continuation.kind = 'expire' AND target_id = license.id)
            AND NOT EXISTS (SELECT FROM operation
                             WHERE operation.tenant_id = license.tenant_id
                               AND status IN ('queued', 'running') AND operation.kind = 'licenses.check')))
 ORDER BY license.id;

-- name: stored_errors
-- Every error of the tenant's dead letters with its count.
SELECT fingerprint AS id, kind, count FROM error_group WHERE tenant_id = :tenant_id ORDER BY fingerprint;

-- name: count_errors
-- The next so many dead letters, counted by their errors; `last` is where the slice ends.
SELECT error_group AS id, count(*) AS count, max(seq) AS last
  FROM (SELECT error_group, seq
          FROM operation
         WHERE tenant_id = :tenant_id AND status = 'failed' AND discarded_at IS NULL
           AND (error_group, seq) > (CAST(:after_error AS text), CAST(:after_seq AS bigint))
         ORDER BY error_group, seq
         LIMIT CAST(:rows AS integer)) AS slice
 GROUP BY error_group
 ORDER BY error_group;
