-- Retention: what is old goes, in small batches.

-- name: remove_old_operations
-- Finished operations older than the cutoff; failed ones are dead letters and stay until they are dealt with.
DELETE FROM operation
 WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM operation
                            WHERE finished_at < :cutoff AND status NOT IN ('queued', 'running', 'failed')
                            LIMIT CAST(:batch AS integer))
RETURNING 1 AS removed;

-- name: remove_old_outbox
-- Published messages older than the cutoff; what is not published stays whatever its age.
DELETE FROM outbox
 WHERE (tenant_id, first_sequence) IN (SELECT tenant_id, first_sequence FROM outbox
                                        WHERE published_at < :cutoff
                                        LIMIT CAST(:batch AS integer))
RETURNING 1 AS removed;
