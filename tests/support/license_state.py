"""What the tables of licences hold of a tenant, read back as the model says it (tests/support/model_grants.py)."""

from infra.postgres.database import Database, Transaction
from infra.postgres.statements import compile_block
from tests.support.model_rows import Document


async def license_state_of(database: Database, tenant_id: int) -> Document:
    """Pools, grants that are not removed, and entitlements with their sources. Rows that refer to nothing say so."""
    async with database.transaction() as tx:
        pools = await _read(tx, _POOLS, tenant_id)
        grants = await _read(tx, _GRANTS, tenant_id)
        rows = await _read(tx, _ENTITLEMENTS, tenant_id)
        sources = await _read(tx, _SOURCES, tenant_id)
    entitlements = {row["id"]: row | {"sources": {}} for row in rows}
    for source in sources:
        row = entitlements.setdefault(source.pop("entitlement_id"), {"id": "without an entitlement", "sources": {}})
        row["sources"][source.pop("of")] = source
    return {
        "licenses": {row.pop("key"): row for row in pools},
        "grants": {(row.pop("group_key"), row.pop("license_key")): row for row in grants},
        "entitlements": {_place(row): row for row in entitlements.values()},
    }


def _place(row: Document) -> tuple[str, str]:
    license_key, user, address = (row.pop(name, None) for name in ("license_key", "user_key", "email_key"))
    return license_key or "nothing", user or address or "nobody"


async def ids_of(database: Database, tenant_id: int) -> dict[tuple[str, str], int]:
    """The numbers of what commands may name by number: (kind, key), of grants and entitlements both keys."""
    async with database.transaction() as tx:
        rows = await _read(tx, _IDS, tenant_id)
    return {(row["kind"], row["key"]): row["id"] for row in rows}


async def continuations(database: Database, tenant_id: int) -> list[Document]:
    """What has been begun and is not done yet."""
    async with database.transaction() as tx:
        return await _read(tx, _CONTINUATIONS, tenant_id)


async def _read(tx: Transaction, sql: str, tenant_id: int) -> list[Document]:
    return [dict(row) for row in await tx.fetch(compile_block("read", sql), tenant_id=tenant_id)]


_POOLS = """
SELECT key, id, name, kind, code, program_id, program_key, program_name, external_id, source, transaction_id,
       change_type, metadata, enrollment_config, capacity, used, reserved, queued, waiting, active, starts_at,
       expires_at, created_at, updated_at
  FROM license
 WHERE tenant_id = :tenant_id
"""
_GRANTS = """
SELECT coalesce(user_group.key, 'nothing') AS group_key, coalesce(license.key, 'nothing') AS license_key, held.id,
       held.active, hold, shortage, quota, in_quota, assigned, held.waiting, suspended, redirect_to, held.metadata,
       held.created_at, held.updated_at
  FROM group_license AS held
  LEFT JOIN user_group ON user_group.tenant_id = held.tenant_id AND user_group.id = group_id
  LEFT JOIN license ON license.tenant_id = held.tenant_id AND license.id = license_id
 WHERE held.tenant_id = :tenant_id AND removed_at IS NULL
"""
_ENTITLEMENTS = """
SELECT coalesce(license.key, 'nothing') AS license_key, held.id, held.email, state, asked_seq AS asked,
       redirect_to, held.metadata, held.created_at, held.updated_at, held.email_key,
       CASE WHEN user_id IS NOT NULL THEN coalesce(app_user.key, 'nobody') END AS user_key
  FROM entitlement AS held
  LEFT JOIN license ON license.tenant_id = held.tenant_id AND license.id = license_id
  LEFT JOIN app_user ON app_user.tenant_id = held.tenant_id AND app_user.id = user_id
 WHERE held.tenant_id = :tenant_id
"""
_SOURCES = """
SELECT entitlement_id, blocked, seq, CAST(source.operation_id AS text) AS operation, since,
       CASE WHEN grant_id = 0 THEN 'direct' ELSE coalesce(user_group.key, 'nothing') END AS of
  FROM entitlement_source AS source
  LEFT JOIN group_license ON group_license.tenant_id = source.tenant_id AND group_license.id = grant_id
                         AND removed_at IS NULL
  LEFT JOIN user_group ON user_group.tenant_id = source.tenant_id AND user_group.id = group_id
 WHERE source.tenant_id = :tenant_id
"""
_CONTINUATIONS = "SELECT * FROM continuation WHERE tenant_id = :tenant_id"
_IDS = """
SELECT 'user' AS kind, key, id FROM app_user WHERE tenant_id = :tenant_id
 UNION ALL
SELECT 'group', key, id FROM user_group WHERE tenant_id = :tenant_id
 UNION ALL
SELECT 'license', key, id FROM license WHERE tenant_id = :tenant_id
 UNION ALL
SELECT 'grant', license_id || '/' || group_id, id FROM group_license WHERE tenant_id = :tenant_id AND removed_at IS NULL
 UNION ALL
SELECT 'entitlement', license_id || '/' || coalesce(email_key, CAST(user_id AS text)), id
  FROM entitlement
 WHERE tenant_id = :tenant_id
 ORDER BY kind, id
"""
