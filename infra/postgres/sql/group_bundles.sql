-- Bundles of groups, quotas, and what reprocessing a group finds.

-- name: group_of_key
-- A group as grants need it, and the account dialect's flag.
SELECT id, key, name, user_count, use_external_license
  FROM user_group
 WHERE tenant_id = :tenant_id AND key = :key;

-- name: set_external_license
-- The flag, stored and echoed.
UPDATE user_group
   SET use_external_license = :use_external_license, updated_at = :at
 WHERE tenant_id = :tenant_id AND id = :id;

-- name: members_at
-- The members at these places of a group, counted from 1 in the order of their ids.
SELECT place,
       (SELECT user_id FROM group_member
         WHERE tenant_id = :tenant_id AND group_id = :group_id
         ORDER BY user_id
        OFFSET place - 1
         LIMIT 1) AS user_id
  FROM unnest(CAST(:places AS bigint[])) AS asked (place);

-- name: next_admitted
-- Those beyond a grant's quota who are let in next, as far as it has room: who has been beyond it for longest is first.
SELECT beyond.user_id, beyond.entitlement_id
  FROM group_license AS held
 CROSS JOIN LATERAL (
       SELECT seq, user_id, entitlement_id
         FROM entitlement_source AS source
        WHERE source.tenant_id = held.tenant_id AND source.grant_id = held.id AND blocked
        ORDER BY seq, user_id, entitlement_id
        LIMIT CASE WHEN quota IS NULL THEN CAST(:rows AS bigint)
                   ELSE least(CAST(:rows AS bigint), greatest(quota - in_quota, 0)) END) AS beyond
 WHERE held.tenant_id = :tenant_id AND held.id = :grant_id
 ORDER BY seq, beyond.user_id, beyond.entitlement_id;

-- name: count_needing_admitted
-- How many of those whom a grant's quota has room for have no seat and no place in the waiting list yet.
SELECT count(*) AS needing
  FROM group_license AS held
 CROSS JOIN LATERAL (
       SELECT entitlement_id
         FROM entitlement_source AS source
        WHERE source.tenant_id = held.tenant_id AND source.grant_id = held.id AND blocked
        ORDER BY seq, user_id, entitlement_id
        LIMIT CASE WHEN quota IS NOT NULL THEN greatest(quota - in_quota, 0) END) AS beyond
  JOIN entitlement ON entitlement.tenant_id = held.tenant_id AND entitlement.id = beyond.entitlement_id AND state = 3
 WHERE held.tenant_id = :tenant_id AND held.id = :grant_id;

-- name: next_beyond
-- Who is next behind the quota of a grant whose fan-out still runs: those who were beyond it before, then members whom
-- it reaches beyond its boundary or has yet to reach, then those who joined later.
SELECT seq, user_id, entitlement_id
  FROM ((SELECT seq, user_id, entitlement_id
           FROM entitlement_source
          WHERE tenant_id = :tenant_id AND grant_id = :grant_id AND blocked AND seq < :seq
          ORDER BY seq, user_id
          LIMIT CAST(:rows AS bigint))
        UNION ALL
        (SELECT CAST(:seq AS bigint), member.user_id, source.entitlement_id
           FROM group_member AS member
           LEFT JOIN entitlement ON entitlement.tenant_id = :tenant_id AND entitlement.license_id = :license_id
                                AND entitlement.user_id = member.user_id
           LEFT JOIN entitlement_source AS source ON source.tenant_id = :tenant_id AND source.grant_id = :grant_id
                                                 AND source.entitlement_id = entitlement.id
          WHERE member.tenant_id = :tenant_id AND member.group_id = :group_id
            AND member.user_id > CAST(:quota_boundary AS bigint)
            AND (source.entitlement_id IS NULL AND member.user_id > CAST(:cursor AS bigint)
                 OR source.blocked AND source.seq = :seq)
          ORDER BY member.user_id
          LIMIT CAST(:rows AS bigint))
        UNION ALL
        (SELECT seq, user_id, entitlement_id
           FROM entitlement_source
          WHERE tenant_id = :tenant_id AND grant_id = :grant_id AND blocked AND seq > :seq
          ORDER BY seq, user_id
          LIMIT CAST(:rows AS bigint))) AS beyond
 ORDER BY seq, user_id
 LIMIT CAST(:rows AS bigint);

-- name: grants_to_reprocess
-- A group's grants at which no work is running, each with how many members lack what it gives, who is the first of
-- them and who the last that its quota has room for (NULL: all), and how many have it who should not. The LIMITs keep
-- the two probes of each member what they are: as a join, on tables without statistics yet, they were quadratic.
SELECT held.id, held.license_id, lacking.members AS lacking, lacking.first, lacking.last, stray.sources AS stray
  FROM group_license AS held
 CROSS JOIN LATERAL (
       SELECT count(*) AS members, min(user_id) AS first,
              CASE WHEN count(*) > quota - in_quota
                   THEN coalesce(max(user_id) FILTER (WHERE place <= quota - in_quota), 0) END AS last
         FROM (SELECT member.user_id, row_number() OVER (ORDER BY member.user_id) AS place
                 FROM group_member AS member
                 LEFT JOIN LATERAL (
                      SELECT id FROM entitlement
                       WHERE entitlement.tenant_id = held.tenant_id AND entitlement.license_id = held.license_id
                         AND entitlement.user_id = member.user_id
                       LIMIT 1) AS own ON true
                 LEFT JOIN LATERAL (
                      SELECT grant_id FROM entitlement_source AS source
                       WHERE source.tenant_id = held.tenant_id AND source.entitlement_id = own.id
                         AND source.grant_id = held.id
                       LIMIT 1) AS given ON true
                WHERE member.tenant_id = held.tenant_id AND member.group_id = held.group_id
                  AND held.active AND NOT held.hold AND given.grant_id IS NULL) AS without
       ) AS lacking
 CROSS JOIN LATERAL (
       SELECT count(*) AS sources
         FROM entitlement_source AS source
         JOIN entitlement ON entitlement.tenant_id = source.tenant_id AND entitlement.id = source.entitlement_id
        WHERE source.tenant_id = held.tenant_id AND source.grant_id = held.id
          AND (NOT held.active OR held.hold
               OR NOT EXISTS (SELECT 1 FROM group_member AS member
                               WHERE member.tenant_id = held.tenant_id AND member.group_id = held.group_id
                                 AND member.user_id = entitlement.user_id))) AS stray
 WHERE held.tenant_id = :tenant_id AND held.group_id = :group_id AND held.removed_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM continuation
                    WHERE continuation.tenant_id = held.tenant_id AND target_id = held.id
                      AND continuation.group_id = held.group_id)
 ORDER BY held.id;

-- name: next_stray
-- Those who have the licence from this grant without being members of its group, behind the cursor; of a grant that
-- does not give, everybody.
SELECT entitlement.user_id, entitlement.id AS entitlement_id
  FROM group_license AS held
  JOIN entitlement_source AS source ON source.tenant_id = held.tenant_id AND source.grant_id = held.id
  JOIN entitlement ON entitlement.tenant_id = held.tenant_id AND entitlement.id = source.entitlement_id
 WHERE held.tenant_id = :tenant_id AND held.id = :grant_id AND source.entitlement_id > CAST(:cursor AS bigint)
   AND (NOT held.active OR held.hold
        OR NOT EXISTS (SELECT 1 FROM group_member AS member
                        WHERE member.tenant_id = held.tenant_id AND member.group_id = held.group_id
                          AND member.user_id = entitlement.user_id))
 ORDER BY source.entitlement_id
 LIMIT CAST(:rows AS integer);
