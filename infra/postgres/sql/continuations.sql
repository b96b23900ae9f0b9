-- Continuations: work on any number of members, as it stands between two chunks, and whom a chunk comes to next.

-- name: running
-- What goes on in chunks for these tenants, the oldest first; nothing for nearly every tenant at nearly every moment.
SELECT continuation.tenant_id, continuation.id, operation_id, operation_seq, continuation.kind, target_id, target_key,
       license_id, group_id, cursor, reserved, boundary, quota_boundary, continuation.done, continuation.total,
       operation.kind AS operation_kind, operation.traceparent, operation.attempts, operation.deaths_alone
  FROM continuation
  JOIN operation ON operation.tenant_id = continuation.tenant_id AND operation.id = operation_id
 WHERE continuation.tenant_id = ANY (CAST(:tenant_ids AS bigint[]))
 ORDER BY continuation.tenant_id, operation_seq, continuation.id;

-- name: work_left
-- What an operation has left to do in chunks; NULL where nothing.
SELECT CAST(sum(greatest(total - done, 1)) AS bigint) AS left
  FROM continuation
 WHERE tenant_id = :tenant_id AND operation_id = :operation_id;

-- name: unreached
-- Which of these people each continuation has yet to come to. One that gives has reached whoever stands up to its
-- cursor, or has its source already because another command came to them first; one that admits lets in whoever is
-- among the oldest that the risen quota has room for, once everybody has been given their source.
SELECT continuation.tenant_id, continuation.id AS continuation_id, person.user_id, app_user.key,
       entitlement.id AS entitlement_id,
       CASE WHEN continuation.kind = 'give' AND entitlement.id IS NULL THEN nextval('entitlement_id_seq') END AS fresh_id
  FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:user_ids AS bigint[])) AS person (tenant_id, user_id)
  JOIN continuation USING (tenant_id)
  JOIN app_user ON app_user.tenant_id = person.tenant_id AND app_user.id = person.user_id
  LEFT JOIN entitlement ON entitlement.tenant_id = person.tenant_id
                       AND entitlement.license_id = continuation.license_id
                       AND entitlement.user_id = person.user_id
 WHERE continuation.id = ANY (CAST(:ids AS bigint[]))
   AND CASE continuation.kind
       WHEN 'give' THEN
            person.user_id > continuation.cursor
            AND EXISTS (SELECT 1 FROM group_member
                         WHERE group_member.tenant_id = person.tenant_id
                           AND group_member.group_id = continuation.group_id
                           AND group_member.user_id = person.user_id)
            AND NOT EXISTS (SELECT 1 FROM entitlement_source
                             WHERE entitlement_source.tenant_id = person.tenant_id
                               AND entitlement_source.entitlement_id = entitlement.id
                               AND grant_id = target_id)
       WHEN 'withdraw' THEN entitlement.id IS NOT NULL
            AND EXISTS (SELECT 1 FROM entitlement_source
                         WHERE entitlement_source.tenant_id = person.tenant_id
                           AND entitlement_source.entitlement_id = entitlement.id
                           AND grant_id = target_id)
       WHEN 'convert' THEN entitlement.id IS NOT NULL
            AND EXISTS (SELECT 1 FROM entitlement_source
                         WHERE entitlement_source.tenant_id = person.tenant_id
                           AND entitlement_source.entitlement_id = entitlement.id
                           AND grant_id = target_id)
       WHEN 'admit' THEN
            EXISTS (SELECT 1
                      FROM entitlement_source AS source
                      JOIN group_license AS held ON held.tenant_id = source.tenant_id AND held.id = source.grant_id
                     WHERE source.tenant_id = person.tenant_id AND source.entitlement_id = entitlement.id
                       AND source.grant_id = target_id AND blocked
                       AND (quota IS NULL OR quota > in_quota)
                       AND ((source.seq, source.user_id)
                            > (SELECT seq, user_id FROM entitlement_source AS beyond
                                WHERE beyond.tenant_id = held.tenant_id AND beyond.grant_id = held.id AND blocked
                                ORDER BY seq, user_id
                               OFFSET greatest(quota - in_quota, 1) - 1
                                LIMIT CASE WHEN quota IS NULL THEN 0 ELSE 1 END)) IS NOT TRUE)
            AND NOT EXISTS (SELECT 1 FROM continuation AS giving
                             WHERE giving.tenant_id = continuation.tenant_id AND giving.kind = 'give'
                               AND giving.target_id = continuation.target_id)
       WHEN 'delete_license' THEN entitlement.id IS NOT NULL
       WHEN 'delete_group' THEN
            EXISTS (SELECT 1 FROM group_member
                     WHERE group_member.tenant_id = person.tenant_id AND group_member.group_id = target_id
                       AND group_member.user_id = person.user_id)
            OR EXISTS (SELECT 1 FROM app_user
                        WHERE app_user.tenant_id = person.tenant_id AND app_user.id = person.user_id
                          AND primary_group_id = target_id)
       WHEN 'delete_role' THEN
            EXISTS (SELECT 1 FROM group_assignment
                     WHERE group_assignment.tenant_id = person.tenant_id AND role_id = target_id
                       AND group_assignment.user_id = person.user_id)
       ELSE false END
 ORDER BY continuation.tenant_id, operation_seq, continuation.id, person.user_id;

