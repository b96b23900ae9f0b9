-- Repair: what a recount has found is brought to what the rows say, under the tenant's lock.
-- While a continuation runs nothing is ended here: what looks torn may be on its way.

-- name: remove_stray_assignments
-- Assignments of these groups that should not be; with the keys that events name, where they exist.
DELETE FROM group_assignment AS held
 WHERE held.tenant_id = :tenant_id AND held.group_id = ANY (CAST(:group_ids AS bigint[]))
   AND NOT EXISTS (SELECT FROM continuation WHERE continuation.tenant_id = held.tenant_id)
   AND (NOT EXISTS (SELECT FROM user_group WHERE tenant_id = held.tenant_id AND id = held.group_id)
        OR NOT EXISTS (SELECT FROM role WHERE tenant_id = held.tenant_id AND id = held.role_id)
        OR NOT EXISTS (SELECT FROM app_user WHERE tenant_id = held.tenant_id AND id = held.user_id AND active))
RETURNING held.group_id, held.user_id, held.role_id, held.sources,
          (SELECT key FROM user_group WHERE tenant_id = held.tenant_id AND id = held.group_id) AS group_key,
          (SELECT key FROM app_user WHERE tenant_id = held.tenant_id AND id = held.user_id) AS user_key,
          (SELECT key FROM role WHERE tenant_id = held.tenant_id AND id = held.role_id) AS role_key;

-- name: remove_stray_members
-- Members of these groups without any role in them.
DELETE FROM group_member AS member
 WHERE member.tenant_id = :tenant_id AND member.group_id = ANY (CAST(:group_ids AS bigint[]))
   AND NOT EXISTS (SELECT FROM group_assignment AS held
                    WHERE held.tenant_id = member.tenant_id AND held.group_id = member.group_id
                      AND held.user_id = member.user_id);

-- name: add_missing_members
-- People with a role in these groups are their members.
INSERT INTO group_member (tenant_id, group_id, user_id)
SELECT DISTINCT tenant_id, group_id, user_id
  FROM group_assignment
 WHERE tenant_id = :tenant_id AND group_id = ANY (CAST(:group_ids AS bigint[]))
    ON CONFLICT DO NOTHING;

-- name: remove_stray_sources
-- Sources of these entitlements that nothing gives: no entitlement, no giving grant of its licence, or no membership.
DELETE FROM entitlement_source AS source
 WHERE source.tenant_id = :tenant_id AND source.entitlement_id = ANY (CAST(:entitlement_ids AS bigint[]))
   AND NOT EXISTS (SELECT FROM continuation WHERE continuation.tenant_id = source.tenant_id)
   AND NOT EXISTS (
       SELECT FROM entitlement AS held
        WHERE held.tenant_id = source.tenant_id AND held.id = source.entitlement_id
          AND (source.grant_id = 0
               OR EXISTS (SELECT FROM group_license AS granted
                            JOIN group_member AS member
                              ON member.tenant_id = granted.tenant_id AND member.group_id = granted.group_id
                             AND member.user_id = held.user_id
                           WHERE granted.tenant_id = source.tenant_id AND granted.id = source.grant_id
                             AND granted.license_id = held.license_id
                             AND granted.active AND NOT granted.hold AND granted.removed_at IS NULL)))
RETURNING source.grant_id;

-- name: end_stray_entitlements
-- Those of these entitlements that have no source left, or no licence or person, go with whatever sources they have.
WITH ended AS (
    DELETE FROM entitlement AS held
     WHERE held.tenant_id = :tenant_id AND held.id = ANY (CAST(:entitlement_ids AS bigint[]))
       AND NOT EXISTS (SELECT FROM continuation WHERE continuation.tenant_id = held.tenant_id)
       AND (NOT EXISTS (SELECT FROM entitlement_source
                         WHERE tenant_id = held.tenant_id AND entitlement_id = held.id)
            OR NOT EXISTS (SELECT FROM license WHERE tenant_id = held.tenant_id AND id = held.license_id)
            OR (held.user_id IS NOT NULL
                AND NOT EXISTS (SELECT FROM app_user WHERE tenant_id = held.tenant_id AND id = held.user_id)))
    RETURNING held.id, held.license_id, held.user_id
), gone AS (
    DELETE FROM entitlement_source
     USING ended
     WHERE tenant_id = :tenant_id AND entitlement_id = ended.id
)
SELECT ended.id, ended.license_id, license.key AS license_key, ended.user_id, app_user.key AS user_key
  FROM ended
  LEFT JOIN license ON license.tenant_id = :tenant_id AND license.id = ended.license_id
  LEFT JOIN app_user ON app_user.tenant_id = :tenant_id AND app_user.id = ended.user_id
 ORDER BY ended.id;

