"""Every operation of the document, every place in it that names a thing, and another tenant's thing named there.

The answer is to the byte (ids aside) that for a thing which never existed, and the other tenant's rows stay the same.
A new operation is covered as soon as it is in the document; a place that nobody can fill fails.
"""

import asyncio

import asyncpg
import pytest

from infra.postgres.database import plain_dsn
from tests.support.api import serving
from tests.support.positions import operations, put, request
from tests.support.worlds import fill, headers_without_ids, nowhere, without_ids

TABLES = """
SELECT table_name FROM information_schema.columns
 WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY table_name
"""
DIGEST = """
SELECT md5(string_agg(one, ',' ORDER BY one))
  FROM (SELECT CAST(TABLE AS text) AS one FROM TABLE WHERE tenant_id = $1) AS rows
"""
# Refusals that come after every thing named was found: the request was understood, and reached the tenant's rows.
LATE = frozenset({
    "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS", "USER_GROUP_IN_USE", "ROLE_IN_USE", "LICENSE_IN_USE", "EXTERNAL_ID_TAKEN",
    "LICENSE_CODE_TAKEN",
})  # fmt: skip
STRANGE = "strange"
TOGETHER = 24
READERS = ["reads-a", "reads-b", "reads-c"]


@pytest.fixture
async def matrix(database_url):
    """The application with a stranger who has one of everything; the tables of the database."""
    async with serving(database_url, database_pool_size=16) as api:
        sql = await asyncpg.connect(plain_dsn(database_url))
        tables = [row["table_name"] for row in await sql.fetch(TABLES)]
        yield api, await fill(await api.other_tenant(STRANGE), STRANGE), Rows(sql, tables)
        await sql.close()


class Rows:
    """Everything that is written down of a tenant, in every table there is: its operations and its events too."""

    def __init__(self, sql, tables):
        self._sql, self._tables = sql, tables

    async def of(self, tenant_id):
        return {table: await self._sql.fetchval(DIGEST.replace("TABLE", table), tenant_id) for table in self._tables}


async def test_another_tenant_s_things_never_existed_wherever_they_are_named(matrix):
    api, stranger, rows = matrix
    everything = operations(api.app.openapi())
    assert len(everything) > 50
    before = await rows.of(stranger.api.tenant.id)
    keys = dict.fromkeys(key for place, operation in enumerate(everything) for key in twins_of(place, operation))
    worlds = await made(api, [key for key in keys if key not in READERS])
    # Last: a stranger's cursor, which is a small number, must not lie between the numbers of what two twins have.
    worlds |= await made(api, READERS)
    wrong = []
    for place, operation in enumerate(everything):
        twins = [worlds[key] for key in twins_of(place, operation)]
        wrong += [f"{operation}: {found}" for found in await faults_of(operation, *twins, stranger)]
        if (after := await rows.of(stranger.api.tenant.id)) != before:
            changed = [table for table in before if before[table] != after[table]]
            wrong.append(f"{operation}: left traces in the stranger's {changed}")
            before = after
    assert "\n".join(wrong) == ""


def twins_of(place, operation):
    """Three tenants that are alike: for what changes something three of its own, for the rest always the same."""
    if operation.method == "GET" or operation.is_operators:
        return READERS
    return [f"{place}-a", f"{place}-b", f"{place}-c"]


async def faults_of(operation, one, other, own, stranger):
    """What is wrong with the operation: each twin is asked once for every position, so that both stay alike."""
    control = await sent(own, operation, request(operation, own.values))
    if not is_understood(operation, control):
        return [f"its example with the tenant's own things is answered {control.status_code} {control.text}"]
    faults = []
    for world in (one, other):
        world.borrowed.clear()  # what shared twins were sent before is stored nowhere
    for position in operation.positions:
        answers = []
        for world, values in ((one, stranger.values), (other, nowhere())):
            made_request = request(operation, world.values)
            value = values.get(position.kind, stranger.values[position.kind])
            made_request = replaced(operation, position, world, value)
            answer = await sent(world, operation, made_request)
            world.borrowed.append(str(value))
            answers.append((answer.status_code, headers_without_ids(answer.headers), without_ids(answer.text, world)))
        if answers[0] != answers[1]:
            faults.append(f"{position}: {answers[0]} is not {answers[1]}")
        if STRANGE in answers[0][2]:
            faults.append(f"{position}: shows a stranger's thing: {answers[0][2]}")
        if answers[0][0] >= 500:
            faults.append(f"{position}: {answers[0]}")
    return faults


def replaced(operation, position, world, value):
    """The request with another value at one position, which must be there afterwards."""
    values = world.values
    made_request = request(operation, values | ({position.kind: value} if position.where == "path" else {}))
    if position.where == "path":
        others = {one.kind for one in operation.positions if one.where == "path" and one != position}
        assert position.kind not in others, f"{operation}: two places in the path of one kind"
    else:
        put(made_request, position, value)
    assert str(value) in f"{made_request.path} {made_request.query} {made_request.body}", f"{position} cannot be filled"
    return made_request


async def sent(world, operation, made_request):
    return await world.api.call(
        operation.method,
        made_request.path,
        made_request.body,
        params=made_request.query,
        headers={"X-Request-Id": "isolation"},
    )


def is_understood(operation, answer):
    if operation.is_operators:
        return answer.status_code == 403
    if answer.status_code >= 300 and answer.headers["content-type"].startswith("application"):
        return answer.json().get("code") in LATE
    items = (
        answer.json().get("items", [])
        if answer.content and answer.json() is not None and isinstance(answer.json(), dict)
        else []
    )
    statuses = [item.get("status") for item in items]
    if not all(isinstance(status, int) for status in statuses):  # a list, not a batch
        return True
    return all(item["status"] < 300 or item["error"]["code"] in LATE for item in items)


async def made(api, keys):
    """Many tenants, each with one of everything, all called alike but for their keys."""
    narrow = asyncio.Semaphore(TOGETHER)

    async def one(key):
        async with narrow:
            return await fill(await api.other_tenant(f"us{key}"), "own")

    return dict(zip(keys, await asyncio.gather(*(one(key) for key in keys)), strict=True))
