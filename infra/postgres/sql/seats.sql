-- Entitlements, their sources, and the counts of pools and grants: what a wave stands on, and what it leaves.

-- name: reserve_entitlement_ids
-- Fresh ids, known before the rows are written because events and outcomes name them.
SELECT nextval('entitlement_id_seq') AS id FROM generate_series(1, CAST(:count AS bigint));

-- name: grants_of_groups
-- The grants of these groups, but for those that are being taken away; the groups' names come with them. One with a
-- quota is bounded while a running fan-out has promised its places, and admitting while a risen quota lets others in.
SELECT group_license.*, user_group.key AS group_key, user_group.name AS group_name, user_group.user_count,
       quota IS NOT NULL AND EXISTS (
           SELECT 1 FROM continuation
            WHERE continuation.tenant_id = group_license.tenant_id AND target_id = group_license.id
              AND continuation.kind = 'give' AND quota_boundary IS NOT NULL) AS is_bounded,
       quota IS NOT NULL AND EXISTS (
           SELECT 1 FROM continuation
            WHERE continuation.tenant_id = group_license.tenant_id AND target_id = group_license.id
              AND continuation.kind = 'admit') AS is_admitting
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:group_ids AS bigint[])) AS touched (tenant_id, group_id)
  JOIN group_license USING (tenant_id, group_id)
  JOIN user_group ON user_group.tenant_id = group_license.tenant_id AND user_group.id = group_license.group_id
 WHERE group_license.removed_at IS NULL;

-- name: grants_of_sources
-- Grants known by id, those that are being taken away too; of a group that is being deleted the key that it had.
SELECT group_license.*,
       coalesce(user_group.key, (SELECT target_key FROM continuation
                                  WHERE continuation.tenant_id = group_license.tenant_id
                                    AND continuation.kind = 'delete_group'
                                    AND target_id = group_license.group_id)) AS group_key,
       user_group.name AS group_name,
       coalesce(user_group.user_count, 0) AS user_count,
       quota IS NOT NULL AND EXISTS (
           SELECT 1 FROM continuation
            WHERE continuation.tenant_id = group_license.tenant_id AND target_id = group_license.id
              AND continuation.kind = 'give' AND quota_boundary IS NOT NULL) AS is_bounded,
       quota IS NOT NULL AND EXISTS (
           SELECT 1 FROM continuation
            WHERE continuation.tenant_id = group_license.tenant_id AND target_id = group_license.id
              AND continuation.kind = 'admit') AS is_admitting
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS known (tenant_id, id)
  JOIN group_license USING (tenant_id, id)
  LEFT JOIN user_group ON user_group.tenant_id = group_license.tenant_id AND user_group.id = group_license.group_id;

-- name: seats_in_question
-- What these people have of these licences, what others have of any, what is kept for addresses, and rows by id.
-- The lists are padded with NULLs, which match nothing.
SELECT entitlement.*
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:user_ids AS bigint[])) AS sent (tenant_id, user_id)
  JOIN entitlement USING (tenant_id, user_id)
 WHERE license_id = ANY (CAST(:license_ids AS bigint[]))
UNION ALL
SELECT entitlement.*
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:holder_ids AS bigint[])) AS sent (tenant_id, user_id)
  JOIN entitlement USING (tenant_id, user_id)
UNION ALL
SELECT entitlement.*
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:email_keys AS text[])) AS sent (tenant_id, email_key)
  JOIN entitlement USING (tenant_id, email_key)
UNION ALL
SELECT entitlement.*
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS sent (tenant_id, id)
  JOIN entitlement USING (tenant_id, id);

-- name: pools
-- Pools by id. One is bounded while a running fan-out, or a risen quota, has promised its free seats to those who come
-- first.
SELECT license.*,
       EXISTS (SELECT 1 FROM continuation
                WHERE continuation.tenant_id = license.tenant_id AND continuation.license_id = license.id
                  AND continuation.kind IN ('give', 'admit') AND boundary IS NOT NULL) AS is_bounded
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS known (tenant_id, id)
  JOIN license USING (tenant_id, id);

-- name: waiters
-- Of each licence, those who have waited for longest.
SELECT waiter.*
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:license_ids AS bigint[]), CAST(:most AS bigint[]))
       AS pool (tenant_id, license_id, most)
 CROSS JOIN LATERAL (
       SELECT * FROM entitlement
        WHERE entitlement.tenant_id = pool.tenant_id AND entitlement.license_id = pool.license_id AND state = 2
        ORDER BY asked_seq, user_id, id
        LIMIT pool.most) AS waiter;

