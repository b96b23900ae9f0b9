-- Dates of licences: when they have come, and whom they concern. The clock is the database's.

-- name: take_dates
-- Dates that have come, each taken once; what another worker is taking is left to it.
DELETE FROM due
 USING (SELECT tenant_id, license_id, kind
          FROM due
         WHERE at <= now()
         ORDER BY at
         LIMIT CAST(:most AS integer)
           FOR UPDATE SKIP LOCKED) AS come
 WHERE due.tenant_id = come.tenant_id AND due.license_id = come.license_id AND due.kind = come.kind
RETURNING due.tenant_id, due.license_id, due.kind;

-- name: holders_of_expired
-- Whoever holds a seat of those of these licences that have expired, in the order of their rows behind the cursor.
SELECT holder.user_id, holder.id AS entitlement_id
  FROM unnest(CAST(:license_ids AS bigint[])) AS known (license_id)
  JOIN license ON license.tenant_id = :tenant_id AND license.id = known.license_id AND expires_at <= now()
 CROSS JOIN LATERAL (
       SELECT user_id, id
         FROM entitlement
        WHERE entitlement.tenant_id = :tenant_id AND entitlement.license_id = known.license_id AND state = 1
          AND id > CAST(:cursor AS bigint)
        ORDER BY id
        LIMIT CAST(:rows AS integer)) AS holder
 ORDER BY known.license_id, holder.id
 LIMIT CAST(:rows AS integer);

-- name: fulfilled_grants
-- The grants by which these licences, having started, are held by every member of a group.
SELECT held.id, held.assigned, held.waiting, held.suspended, group_id, user_group.key AS group_key, user_count,
       license_id, license.key AS license_key
  FROM unnest(CAST(:license_ids AS bigint[])) AS known (license_id)
  JOIN license ON license.tenant_id = :tenant_id AND license.id = known.license_id AND starts_at <= now()
  JOIN group_license AS held USING (tenant_id, license_id)
  JOIN user_group ON user_group.tenant_id = held.tenant_id AND user_group.id = group_id
 WHERE held.active AND NOT hold AND removed_at IS NULL AND assigned = user_count
 ORDER BY held.id;
