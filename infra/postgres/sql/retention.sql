-- Retention: what is old goes, in small batches. What is old is a matter of the database's clock, which set the dates:
-- a worker whose own clock is ahead must not remove what is fresh.

-- name: remove_old_operations
-- Operations that finished longer ago than they are kept; dead letters stay until they are dealt with, and one that was
-- discarded stays as long again.
DELETE FROM operation
 WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM operation
                            WHERE finished_at < now() - CAST(:keep AS interval)
                              AND (status NOT IN ('queued', 'running', 'failed')
                                   OR discarded_at < now() - CAST(:keep AS interval))
                            LIMIT CAST(:batch AS integer))
RETURNING 1 AS removed;

-- name: remove_old_outbox
-- Messages published longer ago than they are kept, of every tenant a prefix of its log: a hole would look like lost events.
-- What is not published stays whatever its age, and so does what comes after it.
DELETE FROM outbox
 USING (SELECT tenant_log.tenant_id, front.first_sequence
          FROM tenant_log
         CROSS JOIN LATERAL (
               SELECT published_at FROM outbox
                WHERE outbox.tenant_id = tenant_log.tenant_id
                ORDER BY first_sequence
                LIMIT 1) AS oldest
         CROSS JOIN LATERAL (
               SELECT first_sequence,
                      bool_and(coalesce(published_at < now() - CAST(:keep AS interval), false)) OVER (ORDER BY first_sequence) AS is_old
                 FROM (SELECT first_sequence, published_at FROM outbox
                        WHERE outbox.tenant_id = tenant_log.tenant_id
                        ORDER BY first_sequence
                        LIMIT CAST(:batch AS integer)) AS first_rows) AS front
         WHERE oldest.published_at < now() - CAST(:keep AS interval) AND front.is_old
         LIMIT CAST(:batch AS integer)) AS old
 WHERE outbox.tenant_id = old.tenant_id AND outbox.first_sequence = old.first_sequence
RETURNING 1 AS removed;
