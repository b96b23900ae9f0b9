"""The catalogue API over HTTP: a directory, and what a test puts into the tables by hand or asks a worker for."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments, PutUsers, UserPut
from domain.entitlements import State
from tests.support.api import Api, groups, serving, without_worker

PROGRAM = "/api/catalog/licenses/program/"
USERS = f"{PROGRAM}assignment/"
GROUPS = f"{PROGRAM}assignment/group/"
LEAST = {"program_key": "data", "name": "Data 2026", "count": 2, "started": "2026-01-01T00:00:00Z"}
PEOPLE = ("ada", "bo", "cy", "di", "ed")
MEMBERS = ("ada", "bo", "cy")


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    """The application as the tenant `acme` sees it: five people, of whom `ed` is not active and three are in `sales`.

    Their e-mail addresses are `<key>@Example.org`; the group `empty` has no members.
    """
    async with serving(database_url) as api:
        await api.arrange(
            groups("sales", "empty"),
            PutUsers(
                items=tuple(
                    UserPut(
                        key=key,
                        username=f"{key}.user",
                        email=f"{key}@Example.org",
                        first_name=key.title(),
                        last_name="Young",
                        active=key != "ed",
                    )
                    for key in PEOPLE
                )
            ),
            ChangeAssignments(
                items=tuple(
                    AssignmentChange(op=AssignmentOp.ASSIGN, group="sales", user=user, role="member")
                    for user in MEMBERS
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
    """Pools, group assignments and seats of one tenant, written by hand; pools count what they are given."""

    def __init__(self, sql: asyncpg.Connection, tenant_id: int) -> None:
        self._sql = sql
        self._tenant_id = tenant_id

    async def pool(self, key: str, **columns: Any) -> int:
        """A program licence without limit, but for these columns."""
        values = {"tenant_id": self._tenant_id, "key": key, "name": key, "kind": "program"} | columns
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        statement = f"INSERT INTO license ({', '.join(values)}) VALUES ({places}) RETURNING id"
        return await self._sql.fetchval(statement, *values.values())

    async def grant(
        self,
        license_id: int,
        group: str,
        *,
        active: bool = True,
        assigned: int = 0,
        waiting: int = 0,
        metadata: str | None = None,
        removed_at: datetime | None = None,
    ) -> int:
        """The group's assignment."""
        return await self._sql.fetchval(
            "INSERT INTO group_license"
            " (tenant_id, group_id, license_id, active, assigned, waiting, metadata, removed_at)"
            " SELECT $1, id, $3, $4, $5, $6, $7, $8 FROM user_group WHERE tenant_id = $1 AND key = $2 RETURNING id",
            self._tenant_id, group, license_id, active, assigned, waiting, metadata, removed_at,
        )  # fmt: skip

    async def seat(
        self, license_id: int, person: str, state: State = State.ACTIVE, *, grants: tuple[int, ...] = (0,)
    ) -> int:
        """The assignment of a user, by key, or of an e-mail address, by these grants (0: direct)."""
        column, value = ("email", person) if "@" in person else ("user_id", await self.user_id(person))
        seat_id = await self._sql.fetchval(
            "INSERT INTO entitlement (tenant_id, license_id, user_id, email, email_key, state, asked_seq)"
            " VALUES ($1, $2, $3, $4, lower($4), $5, 1) RETURNING id",
            self._tenant_id, license_id, value if column == "user_id" else None,
            value if column == "email" else None, int(state),
        )  # fmt: skip
        await self._sql.execute(
            "INSERT INTO entitlement_source (tenant_id, entitlement_id, grant_id, seq, operation_id)"
            " SELECT $1, $2, unnest($3::bigint[]), 1, $4",
            self._tenant_id, seat_id, list(grants), UUID(int=1),
        )  # fmt: skip
        counted = {State.ACTIVE: "used = used + 1", State.SUSPENDED: "used = used"}.get(state, "waiting = waiting + 1")
        await self._sql.execute(f"UPDATE license SET {counted} WHERE id = $1", license_id)
        return seat_id

    async def user_id(self, key: str) -> int:
        return await self._sql.fetchval(
            "SELECT id FROM app_user WHERE tenant_id = $1 AND key = $2", self._tenant_id, key
        )

    async def group_id(self, key: str) -> int:
        return await self._sql.fetchval(
            "SELECT id FROM user_group WHERE tenant_id = $1 AND key = $2", self._tenant_id, key
        )


@pytest.fixture
def rows(api: Api, sql: asyncpg.Connection) -> Rows:
    api.is_filled_by_hand = True
    return Rows(sql, api.tenant.id)


class Catalog:
    """Calls of one licence with two seats; `people` and `groups` are the numeric ids by keys."""

    def __init__(self, api: Api, license_id: int, people: dict[str, int], groups: dict[str, int]) -> None:
        self.api = api
        self.license_id = license_id
        self.people = people
        self.groups = groups

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.api.call("POST", path, {"license_id": self.license_id, **body})

    async def assigned(self, **body: Any) -> dict[str, Any]:
        """The assignment of a person."""
        return answered(await self.post(USERS, **body))

    async def given(self, group: str = "sales", **body: Any) -> dict[str, Any]:
        """The assignment of a group."""
        return answered(await self.post(GROUPS, group_id=self.groups[group], **body))

    async def refused(self, code: str, *, path: str = USERS, **body: Any) -> dict[str, Any]:
        """The details with which a worker refuses an assignment."""
        response = await self.post(path, **body)
        assert response.status_code == (404 if code.endswith("NOT_EXIST") else 400), response.text
        assert response.json()["code"] == code
        assert "seatline-operation" in response.headers
        return response.json()["details"]

    async def update(self, **body: Any) -> None:
        """Change the licence."""
        answered(await self.post(f"{PROGRAM}update/", **body))

    async def delete(self, assignment_id: int, path: str = USERS, **params: str) -> httpx.Response:
        return await self.api.call("DELETE", path, params={"assignment_id": str(assignment_id), **params})

    async def listed(self, path: str = USERS) -> list[dict[str, Any]]:
        """Every assignment of the licence."""
        page = answered(await self.api.call("GET", path, params={"license_id": str(self.license_id)}))
        assert page["count"] == len(page["results"])
        return page["results"]

    async def used(self) -> int:
        """How many seats are held."""
        page = answered(await self.api.call("GET", PROGRAM, params={"sort": "id"}))
        return page["results"][0]["usage_count"]


def answered(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


@pytest.fixture
async def catalog(api: Api) -> Catalog:
    """A program licence with two seats."""
    made = answered(await api.call("POST", f"{PROGRAM}create/", LEAST))
    numbers = [
        {one["key"]: one["id"] for one in answered(await api.call("GET", f"/v1/{kind}"))["items"]}
        for kind in ("users", "groups")
    ]
    return Catalog(api, made["id"], *numbers)
