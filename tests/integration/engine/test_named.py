"""What a wave names by key: found in one statement, each tenant's own."""

from infra.postgres.assignments import read_facts
from tests.support.directory_commands import put_groups, put_roles, put_users
from tests.support.engine import Asked, Engine, add_tenant

_IDS = """
SELECT (SELECT id FROM user_group WHERE tenant_id = $1), (SELECT id FROM app_user WHERE tenant_id = $1),
       (SELECT id FROM role WHERE tenant_id = $1 AND key = 'r0')
"""


async def test_each_tenant_is_given_its_own_of_the_same_names_and_nothing_for_what_is_not_there(database, sql):
    tenants = [await add_tenant(database), await add_tenant(database)]
    commands = [put_users(1), put_groups(1), put_roles(1)]
    await Engine(database).run(*(Asked(tenant_id=t.id, command=one) for t in tenants for one in commands))
    async with database.transaction() as tx:
        facts = await read_facts(
            tx,
            groups=[(t.id, key) for t in tenants for key in ("g0", "none")],
            people=[(t.id, key) for t in tenants for key in ("u0", "none")],
            roles=[(t.id, key) for t in tenants for key in ("r0", "none")],
        )
    own = [tuple(await sql.fetchrow(_IDS, t.id)) for t in tenants]
    found = [(facts.groups[t.id, "g0"], facts.people[t.id, "u0"].id, facts.roles[t.id, "r0"].id) for t in tenants]
    assert found == own
    assert len(facts.groups) == len(facts.people) == len(facts.roles) == len(tenants)
