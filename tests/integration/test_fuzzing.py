"""Schemathesis against a running service: every operation of the document, well-formed and malformed, and in chains.

Whatever it sends, nothing is answered 5xx; every status, header and body is as the document describes it; what the
document does not allow is refused; and the links of the document lead somewhere.
`SEATLINE_TEST_EXAMPLES=100` (cases of each operation and phase) makes a run longer, `SEATLINE_TEST_SEED=…` repeats one.
"""

import re

from infra.postgres.administration import create_token
from tests.support.api import serving
from tests.support.fuzzing import Answers, fuzzed
from tests.support.running_api import served
from tests.support.worlds import fill

# Links that a short run follows at least; tests/integration/test_document_links.py follows each of them once.
FEWEST_LINKS = 3
# A stream never ends; its own tests read from it.
TENANTS, OPERATORS = "^/(?!v1/ops)", "^/v1/ops/(?!overview/stream)"


async def test_whatever_a_tenant_sends_the_document_is_true(database_url, tmp_path):
    async with serving(database_url, database_pool_size=16) as api:
        world = await fill(api, "own")
        api.is_filled_by_hand = True  # what has been sent is arbitrary, and verified where its meaning is known
        own = {"path.organizationName": world.values["org"], "path.accountId": world.values["tenant"]}
        async with served(answers := Answers(api.app)) as url:
            told = await fuzzed(url, api.headers["Authorization"], paths=TENANTS, folder=tmp_path, parameters=own)
        assert told.operations == how_many(api, TENANTS)
        assert_true(api, answers, told)


async def test_whatever_an_operator_sends_the_document_is_true(database_url, tmp_path):
    async with serving(database_url, database_pool_size=16) as api:
        await fill(api, "own")
        issued = await create_token(api.services.database, tenant_key=None, scopes=["ops:write", "tenants:admin"])
        async with served(answers := Answers(api.app)) as url:
            told = await fuzzed(url, f"Bearer {issued.token}", paths=OPERATORS, folder=tmp_path)
        assert told.operations == how_many(api, OPERATORS)
        assert_true(api, answers, told)


def assert_true(api, answers, told):
    assert list(answers.undocumented(api.app.openapi())) == []
    assert 401 not in answers.statuses()  # the token has lived to the end, so that refusals were of what was sent
    assert told.followed >= FEWEST_LINKS, told


def how_many(api, paths):
    """How many operations of the document these are."""
    return sum(len(methods) for path, methods in api.app.openapi()["paths"].items() if re.match(paths, path))
