"""The account API over HTTP, with a worker behind it: a group of five, and what a test puts into the tables by hand."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments, PutUsers, UserPut
from tests.support.api import Api, groups, serving, without_worker

MEMBERS = ("ada", "bo", "cy", "di", "ed")


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    """The application as the tenant `acme` sees it: five people in the group `devs`, the group `empty`."""
    async with serving(database_url) as api:
        await api.arrange(
            groups("devs", "empty"),
            PutUsers(
                items=(
                    UserPut(
                        key="ada", username="a.young", email="Zada@example.org", first_name="Ada", last_name="Young"
                    ),
                    UserPut(key="bo", username="bo", email="bo@example.org", first_name="Bo", last_name="Xander"),
                    UserPut(key="cy", username="cy.young", first_name="Ada", last_name="Archer"),
                    UserPut(key="di", username="di", email="di@example.org", first_name="Di"),
                    UserPut(key="ed", username="ed", email="ed@example.org"),
                )
            ),
            ChangeAssignments(
                items=tuple(
                    AssignmentChange(op=AssignmentOp.ASSIGN, group="devs", user=user, role="member") for user in MEMBERS
                )
            ),
        )
        yield api


@pytest.fixture
async def idle(database_url: str) -> AsyncIterator[Api]:
    """The application alone, without a worker and with an empty directory: enough for refusals of form."""
    async with without_worker(database_url) as api:
        yield api


class Rows:
    """Pools, grants and seats of one tenant, written by hand."""

    def __init__(self, sql: asyncpg.Connection, tenant_id: int) -> None:
        self._sql = sql
        self._tenant_id = tenant_id

    async def pool(
        self, code: str | None, capacity: int | None = 10, *, used: int = 0, reserved: int = 0, kind: str = "bundle"
    ) -> int:
        """A pool whose key is its code."""
        return await self._sql.fetchval(
            "INSERT INTO license (tenant_id, key, name, kind, code, capacity, used, reserved)"
            " VALUES ($1, $2, $2, $3, $4, $5, $6, $7) RETURNING id",
            self._tenant_id, f"key of {code}", kind, code, capacity, used, reserved,
        )  # fmt: skip

    async def grant(
        self, license_id: int, group: str, *, quota: int | None = None, in_quota: int = 0, assigned: int = 0
    ) -> int:
        """The pool is given to the group."""
        return await self._sql.fetchval(
            "INSERT INTO group_license (tenant_id, group_id, license_id, quota, in_quota, assigned)"
            " SELECT $1, id, $3, $4, $5, $6 FROM user_group WHERE tenant_id = $1 AND key = $2 RETURNING id",
            self._tenant_id, group, license_id, quota, in_quota, assigned,
        )  # fmt: skip

    async def seat(
        self, license_id: int, user: str, *grant_ids: int, state: int = 1, blocked: tuple[int, ...] = ()
    ) -> None:
        """An entitlement of the person, with sources from these grants (0: direct)."""
        entitlement_id = await self._sql.fetchval(
            "INSERT INTO entitlement (tenant_id, license_id, user_id, state, asked_seq)"
            " SELECT $1, $2, id, $4, 1 FROM app_user WHERE tenant_id = $1 AND key = $3 RETURNING id",
            self._tenant_id, license_id, user, state,
        )  # fmt: skip
        await self._sql.executemany(
            "INSERT INTO entitlement_source (tenant_id, entitlement_id, grant_id, blocked, seq, operation_id)"
            " VALUES ($1, $2, $3, $4, 1, $5)",
            [(self._tenant_id, entitlement_id, grant, grant in blocked, UUID(int=1)) for grant in grant_ids],
        )

    def of(self, tenant_id: int) -> "Rows":
        """The same for another tenant."""
        return Rows(self._sql, tenant_id)


@pytest.fixture
def rows(sql: asyncpg.Connection, api: Api) -> Rows:
    """What the tenant `acme` has, written by hand."""
    api.is_filled_by_hand = True
    return Rows(sql, api.tenant.id)