-- name: blocked
-- Of each grant with a quota that gives one of these rows, those who have been beyond it for longest: as many as could
-- be let in where all of these rows went.
SELECT beyond.*
  FROM (SELECT entitlement_source.tenant_id, grant_id, count(*) AS most
          FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS touched (tenant_id, entitlement_id)
          JOIN entitlement_source USING (tenant_id, entitlement_id)
          JOIN group_license ON group_license.tenant_id = entitlement_source.tenant_id
                            AND group_license.id = grant_id AND quota IS NOT NULL
         GROUP BY entitlement_source.tenant_id, grant_id) AS limited
 CROSS JOIN LATERAL (
       SELECT entitlement.*, limited.grant_id, entitlement_source.seq AS source_seq
         FROM entitlement_source
         JOIN entitlement ON entitlement.tenant_id = entitlement_source.tenant_id
                         AND entitlement.id = entitlement_id
        WHERE entitlement_source.tenant_id = limited.tenant_id AND entitlement_source.grant_id = limited.grant_id
          AND blocked
        ORDER BY entitlement_source.seq, entitlement_source.user_id, entitlement_id
        LIMIT limited.most) AS beyond;

-- name: sources
-- Why these rows are there.
SELECT entitlement_source.*
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS touched (tenant_id, entitlement_id)
  JOIN entitlement_source USING (tenant_id, entitlement_id);

-- name: licenses_of_keys
-- The ids of licences by (tenant, key).
SELECT sent.tenant_id, license.id, sent.key
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:keys AS text[])) AS sent (tenant_id, key)
  JOIN license USING (tenant_id, key);

-- name: bundles
-- All bundles that can be given by code.
SELECT tenant_id, id
  FROM license
 WHERE tenant_id = ANY (CAST(:tenant_ids AS bigint[])) AND kind = 'bundle' AND code IS NOT NULL;

-- name: people_in_question
-- People by key, id, username and e-mail, as events and answers name them.
-- The lists are padded with NULLs, which match nothing.
SELECT app_user.tenant_id, id, key, active, username, first_name, last_name, email
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:keys AS text[])) AS sent (tenant_id, key)
  JOIN app_user USING (tenant_id, key)
UNION ALL
SELECT app_user.tenant_id, id, key, active, username, first_name, last_name, email
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS sent (tenant_id, id)
  JOIN app_user USING (tenant_id, id)
UNION ALL
SELECT app_user.tenant_id, id, key, active, username, first_name, last_name, email
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:username_keys AS text[])) AS sent (tenant_id, username_key)
  JOIN app_user USING (tenant_id, username_key)
UNION ALL
SELECT app_user.tenant_id, id, key, active, username, first_name, last_name, email
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:email_keys AS text[])) AS sent (tenant_id, email_key)
  JOIN app_user USING (tenant_id, email_key);

-- name: people_of_assignments
-- Whose these entitlements are; those of an address alone give no row.
SELECT entitlement.tenant_id, user_id
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS sent (tenant_id, id)
  JOIN entitlement USING (tenant_id, id)
 WHERE user_id IS NOT NULL;

-- name: people_of_seats
-- The people of these rows, as events and answers name them.
SELECT app_user.id, key, active, username, first_name, last_name, email
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS known (tenant_id, id)
  JOIN app_user USING (tenant_id, id);

-- name: end_seats
-- Rows whose last source is gone. Before the others are written: a person's next row may take the place of one of them.
DELETE FROM entitlement
 USING unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS gone (tenant_id, id)
 WHERE entitlement.tenant_id = gone.tenant_id AND entitlement.id = gone.id;

-- name: end_sources_of_seats
-- All sources of rows that are gone.
DELETE FROM entitlement_source
 USING unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[])) AS gone (tenant_id, entitlement_id)
 WHERE entitlement_source.tenant_id = gone.tenant_id AND entitlement_source.entitlement_id = gone.entitlement_id;

-- name: change_seats
-- Rows as they are now; an address whose person has appeared becomes that person's.
UPDATE entitlement
   SET user_id = planned.user_id, email = planned.email, email_key = planned.email_key, state = planned.state,
       asked_seq = planned.asked_seq, redirect_to = planned.redirect_to,
       metadata = CAST(planned.metadata AS json), updated_at = planned.updated_at
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[]), CAST(:user_ids AS bigint[]),
              CAST(:emails AS text[]), CAST(:email_keys AS text[]), CAST(:states AS smallint[]),
              CAST(:asked_seqs AS bigint[]), CAST(:redirects AS text[]), CAST(:metadatas AS text[]),
              CAST(:updated_ats AS timestamptz[]))
       AS planned (tenant_id, id, user_id, email, email_key, state, asked_seq, redirect_to, metadata, updated_at)
 WHERE entitlement.tenant_id = planned.tenant_id AND entitlement.id = planned.id;

