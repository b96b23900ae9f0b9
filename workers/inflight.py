"""What a worker is at, named for whoever finds it dead: what passes and chunks ask of its liveness."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from infra.postgres.passes import OpenOperation


class Inflight(Protocol):
    """What this worker is at, as others see it."""

    @property
    def worker_id(self) -> int:
        """This worker's row."""

    async def is_careful(self) -> bool:
        """Whether the server has crashed lately, as far as this worker knows; registers first where that has to be."""


class PassInflight(Inflight, Protocol):
    """Of passes."""

    async def name(self, operations: Sequence[OpenOperation]) -> bool:
        """Name them in a transaction of its own; True where a dead worker seems to have named one of their tenants."""

    def end_pass(self) -> int:
        """The pass's own transaction is about to clear them; returns this worker's row."""

    async def clear(self) -> None:
        """Name them no more: the pass was given up."""


class ChunkInflight(Inflight, Protocol):
    """Of chunks."""

    async def name_chunk(self, tenant_id: int, operation_id: UUID, *, counted: int) -> bool:
        """Name it in a transaction of its own; True where a dead worker seems to have named the tenant too.

        `counted` are its attempts and deaths as they were read.
        """

    def end_chunk(self) -> int:
        """The chunk's own transaction is about to clear it; returns this worker's row."""

    async def clear_chunk(self) -> None:
        """Name it no more: the chunk was given up."""


class Named:
    """What a pass, or a chunk, has named last, and whether it still runs."""

    def __init__(self) -> None:
        self.operations: Sequence[tuple[int, UUID]] = ()
        self.running: Sequence[tuple[int, UUID]] = ()

    def begin(self, operations: Sequence[tuple[int, UUID]]) -> None:
        """It is about to run these."""
        self.operations = self.running = operations

    def end(self) -> None:
        """It runs none of them any more, or will not once its transaction has ended."""
        self.running = ()
