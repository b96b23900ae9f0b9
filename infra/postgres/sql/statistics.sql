-- name: analyze_outgrown
-- Analyzes tables that fill four times the pages they had when Postgres last counted them, and 2 MB more, which are
-- about 20,000 rows. It leaves alone what this login may not analyze, what is locked, and everything while another
-- process is at it, which holds 5391005.
DO $$
DECLARE
    outgrown regclass;
BEGIN
    IF NOT pg_try_advisory_xact_lock(5391005) THEN
        RETURN;
    END IF;
    FOR outgrown IN
        SELECT oid
          FROM pg_class
         WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind = 'r'
           AND relname IN ('app_user', 'group_member', 'group_assignment', 'entitlement', 'entitlement_source')
           AND pg_has_role(relowner, 'USAGE')
           AND pg_relation_size(oid) > (4 * relpages + 256) * CAST(current_setting('block_size') AS bigint)
    LOOP
        EXECUTE format('ANALYZE (SKIP_LOCKED) %s', outgrown);
    END LOOP;
END
$$;