-- name: repair_states
-- Those of these entitlements that are not what their sources and their person make of them. Nobody is given a seat
-- here: who should wait for one waits, and is promoted by the check of the licence that follows.
UPDATE entitlement AS held
   SET state = due.state, updated_at = :at
  FROM (SELECT entitlement.id,
               CASE WHEN app_user.active IS FALSE THEN 4 WHEN source.within_quota = 0 THEN 3 ELSE 2 END AS state
          FROM entitlement
          LEFT JOIN app_user ON app_user.tenant_id = entitlement.tenant_id AND app_user.id = entitlement.user_id
         CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE NOT blocked) AS within_quota
                               FROM entitlement_source
                              WHERE tenant_id = entitlement.tenant_id AND entitlement_id = entitlement.id) AS source
         WHERE entitlement.tenant_id = :tenant_id AND entitlement.id = ANY (CAST(:entitlement_ids AS bigint[]))
           AND entitlement.state <> 5) AS due
 WHERE held.tenant_id = :tenant_id AND held.id = due.id
   AND held.state <> due.state AND NOT (held.state = 1 AND due.state = 2)
RETURNING held.id, held.license_id, held.user_id,
          (SELECT key FROM license WHERE tenant_id = held.tenant_id AND id = held.license_id) AS license_key,
          (SELECT key FROM app_user WHERE tenant_id = held.tenant_id AND id = held.user_id) AS user_key,
          EXISTS (SELECT FROM entitlement_source
                   WHERE tenant_id = held.tenant_id AND entitlement_id = held.id AND grant_id = 0) AS is_direct,
          ARRAY (SELECT user_group.id
                   FROM entitlement_source AS source
                   JOIN group_license ON group_license.tenant_id = source.tenant_id
                                     AND group_license.id = source.grant_id
                   JOIN user_group ON user_group.tenant_id = source.tenant_id AND user_group.id = group_id
                  WHERE source.tenant_id = held.tenant_id AND source.entitlement_id = held.id
                  ORDER BY user_group.id) AS group_ids,
          ARRAY (SELECT user_group.key
                   FROM entitlement_source AS source
                   JOIN group_license ON group_license.tenant_id = source.tenant_id
                                     AND group_license.id = source.grant_id
                   JOIN user_group ON user_group.tenant_id = source.tenant_id AND user_group.id = group_id
                  WHERE source.tenant_id = held.tenant_id AND source.entitlement_id = held.id
                  ORDER BY user_group.id) AS group_keys;

-- name: remove_stray_grants
-- Grants among these whose group or licence does not exist.
DELETE FROM group_license AS granted
 WHERE granted.tenant_id = :tenant_id AND granted.id = ANY (CAST(:grant_ids AS bigint[]))
   AND NOT EXISTS (SELECT FROM continuation WHERE continuation.tenant_id = granted.tenant_id)
   AND (NOT EXISTS (SELECT FROM user_group WHERE tenant_id = granted.tenant_id AND id = granted.group_id)
        OR NOT EXISTS (SELECT FROM license WHERE tenant_id = granted.tenant_id AND id = granted.license_id));

-- name: recount_groups
-- Those of these groups whose counts are not what their rows say, with what they are now.
UPDATE user_group
   SET user_count = counted.users, assignment_count = counted.assignments
  FROM (SELECT id,
               (SELECT count(*) FROM group_member
                 WHERE tenant_id = :tenant_id AND group_id = named.id) AS users,
               (SELECT count(*) FROM group_assignment
                 WHERE tenant_id = :tenant_id AND group_id = named.id) AS assignments
          FROM unnest(CAST(:group_ids AS bigint[])) AS named (id)) AS counted
 WHERE user_group.tenant_id = :tenant_id AND user_group.id = counted.id
   AND (user_count, assignment_count) IS DISTINCT FROM (counted.users, counted.assignments)
RETURNING user_group.id, user_group.key;

-- name: recount_grants
-- Those of these grants whose counts are not what their rows say, with what events tell of them.
UPDATE group_license AS granted
   SET in_quota = counted.in_quota, assigned = counted.assigned, waiting = counted.waiting,
       suspended = counted.suspended
  FROM (SELECT named.id,
               count(*) FILTER (WHERE NOT source.blocked) AS in_quota,
               count(*) FILTER (WHERE held.state = 1) AS assigned,
               count(*) FILTER (WHERE held.state IN (2, 3, 4)) AS waiting,
               count(*) FILTER (WHERE held.state = 5) AS suspended
          FROM unnest(CAST(:grant_ids AS bigint[])) AS named (id)
          LEFT JOIN entitlement_source AS source ON source.tenant_id = :tenant_id AND source.grant_id = named.id
          LEFT JOIN entitlement AS held ON held.tenant_id = :tenant_id AND held.id = source.entitlement_id
         GROUP BY named.id) AS counted, license, user_group
 WHERE granted.tenant_id = :tenant_id AND granted.id = counted.id AND granted.removed_at IS NULL
   AND license.tenant_id = granted.tenant_id AND license.id = granted.license_id
   AND user_group.tenant_id = granted.tenant_id AND user_group.id = granted.group_id
   AND (granted.in_quota, granted.assigned, granted.waiting, granted.suspended)
       IS DISTINCT FROM (counted.in_quota, counted.assigned, counted.waiting, counted.suspended)
