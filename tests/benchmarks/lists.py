"""List pages of a tenant with ten million rows beside the same pages of one with ten thousand, call by call in turns.

One rule: pages by keyset are bounded. A page by number, which the published APIs demand, must be counted up to: it is
shown without a goal.
"""

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx

from api.native.cursors import encode_cursor
from tests.benchmarks.clients import client_of
from tests.benchmarks.figures import Figure, Sheet, under
from tests.benchmarks.pages import CALLS, in_turns
from tests.benchmarks.populated import EACH, TOGETHER, Populated, populate
from tests.benchmarks.runs import Plan
from tests.benchmarks.service import on_database

SECTION = "lists"
SIZES = (10_000, 10_000_000)
QUICK = (10_000, 100_000)
_GROUP = f"/api/admin/users/v4/user-groups/{TOGETHER}"
_CATALOG = "/api/catalog/licenses/program"
_ACCOUNT = "/{tenant}-org/lease_/api/account/{tenant}/user-license"
_LISTS = {
    "/v1 users": "/v1/users",
    "/v1 users, half-way": "/v1/users?cursor={half_of_users}",
    "/v1 users of a group": f"/v1/users?group={TOGETHER}",
    "/v1 users of a group, half-way": f"/v1/users?group={TOGETHER}&cursor={{half_of_users}}",
    "/v1 groups": "/v1/groups",
    "/v1 roles": "/v1/roles",
    "/v1 licenses": "/v1/licenses",
    "/v1 group assignments": "/v1/group-assignments",
    "/v1 group assignments, half-way": "/v1/group-assignments?cursor={half_of_assignments}",
    "/v1 group assignments of a group, half-way": (
        f"/v1/group-assignments?group={TOGETHER}&cursor={{half_of_assignments}}"
    ),
    "/v1 group assignments of a user": "/v1/group-assignments?user=p0042",
    "/v1 entitlements": "/v1/entitlements",
    "/v1 entitlements, half-way": "/v1/entitlements?cursor={half_of_entitlements}",
    "/v1 entitlements of a licence": "/v1/entitlements?license=l10",
    "/v1 entitlements of a group": f"/v1/entitlements?group={TOGETHER}",
    "/v1 entitlements of a user": "/v1/entitlements?user=p0042",
    "/v1 entitlements that wait, of none": "/v1/entitlements?state=waiting",
    "users API: assignments": f"{_GROUP}/assignments",
    "users API: assignments, by last name": f"{_GROUP}/assignments?sort=USER_LAST_NAME_ASC",
    "users API: assignments of whom a term finds": f"{_GROUP}/assignments?search_term=lovelace%20{{last_name}}",
    "users API: assignable roles": f"{_GROUP}/assignable-roles",
    "catalogue: licences": f"{_CATALOG}/",
    "catalogue: users of a licence": f"{_CATALOG}/assignment/?license_id=1",
    "catalogue: users of a licence, the last first": f"{_CATALOG}/assignment/?license_id=1&sort=-created",
    "catalogue: one user of a licence": f"{_CATALOG}/assignment/?license_id=1&user_id=43",
    "catalogue: groups of a licence": f"{_CATALOG}/assignment/group/?license_id=1",
    "account: quantities": _ACCOUNT,
    "account: groups with bundles": f"{_ACCOUNT}/groups/with-quota",
    "account: members with bundles": f"{_ACCOUNT}/group/{TOGETHER}/bulk-users",
}
# The last page that there is, by its number.
_BY_NUMBER = {
    "users API: assignments, the last page by number": f"{_GROUP}/assignments?page_number={{last_of_assignments}}",
    "catalogue: users of a licence, the last page by number": (
        f"{_CATALOG}/assignment/?license_id=1&page={{last_of_licence}}"
    ),
    "account: members with bundles, the last page by offset": (
        f"{_ACCOUNT}/group/{TOGETHER}/bulk-users?skip={{last_of_members}}"
    ),
}
_PAGE = 25
# They take seconds each, and have no goal.
_FEW_CALLS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A client of one size's tenant, and what stands for the names in the paths."""

    client: httpx.AsyncClient
    names: Mapping[str, object]


async def measure(plan: Plan) -> list[Figure]:
    """Fill a database of each size, serve both, and ask both in turns; no worker is there to change anything."""
    sizes = QUICK if plan.quick else SIZES
    async with AsyncExitStack() as stack:
        served = {size: await _served(stack, plan, size) for size in sizes}

        async def reads(sheet: Sheet) -> None:
            for name, path in (_LISTS | _BY_NUMBER).items():
                asked = {size: (one.client, path.format_map(one.names)) for size, one in served.items()}
                few, many = await in_turns(asked, calls=_FEW_CALLS if name in _BY_NUMBER else CALLS)
                goal = None if name in _BY_NUMBER else under(3 * few + 10)
                sheet.note(f"{name}: {sizes[0]:,} rows", few, "ms")
                sheet.note(f"{name}: {sizes[1]:,} rows", many, "ms", goal)

        return await plan.measure(SECTION, reads)


async def _served(stack: AsyncExitStack, plan: Plan, size: int) -> Served:
    started = stack.enter_context(on_database(plan.servers, SECTION))
    began = time.monotonic()
    populated = await populate(started.database_url, rows=size, together=True)
    plan.say(f"{SECTION}: {size:,} assignments and entitlements filled in {time.monotonic() - began:.0f} s")
    if size == min(SIZES):
        started.verify()  # both are filled by the same statements
    started.start(f"api-{size}", "api", "--port", str(started.port))
    await started.ready()
    client = await stack.enter_async_context(client_of(started, populated.token))
    return Served(client=client, names=_names(populated))


def _names(populated: Populated) -> dict[str, object]:
    people = populated.people
    return {
        "tenant": populated.tenant,
        "last_name": people - 1,  # no other name begins like this one
        "half_of_users": encode_cursor((people // 2,)),
        "half_of_assignments": encode_cursor((1, people // 2, 0)),
        "half_of_entitlements": encode_cursor((EACH // 2, EACH // 2 * people)),
        "last_of_assignments": people * EACH // _PAGE,
        "last_of_licence": people // _PAGE,
        "last_of_members": people - _PAGE,
    }