-- name: next_members
-- The members behind the cursor, what each has of the licence, and an id for the row of who has nothing yet. People are
-- looked up as one list, in one walk along their index; what they have is probed one by one, since a join (the limit
-- inside forbids it) would read the whole licence. Where nobody behind the cursor has anything, none is looked for: the
-- probe asks for the first in order, since without statistics EXISTS was answered from an index with all rows before it.
SELECT person.id AS user_id, held.id AS entitlement_id, person.key,
       CASE WHEN held.id IS NULL THEN nextval('entitlement_id_seq') END AS fresh_id
  FROM app_user AS person
  LEFT JOIN LATERAL (SELECT id FROM entitlement
                      WHERE entitlement.tenant_id = :tenant_id AND license_id = :license_id
                        AND entitlement.user_id = person.id
                        AND (SELECT true FROM entitlement AS beyond
                              WHERE beyond.tenant_id = :tenant_id AND beyond.license_id = :license_id
                                AND beyond.user_id > :cursor
                              ORDER BY user_id LIMIT 1)
                      LIMIT 1) AS held ON true
 WHERE person.tenant_id = :tenant_id
   AND person.id = ANY (ARRAY (SELECT user_id FROM group_member
                                WHERE tenant_id = :tenant_id AND group_id = :group_id AND user_id > :cursor
                                ORDER BY user_id
                                LIMIT CAST(:rows AS integer)))
 ORDER BY person.id;

-- name: add_holders
-- Entitlements of people who had none of the licence, each with the grant as its one source. `states` is empty where all
-- are in the one state that stands beside it, which spares the driver a third of what it has to encode.
WITH holder AS (
    INSERT INTO entitlement (tenant_id, id, license_id, user_id, state, asked_seq)
    SELECT :tenant_id, id, :license_id, user_id, coalesce(state, :state), :seq
      FROM unnest(CAST(:ids AS bigint[]), CAST(:user_ids AS bigint[]), CAST(:states AS smallint[]))
           AS made (id, user_id, state)
)
INSERT INTO entitlement_source (tenant_id, entitlement_id, grant_id, user_id, blocked, seq, operation_id)
SELECT :tenant_id, id, :grant_id, user_id, coalesce(state, :state) = 3, :seq, :operation_id
  FROM unnest(CAST(:ids AS bigint[]), CAST(:user_ids AS bigint[]), CAST(:states AS smallint[]))
       AS made (id, user_id, state);

-- name: next_holders
-- Those who have the licence from this grant, in the order of their rows, behind the cursor.
SELECT user_id, entitlement_id
  FROM entitlement_source
 WHERE tenant_id = :tenant_id AND grant_id = :grant_id AND grant_id <> 0 AND entitlement_id > :cursor
 ORDER BY entitlement_id
 LIMIT CAST(:rows AS integer);

-- name: begin_continuation
-- Work that does not fit into its operation's own pass, or that other work of a running operation has brought about.
WITH grown AS (
    UPDATE operation SET total = total + :total
     WHERE tenant_id = :tenant_id AND id = :operation_id AND status = 'running'
)
INSERT INTO continuation (tenant_id, operation_id, operation_seq, kind, target_id, target_key, license_id, group_id,
                          cursor, reserved, boundary, quota_boundary, done, total)
