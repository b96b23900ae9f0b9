-- Fulfilment across tenants, for operators: what groups were given, how full pools are, and whose waiting list is next.
-- Pages are windows of a key's order, see read_directory.sql.

-- name: page_of_grants
-- Licences of groups behind a place, with what goes on for each.
WITH scanned AS MATERIALIZED (
    SELECT tenant_id, id, group_id, license_id, active, hold, assigned, waiting, suspended, removed_at
      FROM group_license
     WHERE (tenant_id, id) > (CAST(:after_tenant AS bigint), CAST(:after_id AS bigint))
       AND tenant_id <= CAST(:last_tenant AS bigint)
     ORDER BY tenant_id, id
     LIMIT CAST(:window AS integer)
), matched AS (
    SELECT scanned.*, ARRAY[scanned.tenant_id, scanned.id] AS place, user_group.key AS group_key,
           user_group.name AS group_name, user_group.user_count, license.key AS license_key, license.name AS license_name, going_on.operation_id, going_on.done,
           going_on.total,
           scanned.active AND NOT scanned.hold AND scanned.assigned = user_group.user_count
           AND coalesce(license.starts_at <= now(), true) AS fulfilled
      FROM scanned
     CROSS JOIN LATERAL (SELECT key, name, user_count FROM user_group
                          WHERE user_group.tenant_id = scanned.tenant_id AND user_group.id = scanned.group_id
                          LIMIT 1) AS user_group
     CROSS JOIN LATERAL (SELECT key, name, starts_at FROM license
                          WHERE license.tenant_id = scanned.tenant_id AND license.id = scanned.license_id
                          LIMIT 1) AS license
      LEFT JOIN LATERAL (SELECT operation_id, done, total FROM continuation
                          WHERE continuation.tenant_id = scanned.tenant_id AND target_id = scanned.id
                            AND kind = ANY (CAST(:kinds AS text[]))
                          LIMIT 1) AS going_on ON true
     WHERE removed_at IS NULL
       AND (CAST(:state AS text) IS NULL
            OR (:state = 'running' AND going_on.operation_id IS NOT NULL)
            OR (:state = 'waiting' AND scanned.waiting > 0)
            OR (:state = 'fulfilled' AND scanned.active AND NOT scanned.hold
                AND scanned.assigned = user_group.user_count AND coalesce(license.starts_at <= now(), true)))
     ORDER BY scanned.tenant_id, scanned.id
     LIMIT CAST(:limit AS integer) + 1
)
SELECT frame.scanned, frame.last, tenant.key AS tenant_key, matched.*
  FROM (SELECT count(*) AS scanned, max(ARRAY[tenant_id, id]) AS last FROM scanned) AS frame
  LEFT JOIN matched ON true
  LEFT JOIN tenant ON tenant.id = matched.tenant_id
 ORDER BY matched.tenant_id, matched.id;

-- name: page_of_pools
-- Licences behind a place.
WITH scanned AS MATERIALIZED (
    SELECT ARRAY[tenant_id, id] AS place, tenant_id, id, key, name, kind, capacity, used, reserved, waiting, active, expires_at
      FROM license
     WHERE (tenant_id, id) > (CAST(:after_tenant AS bigint), CAST(:after_id AS bigint))
       AND tenant_id <= CAST(:last_tenant AS bigint)
     ORDER BY tenant_id, id
     LIMIT CAST(:window AS integer)
)
SELECT frame.scanned, frame.last, tenant.key AS tenant_key, scanned.*
  FROM (SELECT count(*) AS scanned, max(ARRAY[tenant_id, id]) AS last FROM scanned) AS frame
  LEFT JOIN scanned ON true
  LEFT JOIN tenant ON tenant.id = scanned.tenant_id
 ORDER BY scanned.tenant_id, scanned.id;

-- name: next_tenant_with_waiting
-- The first tenant from this one on that has somebody who holds no seat, or is an address alone.
SELECT tenant.id, tenant.key
  FROM (SELECT tenant_id FROM entitlement
         WHERE tenant_id >= CAST(:from_tenant AS bigint) AND (state <> 1 OR user_id IS NULL)
         ORDER BY tenant_id, license_id, id
         LIMIT 1) AS found
  JOIN tenant ON tenant.id = found.tenant_id;
