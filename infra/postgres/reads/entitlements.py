"""Why people have licences, or what they wait for, by keyset: of a person, of a licence, of a group, or of all.

One rule: which index is walked follows from what is asked; no page reads more than a window of it, nor counts more than
`COUNTED` rows of waiting lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.entitlements import DIRECT, Named, State
from domain.explanations import Explanation, Reason
from domain.users import fold
from infra.postgres.database import Reads, Row, Transaction
from infra.postgres.reads.pages import Page, Place, cut, window_for
from infra.postgres.statements import load

_SQL = load("read_entitlements")
FIRST_PLACE: Place = (0, 0)

COUNTED = 100_000
"""How far places in waiting lists are counted for one page, all its licences together: 40 ms at worst on 2 cores."""

_LAST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementFilter:
    """User, licence and group by key, the state as callers see it. None asks nothing."""

    user: str | None = None
    license: str | None = None
    group: str | None = None
    state: str | None = None


class UnknownKeyError(Exception):
    """The filter names a user, licence or group that does not exist; `named` says which."""

    def __init__(self, named: str) -> None:
        super().__init__(named)
        self.named = named


async def page_of_entitlements(
    database: Reads, tenant_id: int, *, wanted: EntitlementFilter, after: Place, limit: int
) -> Page[Explanation]:
    """Entitlements behind the place `after` (licence and entitlement id), in the order of these ids.

    Raises:
        UnknownKeyError: the filter's user, licence or group does not exist.
    """
    async with database.transaction() as tx:
        user_id, license_id, group_id = await _ids(tx, tenant_id, wanted)
        window = window_for(limit, wanted.state, group_id if user_id is not None else None)
        begin = after if license_id is None else max(after, (license_id, 0))
        rows = await tx.fetch(
            _SQL[_walk(wanted)],
            tenant_id=tenant_id,
            user_id=user_id,
            group_id=group_id,
            after_license=begin[0],
            after_id=begin[1],
            last_license=_LAST_ID if license_id is None else license_id,
            states=_states(wanted.state),
            window=window,
            limit=limit,
        )
        found = cut(rows, limit=limit, window=window, read=lambda row: int(row["id"]))
        return Page(items=await _shown(tx, tenant_id, found.items), next=found.next)


async def page_of_address(
    database: Reads, tenant_id: int, *, email: str, after: Place, limit: int
) -> Page[Explanation]:
    """As `page_of_entitlements`, of an e-mail address, compared without case, whose person is not known."""
    async with database.transaction() as tx:
        rows = await tx.fetch(
            _SQL["entitlements_of_address"],
            tenant_id=tenant_id,
            email_key=fold(email),
            after_license=after[0],
            after_id=after[1],
            window=limit + 1,
        )
        found = cut(rows, limit=limit, window=limit + 1, read=lambda row: int(row["id"]))
        return Page(items=await _shown(tx, tenant_id, found.items), next=found.next)


async def _ids(tx: Transaction, tenant_id: int, wanted: EntitlementFilter) -> tuple[int | None, int | None, int | None]:
    (row,) = await tx.fetch(
        _SQL["ids_of_filter"], tenant_id=tenant_id, user=wanted.user, license=wanted.license, group=wanted.group
    )
    for name in ("user", "license", "group"):
        if getattr(wanted, name) is not None and row[f"{name}_id"] is None:
            raise UnknownKeyError(name)
    return row["user_id"], row["license_id"], row["group_id"]


def _walk(wanted: EntitlementFilter) -> str:
    if wanted.user is not None:
        return "entitlements_of_person"
    if wanted.group is not None:
        return "entitlements_of_group"
    return "entitlements_of_licenses" if wanted.state in {None, State.ACTIVE.shown} else "entitlements_not_active"


def _states(shown: str | None) -> list[int]:
    return [int(state) for state in State if shown in {None, state.shown}]


async def _shown(tx: Transaction, tenant_id: int, ids: Sequence[int]) -> list[Explanation]:
    """Those that are still there, in the order of `ids`."""
    if not ids:
        return []
    rows = await tx.fetch(_SQL["entitlements_shown"], tenant_id=tenant_id, ids=list(ids), counted=COUNTED)
    return [_explanation(row) for row in rows]


def _explanation(row: Row) -> Explanation:
    return Explanation(
        id=row["id"],
        license=Named(row["license_id"], row["license_key"]),
        user=None if row["user_id"] is None else Named(row["user_id"], row["user_key"]),
        email=row["email"],
        state=State(row["state"]),
        license_gives=row["gives"],
        position=row["position"],
        position_beyond=row["position_beyond"],
        since=row["created_at"],
        until=row["expires_at"],
        reasons=_reasons(row),
    )


def _reasons(row: Row) -> list[Reason]:
    """Direct first, then by grant."""
    columns = (row["grant_ids"], row["group_ids"], row["group_keys"], row["since"], row["operation_ids"])
    return [
        Reason(
            group=None if grant_id == DIRECT else Named(group_id, group_key or ""),
            since=since,
            operation_id=operation_id,
        )
        for grant_id, group_id, group_key, since, operation_id in zip(*(c or () for c in columns), strict=True)
    ]
