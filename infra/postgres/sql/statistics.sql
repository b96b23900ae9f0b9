-- name: analyze_outgrown
-- Analyzes the table that has grown most of those that fill four times the pages they had when Postgres last counted
-- them, and 2 MB more, which are about 20,000 rows; what this login does not own is left alone. One, because pages are
-- written down at once and statistics with the transaction: what is interrupted must not look as if it were done.
-- Nobody is waited for: neither the process that is at it, which holds 5391005, nor a migration.
DO $$
DECLARE
    outgrown regclass;
BEGIN
    PERFORM set_config('lock_timeout', '50ms', true);
    IF NOT pg_try_advisory_xact_lock(5391005) THEN
        RETURN;
    END IF;
    SELECT pg_class.oid
      INTO outgrown
      FROM pg_class
      JOIN pg_namespace ON pg_namespace.oid = relnamespace AND nspname = current_schema()
     WHERE relkind = 'r' AND pg_has_role(relowner, 'USAGE')
       AND relname IN ('app_user', 'group_member', 'group_assignment', 'entitlement', 'entitlement_source')
       AND pg_relation_size(pg_class.oid) > (4 * relpages + 256) * CAST(current_setting('block_size') AS bigint)
     ORDER BY pg_relation_size(pg_class.oid) / (relpages + 1) DESC
     LIMIT 1;
    IF FOUND THEN
        EXECUTE format('ANALYZE (SKIP_LOCKED) %s', outgrown);
    END IF;
END
$$;
