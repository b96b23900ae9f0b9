"""Single calls of 64 callers spread over a thousand tenants, beside the same of one tenant, in turns.

A tenant's commands are applied in one order, by one worker at a time: many tenants must not cost more than one.
"""

from dataclasses import replace
from itertools import count

import asyncpg

from domain.scopes import TENANT_SCOPES
from infra.postgres import administration
from infra.postgres.database import Database
from tests.benchmarks.figures import Figure, Sheet, at_least
from tests.benchmarks.runs import Plan
from tests.benchmarks.service import Played, Service, new_tenant, service
from tests.benchmarks.workload import GROUPS, ROLE, Load

SECTION = "tenants"
TENANTS = 1_000
SHARE = 0.9
_PEOPLE = 20
_ONE = Load(first=0, requests=6_000, items=1, callers=64, warm_up=1_000)
# A thousand directories by hand: what they cost is another figure's matter.
_DIRECTORY = (
    """
    INSERT INTO role (tenant_id, key, permission_scope, titles)
    SELECT id, $1, 'USER_GROUPS', '{"en": "Learner"}' FROM tenant
    """,
    """
    INSERT INTO user_group (tenant_id, key, name)
    SELECT id, 'g' || lpad(n::text, 2, '0'), 'Group ' || n FROM tenant CROSS JOIN generate_series(0, $1::int - 1) AS n
    """,
    """
    INSERT INTO app_user (tenant_id, key, username, username_key, first_name, last_name)
    SELECT id, username, username, username, 'Ada', 'Lovelace'
      FROM tenant CROSS JOIN (SELECT 'p' || lpad(n::text, 4, '0') AS username
                                FROM generate_series(0, $1::int - 1) AS n) AS made
    """,
)


async def measure(plan: Plan) -> list[Figure]:
    """Many tenants that are kept from round to round, and one that is new in each."""
    tenants, rounds = (TENANTS // 10 if plan.quick else TENANTS), count()
    with service(plan.servers) as started:
        started.start("worker", "worker")
        await started.ready()
        tokens = await _tenants(started, tenants)

        async def step(sheet: Sheet) -> None:
            number = next(rounds)
            load = replace(_ONE, requests=600, warm_up=100) if plan.quick else _ONE
            turns = -(-(load.requests + load.warm_up) // tenants)
            alone = await started.play(await new_tenant(started, f"alone-{number}"), load=load)
            spread = await started.play(*tokens, load=replace(load, first=number * turns, people=_PEOPLE))
            one, many = load.requests / alone.seconds, load.requests / spread.seconds
            sheet.note("single calls, 64 callers, one tenant", one, "calls/s")
            sheet.note(f"single calls, 64 callers, {tenants:,} tenants", many, "calls/s")
            sheet.note("  that is, times the rate of one tenant", many / one, "", at_least(SHARE))
            _note_processor(sheet, "one tenant", alone)
            _note_processor(sheet, f"{tenants:,} tenants", spread)

        return await plan.measure(SECTION, step)


def _note_processor(sheet: Sheet, whose: str, played: Played) -> None:
    """Where the difference is: the processes that do not only measure, warm-up included."""
    calls = played.load.requests + played.load.warm_up
    for name in ("postgres", "rabbitmq", "api", "worker"):
        if name in played.used:
            sheet.note(f"{whose}: processor time of a call, {name}", played.used[name] / calls * 1_000, "ms")


async def _tenants(started: Service, tenants: int) -> list[str]:
    """Tenants with people, groups and the role; a token of each."""
    tokens, database = [], Database(started.database_url, size=1)
    try:
        for number in range(tenants):
            key = f"one-of-many-{number}"
            await administration.create_tenant(database, key=key, org=key, name=key)
            issued = await administration.create_token(database, tenant_key=key, scopes=TENANT_SCOPES)
            tokens.append(issued.token)
    finally:
        await database.close()
    connection = await asyncpg.connect(started.database_url)
    try:
        for statement, value in zip(_DIRECTORY, (ROLE, GROUPS, _PEOPLE), strict=True):
            await connection.execute(statement, value)
        await connection.execute("VACUUM ANALYZE app_user, user_group, role, tenant, tenant_log, api_token")
    finally:
        await connection.close()
    return tokens
