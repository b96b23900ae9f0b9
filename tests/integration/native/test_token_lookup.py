"""What time and tables tell of tokens: nothing. Looked at by structure, because a clock would tell of the machine."""

from datetime import UTC, datetime, timedelta

from infra.postgres.administration import create_token, revoke_token, token_hash
from infra.postgres.reads.tokens import find_tokens

TABLES = """
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
"""


class Watched:
    """A database that remembers which statements ran, and with which values."""

    def __init__(self, database):
        self._database, self.ran = database, []

    async def fetch(self, statement, **binds):
        self.ran.append((statement.name, binds))
        return await self._database.fetch(statement, **binds)


async def tokens_of(database):
    good, expired, revoked = [
        await create_token(database, tenant_key="acme", scopes=["groups:read"], expires_at=expiry)
        for expiry in (None, datetime.now(UTC) - timedelta(seconds=1), None)
    ]
    await revoke_token(database, revoked.id)
    return [good.token, expired.token, revoked.token]


async def test_a_token_is_asked_for_by_its_hash_in_one_statement_whatever_becomes_of_it(database, tenant):
    good, *bad = await tokens_of(database)
    for token in (good, *bad, "0" * 64, good[:-1] + ("0" if good[-1] != "0" else "1")):
        watched = Watched(database)
        found = await find_tokens(watched, [token_hash(token)])
        assert watched.ran == [("find_tokens", {"hashes": [token_hash(token)]})]
        assert (token_hash(token) in found) == (token == good)


async def test_no_token_stands_in_any_table(database, sql, tenant):
    tokens = await tokens_of(database)
    for row in await sql.fetch(TABLES):
        written = str(await sql.fetch(f'SELECT CAST(one AS text) FROM "{row["table_name"]}" AS one'))
        assert not any(token in written for token in tokens)
