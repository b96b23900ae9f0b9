-- Measures: what processes have counted, by slots of time, and samples of the whole that one of them takes for all.

-- name: without_waiting
-- The commit of this transaction does not wait for the disk.
SELECT set_config('synchronous_commit', 'off', true);

-- name: add_process_measure
-- What this process has counted since it last wrote, added to the present slot by the database's clock.
INSERT INTO process_measure AS slot (at, process_id, accepted, applied, events, accept_counts, apply_counts)
SELECT date_bin(CAST(:slot AS interval), now(), 'epoch'), CAST(:process_id AS uuid), CAST(:accepted AS bigint),
       CAST(:applied AS bigint), CAST(:events AS bigint), CAST(:accept_counts AS integer[]),
       CAST(:apply_counts AS integer[])
    ON CONFLICT (at, process_id) DO UPDATE
   SET accepted = slot.accepted + excluded.accepted,
       applied = slot.applied + excluded.applied,
       events = slot.events + excluded.events,
       accept_counts = ARRAY(SELECT coalesce(had, 0) + coalesce(more, 0)
                               FROM unnest(slot.accept_counts, excluded.accept_counts)
                                    WITH ORDINALITY AS added (had, more, place) ORDER BY place),
       apply_counts = ARRAY(SELECT coalesce(had, 0) + coalesce(more, 0)
                              FROM unnest(slot.apply_counts, excluded.apply_counts)
                                   WITH ORDINALITY AS added (had, more, place) ORDER BY place);

-- name: sample_is_due
-- Whether this process takes the sample of the present slot: nobody has, and nobody is about to.
SELECT pg_try_advisory_xact_lock(CAST(:lock AS bigint))
       AND NOT EXISTS (SELECT 1 FROM overview_sample
                        WHERE at >= date_bin(CAST(:slot AS interval), now(), 'epoch')) AS is_due;

-- name: add_sample
-- The sample of the present slot. Waiting seats are summed here and nowhere else, since all licences are read for it.
INSERT INTO overview_sample (at, depth, depth_is_capped, running, oldest_age_seconds, outbox_pending,
                             outbox_lag_seconds, waiting_seats, dead_letters, dead_letters_by_code, workers_alive)
SELECT date_bin(CAST(:slot AS interval), now(), 'epoch'), CAST(:depth AS bigint), CAST(:depth_is_capped AS boolean),
       CAST(:running AS bigint), CAST(:oldest_age_seconds AS double precision), CAST(:outbox_pending AS bigint),
       CAST(:outbox_lag_seconds AS double precision), (SELECT coalesce(sum(waiting), 0) FROM license),
       CAST(:dead_letters AS bigint), CAST(:dead_letters_by_code AS json), CAST(:workers_alive AS bigint)
    ON CONFLICT (at) DO NOTHING;

-- name: last_sample
-- The newest sample, and its age.
SELECT at, depth, depth_is_capped, running, oldest_age_seconds, outbox_pending, outbox_lag_seconds, waiting_seats,
       dead_letters, dead_letters_by_code, workers_alive,
       CAST(extract(epoch FROM now() - at) AS double precision) AS age_seconds
  FROM overview_sample
 ORDER BY at DESC
 LIMIT 1;

-- name: remove_old_measures
-- What is older than the cutoff, a batch at a time.
DELETE FROM process_measure
 WHERE (at, process_id) IN (SELECT at, process_id FROM process_measure
                             WHERE at < now() - CAST(:keep AS interval)
                             ORDER BY at LIMIT CAST(:batch AS integer))
RETURNING 1 AS removed;

-- name: remove_old_samples
-- As remove_old_measures, of the samples.
DELETE FROM overview_sample
 WHERE at IN (SELECT at FROM overview_sample
               WHERE at < now() - CAST(:keep AS interval)
               ORDER BY at LIMIT CAST(:batch AS integer))
RETURNING 1 AS removed;