VALUES (:tenant_id, :operation_id, :operation_seq, :kind, :target_id, :target_key, :license_id, :group_id,
        :cursor, :reserved, :boundary, :quota_boundary, :done, :total)
RETURNING id;

-- name: move_continuations
-- How far work has come. What it has done is progress of its operation; a chunk that went well lets its attempts be
-- forgotten, a command that came to some of its people says nothing about the next chunk.
WITH moved AS (
    UPDATE continuation
       SET cursor = moving.cursor, reserved = moving.reserved, boundary = moving.boundary,
           quota_boundary = moving.quota_boundary, done = continuation.done + moving.more
      FROM unnest(CAST(:tenant_ids AS bigint[]), CAST(:ids AS bigint[]), CAST(:cursors AS bigint[]),
                  CAST(:reserveds AS bigint[]), CAST(:boundaries AS bigint[]), CAST(:quota_boundaries AS bigint[]),
                  CAST(:more AS bigint[]))
           AS moving (tenant_id, id, cursor, reserved, boundary, quota_boundary, more)
     WHERE continuation.tenant_id = moving.tenant_id AND continuation.id = moving.id
    RETURNING continuation.tenant_id, operation_id, moving.more
), progress AS (
    SELECT tenant_id, operation_id, sum(more) AS more FROM moved GROUP BY tenant_id, operation_id
)
UPDATE operation
   SET done = done + progress.more, total = greatest(total, done + progress.more),
       attempts = CASE WHEN CAST(:by_chunk AS boolean) THEN 0 ELSE attempts END,
       deaths_alone = CASE WHEN CAST(:by_chunk AS boolean) THEN 0 ELSE deaths_alone END,
       failures = CASE WHEN CAST(:by_chunk AS boolean) THEN 0 ELSE failures END
  FROM progress
 WHERE operation.tenant_id = progress.tenant_id AND operation.id = progress.operation_id;

-- name: end_continuations
-- Work that is done, or that a later command has taken over.
DELETE FROM continuation WHERE tenant_id = :tenant_id AND id = ANY (CAST(:ids AS bigint[]));

-- name: supersede_operations
-- A later operation has taken over work of these; what else they have begun goes on.
UPDATE operation SET superseded_by = :superseded_by
 WHERE tenant_id = :tenant_id AND id = ANY (CAST(:operation_ids AS uuid[])) AND id <> :superseded_by;

-- name: end_operations
-- Operations whose last work is done or was taken over; their answers stand as they were given. Of what was taken over
-- only those count as done whom it had come to. An answer in columns (domain/columns.py) has no item that was refused.
UPDATE operation
   SET status = CASE WHEN EXISTS (SELECT 1 FROM json_array_elements(response -> 'items') AS item
                                   WHERE item ->> 'outcome' = 'refused')
                     THEN 'partially_succeeded' ELSE 'succeeded' END,
       done = CASE WHEN superseded_by IS NULL THEN total ELSE done END,
       finished_at = clock_timestamp()
 WHERE tenant_id = :tenant_id AND id = ANY (CAST(:operation_ids AS uuid[])) AND status = 'running'
   AND NOT EXISTS (SELECT 1 FROM continuation
                    WHERE continuation.tenant_id = :tenant_id AND continuation.operation_id = operation.id)
RETURNING id, kind, status, traceparent;

-- name: request_of
-- What an operation was asked to do.
SELECT kind, request FROM operation WHERE tenant_id = :tenant_id AND id = :operation_id;

-- name: has_entitlements
-- Whether anybody has anything of the licence.
SELECT EXISTS (SELECT 1 FROM entitlement WHERE tenant_id = :tenant_id AND license_id = :license_id) AS has_any;

