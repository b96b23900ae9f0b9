"""What callers ask: all three dialects and the native API, drawn from a seeded generator.

One rule: a request depends on the generator alone, so that a seed asks the same again; only when it is asked varies.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.book import Request
from tests.chaos.tenants import BUNDLES, PROGRAMS, ROLES, Tenant, group_keys, person

USERS, CATALOG, ACCOUNT, NATIVE = "users", "catalog", "account", "native"
_USER_GROUPS = "/api/admin/users/v4/user-groups"
_PROGRAM = "/api/catalog/licenses/program/assignment"
# Of ten calls, one wants to be told later.
_DEFERRED = 0.1


@dataclass(slots=True, kw_only=True)
class Caller:
    """One caller of a tenant: what it asks next."""

    tenant: Tenant
    rng: random.Random
    assignment_ids: list[int] = field(default_factory=list)
    """What earlier answers of the catalogue dialect have named: such ids can only be learnt."""

    def next(self) -> Request:
        """The next request."""
        kinds, weights = zip(*_KINDS.items(), strict=True)
        make = self.rng.choices(kinds, weights)[0]
        return make(self)

    def request(self, dialect: str, method: str, path: str, body: object = None) -> Request:
        """A request that is deferred now and then."""
        is_deferred = self.rng.random() < _DEFERRED
        return Request(dialect=dialect, method=method, path=path, body=body, is_deferred=is_deferred)

    def person(self) -> str:
        """Somebody's key."""
        return f"p{self.rng.randrange(self.tenant.plan.people):03}"

    def group(self) -> str:
        """Some group's key."""
        return self.rng.choice(group_keys())

    def account(self, path: str) -> str:
        """A path of the account dialect."""
        return f"/{self.tenant.org}/lease_/api/account/{self.tenant.key}/user-license{path}"


def crowd_request(tenant: Tenant, *, active: bool) -> Request:
    """Give the large group its licence, or take it away.

    Raises:
        ValueError: the tenant has no such group.
    """
    if tenant.crowd is None:
        raise ValueError(f"{tenant.key} has no large group")
    group_id, license_id = tenant.crowd
    body = {"license_id": license_id, "group_id": group_id, "active": active}
    return Request(dialect=CATALOG, method="POST", path=f"{_PROGRAM}/group/", body=body)


def _assign(caller: Caller) -> Request:
    body = {"role_id": caller.rng.choice(ROLES), "user_id": caller.person()}
    return caller.request(USERS, "POST", f"{_USER_GROUPS}/{caller.group()}/assignments", body)


def _remove(caller: Caller) -> Request:
    path = f"{_USER_GROUPS}/{caller.group()}/assignments/{caller.person()}/{caller.rng.choice(ROLES)}"
    return caller.request(USERS, "DELETE", path)


def _assign_many(caller: Caller) -> Request:
    items = [
        {"group_id": caller.group(), "body": {"role_id": caller.rng.choice(ROLES), "user_id": caller.person()}}
        for _ in range(caller.rng.randint(2, 40))
    ]
    return caller.request(USERS, "POST", f"{_USER_GROUPS}/assignments/batch", {"items": items})


def _remove_many(caller: Caller) -> Request:
    items = [
        {"group_id": caller.group(), "user_id": caller.person(), "role_id": caller.rng.choice(ROLES)}
        for _ in range(caller.rng.randint(2, 40))
    ]
    return caller.request(USERS, "DELETE", f"{_USER_GROUPS}/assignments/batch", {"items": items})


def _seat(caller: Caller) -> Request:
    program = caller.tenant.programs[caller.rng.choice(tuple(PROGRAMS))]
    body = {"license_id": program, "username": caller.person(), "active": caller.rng.random() > 0.2}
    return caller.request(CATALOG, "POST", f"{_PROGRAM}/", body)


def _address(caller: Caller) -> Request:
    """A seat for an e-mail address, some of which belong to people."""
    program = caller.tenant.programs[caller.rng.choice(tuple(PROGRAMS))]
    body = {"license_id": program, "email": f"p{caller.rng.randrange(caller.tenant.plan.people * 2):03}@people.example"}
    return caller.request(CATALOG, "POST", f"{_PROGRAM}/", body)


def _give_back(caller: Caller) -> Request:
    if not caller.assignment_ids:
        return _seat(caller)
    number = caller.assignment_ids.pop(caller.rng.randrange(len(caller.assignment_ids)))
    return caller.request(CATALOG, "DELETE", f"{_PROGRAM}/?assignment_id={number}")


def _grant(caller: Caller) -> Request:
    body = {
        "license_id": caller.tenant.programs[caller.rng.choice(tuple(PROGRAMS))],
        "group_id": caller.tenant.groups[caller.group()],
        "shortage": caller.rng.choice(("reject", "waitlist")),
        "active": caller.rng.random() > 0.4,
    }
    return caller.request(CATALOG, "POST", f"{_PROGRAM}/group/", body)


def _crowd(caller: Caller) -> Request:
    """The large group is given its licence, or loses it again, in chunks; whoever has no such group asks for a seat."""
    if caller.tenant.crowd is None:
        return _seat(caller)
    return crowd_request(caller.tenant, active=caller.rng.random() < 0.5)


def _bundles_of_group(caller: Caller) -> Request:
    codes = [code for code in BUNDLES if caller.rng.random() < 0.5]
    return caller.request(ACCOUNT, "PUT", caller.account(f"/group/{caller.group()}"), {"userBundleCodes": codes})


def _bundles_of_people(caller: Caller) -> Request:
    body = {
        "userIds": sorted({caller.person() for _ in range(caller.rng.randint(1, 8))}),
        "userBundleCodes": [code for code in BUNDLES if caller.rng.random() < 0.4],
    }
    return caller.request(ACCOUNT, "PUT", caller.account(""), body)


def _withdraw(caller: Caller) -> Request:
    return caller.request(ACCOUNT, "DELETE", caller.account(f"/group/{caller.group()}"))


def _put_user(caller: Caller) -> Request:
    """People come, go and change: inactive ones lose their memberships and seats."""
    number = caller.rng.randrange(caller.tenant.plan.people)
    document: Mapping[str, object] = {
        **{name: value for name, value in person(number).items() if name != "key"},
        "department": f"Department {caller.rng.randrange(5)}",
        "active": caller.rng.random() > 0.1,
    }
    return caller.request(NATIVE, "PUT", f"/v1/users/p{number:03}", document)


def _direct(caller: Caller) -> Request:
    items: Sequence[Mapping[str, str]] = [
        {"op": caller.rng.choice(("assign", "unassign")), "license": caller.rng.choice(tuple(PROGRAMS)),
         "user": caller.person()}
        for _ in range(caller.rng.randint(1, 20))
    ]  # fmt: skip
    return caller.request(NATIVE, "POST", "/v1/license-assignments:batch", {"items": items})


# How often each is asked, in proportion.
_KINDS: Mapping[Callable[[Caller], Request], int] = {
    _assign: 20,
    _remove: 12,
    _assign_many: 8,
    _remove_many: 6,
    _seat: 14,
    _address: 4,
    _give_back: 10,
    _grant: 4,
    _crowd: 5,
    _bundles_of_group: 4,
    _bundles_of_people: 4,
    _withdraw: 2,
    _put_user: 6,
    _direct: 4,
}