-- name: make_seats
-- New rows, made now. A list that is empty stands for NULLs, which is what unnest makes of it.
INSERT INTO entitlement (tenant_id, id, license_id, user_id, email, email_key, state, asked_seq, redirect_to, metadata)
SELECT tenant_id, id, license_id, user_id, email, email_key, state, asked_seq, redirect_to, CAST(metadata AS json)
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[]), CAST(:license_ids AS bigint[]),
              CAST(:user_ids AS bigint[]), CAST(:emails AS text[]), CAST(:email_keys AS text[]),
              CAST(:states AS smallint[]), CAST(:asked_seqs AS bigint[]), CAST(:redirects AS text[]),
              CAST(:metadatas AS text[]))
       AS planned (tenant_id, id, license_id, user_id, email, email_key, state, asked_seq, redirect_to, metadata);

-- name: end_sources
-- Sources that are gone while their row lives on.
DELETE FROM entitlement_source
 USING unnest(CAST(:tenant_ids AS bigint[]), CAST(:entitlement_ids AS bigint[]), CAST(:grant_ids AS bigint[]))
       AS gone (tenant_id, entitlement_id, grant_id)
 WHERE entitlement_source.tenant_id = gone.tenant_id AND entitlement_source.entitlement_id = gone.entitlement_id
   AND entitlement_source.grant_id = gone.grant_id;

-- name: change_sources
-- Sources that have been let in by their quota, or that were taken and given anew.
UPDATE entitlement_source
   SET blocked = planned.blocked, seq = planned.seq, operation_id = planned.operation_id, since = planned.since
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:entitlement_ids AS bigint[]), CAST(:grant_ids AS bigint[]),
              CAST(:blocked AS boolean[]), CAST(:seqs AS bigint[]), CAST(:operation_ids AS uuid[]),
              CAST(:sinces AS timestamptz[]))
       AS planned (tenant_id, entitlement_id, grant_id, blocked, seq, operation_id, since)
 WHERE entitlement_source.tenant_id = planned.tenant_id AND entitlement_source.entitlement_id = planned.entitlement_id
   AND entitlement_source.grant_id = planned.grant_id;

-- name: make_sources
-- New sources. A list that is empty, as in make_seats, means that none is blocked, or that all are made now.
INSERT INTO entitlement_source (tenant_id, entitlement_id, grant_id, user_id, blocked, seq, operation_id, since)
SELECT tenant_id, entitlement_id, grant_id, user_id, coalesce(blocked, false), seq, operation_id,
       coalesce(since, now())
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:entitlement_ids AS bigint[]), CAST(:grant_ids AS bigint[]),
              CAST(:user_ids AS bigint[]), CAST(:blocked AS boolean[]), CAST(:seqs AS bigint[]),
              CAST(:operation_ids AS uuid[]), CAST(:sinces AS timestamptz[]))
       AS planned (tenant_id, entitlement_id, grant_id, user_id, blocked, seq, operation_id, since);

-- name: move_counts
-- Counts of pools and of grants move by what the wave did, in the transaction that did it.
WITH moved_pools AS (
    UPDATE license
       SET used = license.used + moved.used, reserved = license.reserved + moved.reserved,
           queued = license.queued + moved.queued, waiting = license.waiting + moved.waiting
      FROM unnest(CAST(:pool_tenant_ids AS bigint[]), CAST(:pool_ids AS bigint[]), CAST(:used AS bigint[]),
                  CAST(:reserved AS bigint[]), CAST(:queued AS bigint[]), CAST(:pools_waiting AS bigint[]))
           AS moved (tenant_id, id, used, reserved, queued, waiting)
     WHERE license.tenant_id = moved.tenant_id AND license.id = moved.id
)
UPDATE group_license
   SET in_quota = group_license.in_quota + moved.in_quota, assigned = group_license.assigned + moved.assigned,
       waiting = group_license.waiting + moved.waiting, suspended = group_license.suspended + moved.suspended
  FROM unnest(CAST(:grant_tenant_ids AS bigint[]), CAST(:grant_ids AS bigint[]), CAST(:in_quota AS bigint[]),
              CAST(:assigned AS bigint[]), CAST(:grants_waiting AS bigint[]), CAST(:suspended AS bigint[]))
       AS moved (tenant_id, id, in_quota, assigned, waiting, suspended)
 WHERE group_license.tenant_id = moved.tenant_id AND group_license.id = moved.id;
