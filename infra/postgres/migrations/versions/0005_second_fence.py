"""The second fence: row-level security for whoever is not the owner, and search behind it.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# What tenants' reads touch. The owner, whom workers and administration are, is not bound by policies.
TABLES = (
    "app_user",
    "continuation",
    "entitlement",
    "entitlement_source",
    "group_assignment",
    "group_license",
    "group_member",
    "license",
    "operation",
    "outbox",
    "role",
    "tenant_log",
    "user_group",
)
# LIKE is not leakproof, so that under a policy no trigram index serves it: these two search as their owner, for the
# tenant that is asked for, which must be the one that the transaction names. Planned for its values, a CASE is either
# its column, whose index can be walked, or a constant, which orders nothing.
SEARCH = """
CREATE FUNCTION search_members(asked_tenant bigint, asked_group bigint, pattern text, asked_roles bigint[],
                               first_order text, second_order text, skipped bigint, most bigint)
RETURNS TABLE (user_id bigint, role_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_custom_plan
AS $search$
#variable_conflict use_column
BEGIN
    PERFORM require_tenant(asked_tenant);
    RETURN QUERY
    SELECT person.id, held.role_id
      FROM app_user AS person
      JOIN group_assignment AS held
        ON held.tenant_id = asked_tenant AND held.group_id = asked_group AND held.user_id = person.id
     WHERE person.tenant_id = asked_tenant
       AND (asked_roles IS NULL OR held.role_id = ANY (asked_roles))
       AND person.search_text LIKE lower(pattern)
     ORDER BY CASE WHEN first_order = 'first_name_asc' THEN person.first_name END,
              CASE WHEN first_order = 'first_name_desc' THEN person.first_name END DESC,
              CASE WHEN first_order = 'last_name_asc' THEN person.last_name END,
              CASE WHEN first_order = 'last_name_desc' THEN person.last_name END DESC,
              CASE WHEN second_order = 'first_name_asc' THEN person.first_name END,
              CASE WHEN second_order = 'first_name_desc' THEN person.first_name END DESC,
              CASE WHEN second_order = 'last_name_asc' THEN person.last_name END,
              CASE WHEN second_order = 'last_name_desc' THEN person.last_name END DESC,
              CASE WHEN first_order IS NULL THEN held.created_at END,
              person.id, held.role_id
    OFFSET skipped LIMIT most;
END
$search$
"""
COUNT = """
CREATE FUNCTION count_members_found(asked_tenant bigint, asked_group bigint, pattern text, asked_roles bigint[])
RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_custom_plan
AS $count$
BEGIN
    PERFORM require_tenant(asked_tenant);
    RETURN (
    SELECT count(*)
      FROM app_user AS person
      JOIN group_assignment AS held
        ON held.tenant_id = asked_tenant AND held.group_id = asked_group AND held.user_id = person.id
     WHERE person.tenant_id = asked_tenant
       AND (asked_roles IS NULL OR held.role_id = ANY (asked_roles))
       AND person.search_text LIKE lower(pattern)
    );
END
$count$
"""
# Whoever acts as another role than the login's own has named a tenant; a login that sees everything need not.
REQUIRE = """
CREATE FUNCTION require_tenant(asked_tenant bigint)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $require$
BEGIN
    IF current_setting('role') <> 'none'
       AND current_setting('seatline.tenant_id', true) IS DISTINCT FROM CAST(asked_tenant AS text) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the search is for another tenant than the transaction';
    END IF;
END
$require$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    for table in TABLES:
        op.execute("ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY")
        op.execute(
            "CREATE POLICY named_tenant ON " + table + " FOR SELECT"
            " USING (tenant_id = CAST(current_setting('seatline.tenant_id') AS bigint))"
        )
    for function in (REQUIRE, SEARCH, COUNT):
        op.execute(function)
    op.execute("REVOKE EXECUTE ON FUNCTION search_members, count_members_found FROM PUBLIC")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    op.execute("DROP FUNCTION search_members, count_members_found, require_tenant")
    op.execute("DROP POLICY IF EXISTS every_tenant ON operation")
    for table in TABLES:
        op.execute("DROP POLICY named_tenant ON " + table)
        op.execute("ALTER TABLE " + table + " DISABLE ROW LEVEL SECURITY")
