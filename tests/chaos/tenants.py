"""The tenants of a run: few people, few groups and scarce seats, so that callers meet.

One tenant has a large group besides. One is so small, and asked so little, that the model of the engine, which takes
milliseconds for each command, can follow it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from domain.scopes import TENANT_SCOPES
from infra.postgres import administration
from infra.postgres.database import Database

GROUPS, CROWD = 8, 4_000
ROLES = ("learner", "tutor")
# Seats for each hundred people: scarce, roomy and without limit.
PROGRAMS: Mapping[str, int | None] = {"scarce": 20, "roomy": 75, "endless": None}
BUNDLES: Mapping[str, int] = {"ATTUNU": 300, "TSTNU": 50, "RPADEVNU": 25}
CROWD_GROUP, CROWD_PROGRAM = "crowd", "crowd-program"
_BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a tenant is to be."""

    key: str
    people: int = 120
    callers: int = 6
    has_crowd: bool = False
    is_modelled: bool = False


PLANS = (
    Plan(key="north", has_crowd=True),
    Plan(key="east"),
    Plan(key="south"),
    Plan(key="west", people=25, callers=2, is_modelled=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant as its callers know it: keys, and the ids that the catalogue dialect wants."""

    plan: Plan
    token: str
    programs: Mapping[str, int]
    groups: Mapping[str, int]
    crowd: tuple[int, int] | None = None
    """The large group and the licence that it is given, by their ids."""

    @property
    def key(self) -> str:
        """Its name, everywhere."""
        return self.plan.key

    @property
    def org(self) -> str:
        """The first word of the account dialect's paths."""
        return f"{self.key}-org"

    @property
    def headers(self) -> dict[str, str]:
        """What authenticates its callers."""
        return {"Authorization": f"Bearer {self.token}"}


async def new_tenant(database_url: str, api_url: str, plan: Plan) -> Tenant:
    """Create it with everything in it, through the API."""
    key = plan.key
    database = Database(database_url, size=1)
    try:
        await administration.create_tenant(database, key=key, org=f"{key}-org", name=key)
        issued = await administration.create_token(database, tenant_key=key, scopes=TENANT_SCOPES)
    finally:
        await database.close()
    headers = {"Authorization": f"Bearer {issued.token}", "Prefer": "wait=60"}
    async with httpx.AsyncClient(base_url=api_url, headers=headers, timeout=70, trust_env=False) as client:
        crowd = await _fill(client, plan)
        programs = {name: (await _get(client, f"/v1/licenses/{name}"))["id"] for name in PROGRAMS}
        groups = {name: (await _get(client, f"/v1/groups/{name}"))["id"] for name in group_keys()}
    return Tenant(plan=plan, token=issued.token, programs=programs, groups=groups, crowd=crowd)


def group_keys() -> list[str]:
    """The groups that callers put people into."""
    return [f"g{number}" for number in range(GROUPS)]


def person(number: int) -> Mapping[str, object]:
    """A person of the directory."""
    key = f"p{number:03}"
    return {"key": key, "username": key, "first_name": "Ada", "last_name": f"Lovelace {number}",
            "email": f"{key}@people.example"}  # fmt: skip


async def _fill(client: httpx.AsyncClient, plan: Plan) -> tuple[int, int] | None:
    roles = [{"key": key, "permission_scope": "USER_GROUPS", "titles": {"en": key}} for key in ROLES]
    await _put(client, "/v1/roles:batch", roles)
    await _put(client, "/v1/groups:batch", [{"key": key, "name": key} for key in group_keys()])
    await _put(client, "/v1/users:batch", [person(number) for number in range(plan.people)])
    await _put(client, "/v1/licenses:batch", [*_programs(PROGRAMS, plan.people), *_bundles(plan.people)])
    if not plan.has_crowd:
        return None
    await _put(client, "/v1/groups:batch", [{"key": CROWD_GROUP, "name": CROWD_GROUP}])
    await _put(client, "/v1/licenses:batch", _programs({CROWD_PROGRAM: None}, CROWD))
    crowd = [{"key": f"c{n:04}", "username": f"c{n:04}", "primary_group": CROWD_GROUP} for n in range(CROWD)]
    for begin in range(0, CROWD, _BATCH):
        await _put(client, "/v1/users:batch", crowd[begin : begin + _BATCH])
    group, program = f"/v1/groups/{CROWD_GROUP}", f"/v1/licenses/{CROWD_PROGRAM}"
    return (await _get(client, group))["id"], (await _get(client, program))["id"]


def _programs(shares: Mapping[str, int | None], people: int) -> list[Mapping[str, object]]:
    return [
        {
            "key": key,
            "name": key,
            "kind": "program",
            "capacity": _seats(share, people),
            "program_key": key,
            "program_name": key,
        }
        for key, share in shares.items()
    ]


def _bundles(people: int) -> list[Mapping[str, object]]:
    return [
        {"key": code.lower(), "name": code, "kind": "bundle", "capacity": _seats(share, people), "code": code}
        for code, share in BUNDLES.items()
    ]


def _seats(share: int | None, people: int) -> int | None:
    return None if share is None else share * people // 100


async def _put(client: httpx.AsyncClient, path: str, items: Sequence[Mapping[str, object]]) -> None:
    answer = await client.post(path, json={"items": list(items)})
    if answer.status_code != HTTPStatus.OK or any(item["status"] >= 400 for item in answer.json()["items"]):
        raise RuntimeError(f"POST {path}: {answer.status_code} {answer.text[:300]}")


async def _get(client: httpx.AsyncClient, path: str) -> dict[str, int]:
    answer = await client.get(path)
    answer.raise_for_status()
    document: dict[str, int] = answer.json()
    return document
