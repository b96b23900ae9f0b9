"""Grants in few words, and what must hold of a tenant at any moment, also in the middle of a fan-out."""

from domain.drift import Check
from domain.license_commands import RemoveGroupLicense, SetGroupLicense
from infra.postgres.statements import compile_block
from tests.support.drift import assert_no_drift
from tests.support.engine import Asked, accept, operations
from tests.support.license_state import continuations, ids_of


async def giving(database, tenant, group, license_key, **sent):
    """The command that gives this licence to this group."""
    ids = await ids_of(database, tenant.id)
    return SetGroupLicense(license_id=ids["license", license_key], group_id=ids["group", group], sent=sent)


async def removing(database, tenant, group, license_key, **options):
    """The command that ends this grant."""
    ids = await ids_of(database, tenant.id)
    return RemoveGroupLicense(
        assignment_id=ids["grant", f"{ids['license', license_key]}/{ids['group', group]}"], **options
    )


class Flaky:
    """A function that raises at those of its calls for which `raising` says so, in turn, and then never again."""

    def __init__(self, shipped, raising):
        self._shipped = shipped
        self._raising = iter(raising)

    async def __call__(self, *args, **named):
        if next(self._raising, False):
            raise RuntimeError("by design")
        return await self._shipped(*args, **named)


async def begin(engine, tenant, command):
    """Apply the command's own pass and nothing more; returns its operation."""
    [number] = await accept(engine.database, [Asked(tenant_id=tenant.id, command=command)])
    engine.ready.add(tenant.id)
    await engine.turn()
    return await view_of(engine, tenant, number)


async def apply(engine, tenant, *commands):
    """Apply commands between two chunks; returns their operations."""
    ids = await accept(engine.database, [Asked(tenant_id=tenant.id, command=command) for command in commands])
    engine.ready.add(tenant.id)
    while len(engine.ready):
        await engine.turn()
    return await operations(engine.database, tenant.id, ids)


async def view_of(engine, tenant, number):
    """An operation as it is now."""
    return (await operations(engine.database, tenant.id, [number]))[0]


async def assert_running_sound(database, tenant, *, given_up=False):
    """Counts are those of the rows, seats are not given twice, and what is held back is held by somebody.

    Where a fan-out has been `given_up`, the members whom it did not come to lack what their group has been granted.
    """
    tenant_id = getattr(tenant, "tenant_id", None) or tenant.id
    async with database.transaction() as tx:
        for name, statement in _WRONG.items():
            assert [dict(row) for row in await tx.fetch(statement, tenant_id=tenant_id)] == [], name
    assert all(one["reserved"] >= 0 for one in await continuations(database, tenant_id))
    await assert_no_drift(database, but={Check.MEMBER_WITHOUT_SOURCE} if given_up else ())


_WRONG = {
    name: compile_block(name, sql)
    for name, sql in {
        "pools": """
SELECT license.*, counted.*, held.*
  FROM license
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE state = 1) AS used, count(*) FILTER (WHERE state = 2) AS queued,
              count(*) FILTER (WHERE state IN (2, 3, 4)) AS waiting
         FROM entitlement WHERE entitlement.tenant_id = license.tenant_id AND license_id = license.id) AS counted
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(continuation.reserved), 0) AS reserved
         FROM continuation WHERE continuation.tenant_id = license.tenant_id AND license_id = license.id) AS held
 WHERE license.tenant_id = :tenant_id
   AND ((license.used, license.queued, license.waiting, license.reserved)
        <> (counted.used, counted.queued, counted.waiting, held.reserved)
        OR license.used + license.reserved > capacity)
""",
        "grants": """
SELECT held.*, counted.*
  FROM group_license AS held
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE state = 1) AS assigned, count(*) FILTER (WHERE state IN (2, 3, 4)) AS waiting,
              count(*) FILTER (WHERE state = 5) AS suspended, count(*) FILTER (WHERE NOT blocked) AS in_quota
         FROM entitlement_source AS source
         JOIN entitlement ON entitlement.tenant_id = source.tenant_id AND entitlement.id = entitlement_id
        WHERE source.tenant_id = held.tenant_id AND grant_id = held.id) AS counted
 WHERE held.tenant_id = :tenant_id
   AND (held.assigned, held.waiting, held.suspended, held.in_quota)
       <> (counted.assigned, counted.waiting, counted.suspended, counted.in_quota)
""",
        "rows without a source": """
SELECT entitlement.id FROM entitlement
 WHERE tenant_id = :tenant_id
   AND NOT EXISTS (SELECT 1 FROM entitlement_source AS source
                    WHERE source.tenant_id = entitlement.tenant_id AND entitlement_id = entitlement.id)
""",
        "sources without a row": """
SELECT entitlement_id FROM entitlement_source AS source
 WHERE tenant_id = :tenant_id
   AND NOT EXISTS (SELECT 1 FROM entitlement
                    WHERE entitlement.tenant_id = source.tenant_id AND entitlement.id = entitlement_id)
""",
        "sources without grant and membership": """
SELECT source.* FROM entitlement_source AS source
  JOIN entitlement ON entitlement.tenant_id = source.tenant_id AND entitlement.id = entitlement_id
  -- What is left of a licence that is gone is for its own cascade to take.
  JOIN license ON license.tenant_id = entitlement.tenant_id AND license.id = license_id
 WHERE source.tenant_id = :tenant_id AND grant_id <> 0
   AND NOT EXISTS (SELECT 1 FROM group_license AS held
                     JOIN group_member AS member ON member.tenant_id = held.tenant_id
                                                AND member.group_id = held.group_id
                    WHERE held.tenant_id = source.tenant_id AND held.id = grant_id
                      AND member.user_id = entitlement.user_id)
""",
    }.items()
}
