"""Which of the open operations a pass takes, and in which groups it hands them to the handlers. Pure.

One rule: a tenant's operations are never reordered; a pass takes a prefix of each tenant's log.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from domain.commands import Kind
from infra.postgres.passes import OpenOperation

Queues = Mapping[int, Sequence[OpenOperation]]

_UNBOUNDED = frozenset(
    {
        Kind.SET_GROUP_LICENSE,
        Kind.REMOVE_GROUP_LICENSE,
        Kind.REPLACE_GROUP_BUNDLES,
        Kind.REPROCESS_GROUP,
        Kind.CHECK_LICENSES,
        Kind.REPAIR_COUNTS,
        Kind.REDRIVE_DEAD_LETTERS,
        Kind.DISCARD_DEAD_LETTERS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one pass may take; a tenant's first operation is taken however large it is."""

    operations: int
    items: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a pass takes of each tenant, and the tenants that have to come back for a pass of their own.

    `suspected` are those whose next operation has attempts, `unbounded` those whose next one may touch any number of
    rows.
    """

    taken: dict[int, list[OpenOperation]]
    suspected: frozenset[int] = frozenset()
    unbounded: frozenset[int] = frozenset()

    @property
    def operations(self) -> list[OpenOperation]:
        """Everything that is taken, tenant by tenant in accept order."""
        return [operation for queue in self.taken.values() for operation in queue]


def select(queues: Queues, budget: Budget) -> Selection:
    """Take a prefix of every tenant's queue, in turns, until the budget is used up.

    An operation with attempts, and an unbounded one, runs alone: it ends the prefix of its tenant, and as a head it is
    taken only where its tenant is the pass's only one.
    """
    suspected = frozenset(tenant_id for tenant_id, queue in queues.items() if queue[0].attempts)
    unbounded = frozenset(t for t, queue in queues.items() if is_unbounded(queue[0])) - suspected
    if len(queues) == 1 and (suspected or unbounded):
        return Selection(taken={t: [queue[0]] for t, queue in queues.items()})
    prefixes = {
        tenant_id: list(takewhile(lambda operation: not operation.attempts and not is_unbounded(operation), queue))
        for tenant_id, queue in queues.items()
        if tenant_id not in suspected | unbounded
    }
    return Selection(taken=_within(prefixes, budget), suspected=suspected, unbounded=unbounded)


def is_unbounded(operation: OpenOperation) -> bool:
    """Whether the operation, however short, may touch any number of rows: it then goes on in chunks."""
    return operation.kind in _UNBOUNDED or operation.request.get("cascade") is True


def _within(prefixes: Mapping[int, Sequence[OpenOperation]], budget: Budget) -> dict[int, list[OpenOperation]]:
    taken: dict[int, list[OpenOperation]] = {}
    operations, items, size = budget.operations, budget.items, budget.bytes
    for place in range(max((len(prefix) for prefix in prefixes.values()), default=0)):
        for tenant_id, prefix in prefixes.items():
            if place >= len(prefix) or len(taken.get(tenant_id, ())) < place:
                continue
            operation = prefix[place]
            fits = operations > 0 and operation.items <= items and operation.bytes <= size
            if fits or not taken:
                taken.setdefault(tenant_id, []).append(operation)
                operations, items, size = operations - 1, items - operation.items, size - operation.bytes
    return taken


def waves(taken: Queues) -> Iterator[list[OpenOperation]]:
    """The head runs of all tenants, grouped by kind, again and again until nothing is left.

    A dry run is a wave of its own, since its effects are taken back before the next operation is decided.
    """
    rest = {tenant_id: list(queue) for tenant_id, queue in taken.items()}
    while rest:
        by_kind: dict[str, list[OpenOperation]] = {}
        for tenant_id, queue in list(rest.items()):
            run = _head_run(queue)
            if run[0].dry_run:
                yield run
            else:
                by_kind.setdefault(run[0].kind, []).extend(run)
            del queue[: len(run)]
            if not queue:
                del rest[tenant_id]
        yield from by_kind.values()


def _head_run(queue: Sequence[OpenOperation]) -> list[OpenOperation]:
    head = queue[0]
    if head.dry_run:
        return [head]
    return list(takewhile(lambda operation: operation.kind == head.kind and not operation.dry_run, queue))