-- name: needing
-- Members who need a seat that nothing has promised them yet: those without the licence, those whom quotas alone keep
-- from it, those whose grants are being withdrawn or whose groups are being deleted. An earlier fan-out that has yet to reach a member has promised.
-- Returns how many they are, and of their ids so many behind so many.
WITH member_in_need AS NOT MATERIALIZED (
    SELECT member.user_id
      FROM group_member AS member
      LEFT JOIN entitlement ON entitlement.tenant_id = :tenant_id AND license_id = :license_id
                           AND entitlement.user_id = member.user_id
     WHERE member.tenant_id = :tenant_id AND group_id = :group_id
       AND member.user_id > CAST(:after AS bigint)
       AND member.user_id <= CAST(:up_to AS bigint)
       AND (entitlement.id IS NULL
            OR NOT EXISTS (SELECT 1 FROM entitlement_source
                            WHERE entitlement_source.tenant_id = :tenant_id AND entitlement_id = entitlement.id
                              AND entitlement_source.grant_id = :grant_id)
               AND (state = 3
                    OR state IN (1, 2)
                       AND cardinality(CAST(:withdrawn AS bigint[])) + cardinality(CAST(:deleted_groups AS bigint[])) > 0
                       AND NOT EXISTS (SELECT 1 FROM entitlement_source
                                        WHERE entitlement_source.tenant_id = :tenant_id
                                          AND entitlement_id = entitlement.id AND NOT blocked
                                          AND NOT entitlement_source.grant_id = ANY (CAST(:withdrawn AS bigint[]))
                                          AND NOT EXISTS (
                                              SELECT 1 FROM group_license AS going
                                               WHERE going.tenant_id = :tenant_id
                                                 AND going.id = entitlement_source.grant_id
                                                 AND going.group_id = ANY (CAST(:deleted_groups AS bigint[]))))))
       AND NOT EXISTS (
           SELECT 1
             FROM unnest(CAST(:give_groups AS bigint[]), CAST(:give_grants AS bigint[]), CAST(:give_cursors AS bigint[]),
                         CAST(:give_quotas AS bigint[])) AS earlier (group_id, grant_id, cursor, quota_boundary)
             JOIN group_member AS promised ON promised.tenant_id = :tenant_id
                                          AND promised.group_id = earlier.group_id
                                          AND promised.user_id = member.user_id
            WHERE member.user_id > earlier.cursor
              AND (earlier.quota_boundary IS NULL OR member.user_id <= earlier.quota_boundary)
              AND NOT EXISTS (SELECT 1 FROM entitlement_source
                               WHERE entitlement_source.tenant_id = :tenant_id AND entitlement_id = entitlement.id
                                 AND entitlement_source.grant_id = earlier.grant_id))
)
SELECT (SELECT count(*) FROM (SELECT 1 FROM member_in_need LIMIT CAST(:counted AS bigint)) AS counted) AS needing,
       ARRAY (SELECT user_id FROM member_in_need ORDER BY user_id
              OFFSET CAST(:skipped AS bigint) LIMIT CAST(:most AS bigint)) AS user_ids;

-- name: count_failed_chunk
-- A chunk that raised has used one attempt of its operation, which has failed by itself; one that goes well forgets it.
UPDATE operation
   SET attempts = attempts + 1, failures = failures + 1
 WHERE tenant_id = :tenant_id AND id = :operation_id AND status = 'running'
RETURNING failures;

-- name: fail_running
-- An operation whose chunks raise again and again is failed; what it held back is free again, its members keep what
-- they have. What was left undone is remembered, for whoever redrives it.
WITH given_up AS (
    DELETE FROM continuation
     WHERE tenant_id = :tenant_id AND operation_id = :operation_id
    RETURNING id, kind, target_id, target_key, license_id, group_id, reserved, greatest(total - done, 1) AS left
), freed AS (
    UPDATE license
       SET reserved = license.reserved - held.reserved
      FROM (SELECT license_id, sum(reserved) AS reserved FROM given_up GROUP BY license_id) AS held
     WHERE tenant_id = :tenant_id AND license.id = held.license_id
)
UPDATE operation
   SET status = 'failed', error = CAST(:error AS json), error_group = :error_group, finished_at = clock_timestamp(),
       unfinished = (SELECT json_agg(json_build_object(
                                'kind', kind, 'target_id', target_id, 'target_key', target_key,
                                'license_id', license_id, 'group_id', group_id, 'left', given_up.left) ORDER BY id)
                       FROM given_up)
 WHERE tenant_id = :tenant_id AND id = :operation_id AND status = 'running'
RETURNING id, kind, status, traceparent;
