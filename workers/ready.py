"""The tenants that may have something to do, in the memory of one worker.

One rule: a claim is a wake-up for its tenant and is acked when that tenant's next pass has ended, whatever the outcome.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter

Ack = Callable[[], None]


class FoundBy(StrEnum):
    """What made a tenant ready; a claim outweighs the others, since it alone says that the broker delivers."""

    CLAIM = "claim"
    POLL = "poll"
    REREAD = "reread"


@dataclass(slots=True)
class _Ready:
    found_by: FoundBy
    acks: list[Ack] = field(default_factory=list)
    claimed_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Tenants for one pass: how many operations each may bring, and the claims that end with it.

    `found_by` and `claimed_at` (of its first claim, by `perf_counter`) are what is measured of each tenant.
    """

    shares: Mapping[int, int]
    acks: tuple[Ack, ...] = field(default=())
    found_by: Mapping[int, FoundBy] = field(default_factory=dict)
    claimed_at: Mapping[int, float] = field(default_factory=dict)


class ReadySet:
    """Tenants in the order in which they became ready. A tenant under suspicion gets passes of its own.

    One that is held back stays where it is until it is let go.
    """

    def __init__(self, *, share: int, tenants: int) -> None:
        self._share = share
        self._tenants = tenants
        self._ready: dict[int, _Ready] = {}
        self._limits: dict[int, int] = {}
        self._apart: set[int] = set()
        self._held_back: set[int] = set()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._free())

    def __contains__(self, tenant_id: int) -> bool:
        """The tenant will be taken, if not at once."""
        return tenant_id in self._ready

    def add(self, tenant_id: int, ack: Ack | None = None, *, found_by: FoundBy = FoundBy.REREAD) -> None:
        """Something may be open for this tenant; an acknowledgement comes with a claim."""
        ready = self._ready.setdefault(tenant_id, _Ready(found_by))
        if ack is not None:
            ready.acks.append(ack)
            ready.found_by = FoundBy.CLAIM
            ready.claimed_at = ready.claimed_at or perf_counter()
        self._filled.set()

    def hold_back(self, tenant_id: int) -> None:
        """Something else of this tenant comes first."""
        self._held_back.add(tenant_id)

    def let_go(self, tenant_id: int) -> None:
        """It has; the tenant may be taken again."""
        self._held_back.discard(tenant_id)
        self._filled.set()

    def suspect(self, tenant_id: int, limit: int) -> None:
        """Run this tenant alone from now on, at most `limit` operations at a time."""
        self._limits[tenant_id] = max(1, limit)

    def set_apart(self, tenant_id: int) -> None:
        """Run this tenant's next pass alone: it begins with an operation that may touch any number of rows."""
        self._apart.add(tenant_id)

    def relieve(self, tenant_ids: Iterable[int]) -> None:
        """A pass over these went well: double what they may bring, until it is a full share again."""
        for tenant_id in tenant_ids:
            limit = self._limits.pop(tenant_id, self._share) * 2
            if limit < self._share:
                self._limits[tenant_id] = limit

    async def next(self) -> Batch:
        """Wait for ready tenants and take them: many together, or one that has to be alone."""
        while not (free := self._free()):
            self._filled.clear()
            await self._filled.wait()
        first = free[0]
        alone = self._limits.keys() | self._apart
        if first in alone:
            self._apart.discard(first)
            return self._take([first])
        together = [tenant_id for tenant_id in free if tenant_id not in alone]
        return self._take(together[: self._tenants])

    def _free(self) -> list[int]:
        return [tenant_id for tenant_id in self._ready if tenant_id not in self._held_back]

    def _take(self, tenant_ids: Iterable[int]) -> Batch:
        taken = {tenant_id: self._ready.pop(tenant_id) for tenant_id in tenant_ids}
        return Batch(
            shares={tenant_id: self._limits.get(tenant_id, self._share) for tenant_id in taken},
            acks=tuple(ack for ready in taken.values() for ack in ready.acks),
            found_by={tenant_id: ready.found_by for tenant_id, ready in taken.items()},
            claimed_at={
                tenant_id: ready.claimed_at for tenant_id, ready in taken.items() if ready.claimed_at is not None
            },
        )