RETURNING granted.id, granted.license_id, license.key AS license_key, granted.group_id, user_group.key AS group_key,
          user_group.user_count, granted.assigned, granted.waiting, granted.suspended, granted.active,
          NOT granted.hold AND (license.starts_at IS NULL OR license.starts_at <= :at) AS ready;

-- name: recount_licenses
-- Those of these licences whose counts are not what their rows say, with what they were and are. One that would then
-- have given more seats than it has is left as it is: no count can mend that.
UPDATE license
   SET used = counted.used, queued = counted.queued, waiting = counted.waiting, reserved = counted.reserved
  FROM (SELECT stored.id, stored.used AS used_before, stored.reserved AS reserved_before,
               stored.queued AS queued_before, stored.waiting AS waiting_before,
               count(*) FILTER (WHERE held.state = 1) AS used,
               count(*) FILTER (WHERE held.state = 2) AS queued,
               count(*) FILTER (WHERE held.state IN (2, 3, 4)) AS waiting,
               coalesce((SELECT CAST(sum(continuation.reserved) AS bigint) FROM continuation
                          WHERE continuation.tenant_id = :tenant_id AND continuation.license_id = stored.id), 0)
                   AS reserved
          FROM license AS stored
          LEFT JOIN entitlement AS held ON held.tenant_id = stored.tenant_id AND held.license_id = stored.id
         WHERE stored.tenant_id = :tenant_id AND stored.id = ANY (CAST(:license_ids AS bigint[]))
         GROUP BY stored.tenant_id, stored.id) AS counted
 WHERE license.tenant_id = :tenant_id AND license.id = counted.id
   AND (license.used, license.queued, license.waiting, license.reserved)
       IS DISTINCT FROM (counted.used, counted.queued, counted.waiting, counted.reserved)
   AND (license.capacity IS NULL OR counted.used + counted.reserved <= license.capacity)
RETURNING license.id, license.key, license.active, license.capacity, license.used, license.reserved, license.queued,
          license.waiting, counted.used_before, counted.reserved_before, counted.queued_before,
          counted.waiting_before,
          license.active AND (license.expires_at IS NULL OR license.expires_at > now()) AS gives;

-- name: restore_dates
-- The dates of these licences that are still to come are on record again.
INSERT INTO due (tenant_id, license_id, kind, at)
SELECT tenant_id, id, dated.kind, dated.at
  FROM license
 CROSS JOIN LATERAL (VALUES ('start', starts_at), ('end', expires_at)) AS dated (kind, at)
 WHERE tenant_id = :tenant_id AND id = ANY (CAST(:license_ids AS bigint[])) AND dated.at > now()
    ON CONFLICT (tenant_id, license_id, kind) DO UPDATE SET at = EXCLUDED.at;

-- name: recount_errors
-- These errors count the dead letters that have them.
INSERT INTO error_group (tenant_id, fingerprint, kind, code, message, count, first_seen, last_seen)
SELECT tenant_id, error_group, min(kind), min(error ->> 'code'),
       left(split_part(coalesce(min(error ->> 'message'), ''), chr(10), 1), 300), count(*), min(finished_at),
       max(finished_at)
  FROM operation
 WHERE tenant_id = :tenant_id AND status = 'failed' AND discarded_at IS NULL
   AND error_group = ANY (CAST(:fingerprints AS text[]))
 GROUP BY tenant_id, error_group
    ON CONFLICT (tenant_id, fingerprint) DO UPDATE SET count = excluded.count
RETURNING fingerprint;

-- name: remove_empty_errors
-- Those of these errors that no dead letter has.
DELETE FROM error_group
 WHERE tenant_id = :tenant_id AND fingerprint = ANY (CAST(:fingerprints AS text[]))
   AND NOT EXISTS (SELECT FROM operation
                    WHERE operation.tenant_id = error_group.tenant_id AND status = 'failed'
                      AND discarded_at IS NULL AND operation.error_group = error_group.fingerprint);
