-- The log of events, out of the outbox rows that the relay publishes. A row holds at most 100 events, so one that
-- reaches beyond a sequence begins at most 99 before it: that bound is what lets the primary key find it.

-- name: page_of_events
-- The rows that hold the next :limit events after :after, with the log's head and its earliest event in the same
-- snapshot: retention cannot come between them. `before` counts the events of the rows in front.
WITH found AS (
    SELECT type, first_sequence, last_sequence, body, bytes,
           sum(last_sequence - greatest(first_sequence, CAST(:after AS bigint) + 1) + 1) OVER (ORDER BY first_sequence)
           - (last_sequence - greatest(first_sequence, CAST(:after AS bigint) + 1) + 1) AS before
      FROM outbox
     WHERE tenant_id = :tenant_id AND first_sequence > CAST(:after AS bigint) - 100 AND last_sequence > CAST(:after AS bigint)
     ORDER BY first_sequence
     LIMIT CAST(:limit AS integer)
)
SELECT event_seq AS head,
       (SELECT min(first_sequence) FROM outbox WHERE tenant_id = :tenant_id) AS earliest,
       found.*
  FROM tenant_log
  LEFT JOIN found ON before < :limit
 WHERE tenant_id = :tenant_id
 ORDER BY first_sequence;

-- name: page_of_events_by_type
-- As page_of_events, for some types: each type's own index is walked, and the walks are merged.
WITH found AS (
    SELECT one_type.*,
           sum(last_sequence - greatest(first_sequence, CAST(:after AS bigint) + 1) + 1) OVER (ORDER BY first_sequence)
           - (last_sequence - greatest(first_sequence, CAST(:after AS bigint) + 1) + 1) AS before
      FROM unnest(CAST(:types AS text[])) AS wanted (name)
     CROSS JOIN LATERAL (
           SELECT type, first_sequence, last_sequence, body, bytes
             FROM outbox
            WHERE tenant_id = :tenant_id AND type = wanted.name
              AND first_sequence > CAST(:after AS bigint) - 100 AND last_sequence > CAST(:after AS bigint)
            ORDER BY first_sequence
            LIMIT CAST(:limit AS integer)) AS one_type
     ORDER BY first_sequence
     LIMIT CAST(:limit AS integer)
)
SELECT event_seq AS head,
       (SELECT min(first_sequence) FROM outbox WHERE tenant_id = :tenant_id) AS earliest,
       found.*
  FROM tenant_log
  LEFT JOIN found ON before < :limit
 WHERE tenant_id = :tenant_id
 ORDER BY first_sequence;

-- name: heads
-- How far these tenants' logs reach: all that is asked on behalf of the streams that wait.
SELECT tenant_id, event_seq
  FROM tenant_log
 WHERE tenant_id = ANY (CAST(:tenant_ids AS bigint[]));
