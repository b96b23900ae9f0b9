-- Group assignments: the facts a wave plans on, and the rows it leaves.

-- name: find_named
-- All that a wave names by (tenant, key), as assignments see it, in one round trip; unknown keys give no row. With it
-- come the tenants that have something which goes on in chunks.
-- A tenant's people are looked up as one list, in one walk along their index (ADR 0033); OFFSET 0 keeps that the inner
-- side.
SELECT 'person' AS kind, sent.tenant_id, person.id, person.key, active, first_name, last_name, department,
       NULL AS permission_scope, CAST(NULL AS json) AS titles
  FROM (SELECT tenant_id, array_agg(key) AS keys
          FROM unnest(CAST(:person_tenant_ids AS bigint[]), CAST(:person_keys AS text[])) AS sent (tenant_id, key)
         GROUP BY tenant_id) AS sent
 CROSS JOIN LATERAL (SELECT id, key, active, first_name, last_name, department
                       FROM app_user
                      WHERE app_user.tenant_id = sent.tenant_id AND key = ANY (sent.keys)
                     OFFSET 0) AS person
 UNION ALL
SELECT 'group', sent.tenant_id, user_group.id, sent.key, NULL, NULL, NULL, NULL, NULL, NULL
  FROM unnest(CAST(:group_tenant_ids AS bigint[]), CAST(:group_keys AS text[])) AS sent (tenant_id, key)
  JOIN user_group USING (tenant_id, key)
 UNION ALL
SELECT 'role', sent.tenant_id, role.id, sent.key, NULL, NULL, NULL, NULL, permission_scope, titles
  FROM unnest(CAST(:role_tenant_ids AS bigint[]), CAST(:role_keys AS text[])) AS sent (tenant_id, key)
  JOIN role USING (tenant_id, key)
 UNION ALL
SELECT 'running', asked.tenant_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM unnest(CAST(:running_tenant_ids AS bigint[])) AS asked (tenant_id)
 WHERE EXISTS (SELECT FROM continuation WHERE continuation.tenant_id = asked.tenant_id);

-- name: assignments_of_pairs
-- All roles of these people in these groups: enough to know whether a first role makes, or a last one ends, a member.
SELECT group_assignment.tenant_id, group_id, user_id, role_id, sources, created_at
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:group_ids AS bigint[]), CAST(:user_ids AS bigint[]))
       AS pair (tenant_id, group_id, user_id)
  JOIN group_assignment USING (tenant_id, group_id, user_id);

-- name: assignments_of_people
-- Everything these people hold, with the keys that events name.
SELECT group_assignment.tenant_id, group_id, user_id, role_id, sources, group_assignment.created_at,
       user_group.key AS group_key, role.key AS role_key
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:user_ids AS bigint[])) AS person (tenant_id, user_id)
  JOIN group_assignment USING (tenant_id, user_id)
  JOIN user_group ON user_group.tenant_id = group_assignment.tenant_id AND user_group.id = group_id
  JOIN role ON role.tenant_id = group_assignment.tenant_id AND role.id = role_id;

-- name: add_assignments
-- New rows. The holder of the tenant's lock has looked for them, so there is no conflict to look for again. `sources` is
-- empty where all have the one that stands beside it.
INSERT INTO group_assignment (tenant_id, group_id, user_id, role_id, sources, created_at)
SELECT tenant_id, group_id, user_id, role_id, coalesce(sources, :source), CAST(:created_at AS timestamptz)
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:group_ids AS bigint[]), CAST(:user_ids AS bigint[]),
              CAST(:role_ids AS bigint[]), CAST(:sources AS smallint[]))
       AS planned (tenant_id, group_id, user_id, role_id, sources);

-- name: change_assignments
-- Rows as they are now; created_at moves only where a row was removed and made again in one wave.
UPDATE group_assignment
   SET sources = planned.sources, created_at = planned.created_at
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:group_ids AS bigint[]), CAST(:user_ids AS bigint[]),
              CAST(:role_ids AS bigint[]), CAST(:sources AS smallint[]), CAST(:created_ats AS timestamptz[]))
       AS planned (tenant_id, group_id, user_id, role_id, sources, created_at)
 WHERE group_assignment.tenant_id = planned.tenant_id AND group_assignment.group_id = planned.group_id
   AND group_assignment.user_id = planned.user_id AND group_assignment.role_id = planned.role_id;

-- name: remove_assignments
-- Rows whose last source is gone.
DELETE FROM group_assignment
 USING unnest(CAST(:tenant_ids AS bigint[]), CAST(:group_ids AS bigint[]), CAST(:user_ids AS bigint[]),
              CAST(:role_ids AS bigint[])) AS gone (tenant_id, group_id, user_id, role_id)
 WHERE group_assignment.tenant_id = gone.tenant_id AND group_assignment.group_id = gone.group_id
   AND group_assignment.user_id = gone.user_id AND group_assignment.role_id = gone.role_id;

-- name: add_members
-- People who have their first role in a group.
INSERT INTO group_member (tenant_id, group_id, user_id)
SELECT tenant_id, group_id, user_id
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:group_ids AS bigint[]), CAST(:user_ids AS bigint[]))
       AS joined (tenant_id, group_id, user_id);

-- name: remove_members
-- People who have lost their last role in a group.
DELETE FROM group_member
 USING unnest(CAST(:tenant_ids AS bigint[]), CAST(:group_ids AS bigint[]), CAST(:user_ids AS bigint[]))
       AS gone (tenant_id, group_id, user_id)
 WHERE group_member.tenant_id = gone.tenant_id AND group_member.group_id = gone.group_id
   AND group_member.user_id = gone.user_id;

-- name: add_group_counts
-- Counts move by what the wave did, in the transaction that did it.
UPDATE user_group
   SET user_count = user_count + moved.users, assignment_count = assignment_count + moved.assignments
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:group_ids AS bigint[]), CAST(:users AS bigint[]),
              CAST(:assignments AS bigint[])) AS moved (tenant_id, group_id, users, assignments)
 WHERE user_group.tenant_id = moved.tenant_id AND user_group.id = moved.group_id;
