"""How many rows a chunk takes: as many as were done in the time a chunk may take.

One rule: a chunk's time is what others of its tenant wait, so it is measured and never estimated.
"""

from domain.continuations import Continuing

AIM_SECONDS = 0.025
MOST_ROWS = 5_000
_FIRST_ROWS = 500
# One slow chunk (a checkpoint, another tenant's burst) must not make all that follow tiny.
_SLOWEST, _FASTEST = 0.5, 1.5


class ChunkSizes:
    """Rows of the next chunk of each kind. With `rows` it is always that many."""

    def __init__(self, *, rows: int | None = None) -> None:
        self._fixed = rows
        self._rows = dict.fromkeys(Continuing, float(_FIRST_ROWS))

    def of(self, kind: Continuing) -> int:
        """How many rows the next chunk of this kind takes."""
        return self._fixed or int(self._rows[kind])

    def took(self, kind: Continuing, *, rows: int, seconds: float) -> None:
        """Learn from a chunk. One that had fewer rows than it could have taken says nothing of larger ones."""
        factor = min(max(AIM_SECONDS / max(seconds, 0.001), _SLOWEST), _FASTEST)
        if factor < 1 or rows >= int(self._rows[kind]):
            self._rows[kind] = min(max(self._rows[kind] * factor, 1.0), float(MOST_ROWS))

    def failed(self, kind: Continuing) -> None:
        """A chunk was too much, or one of its rows was: take half."""
        self._rows[kind] = max(self._rows[kind] / 2, 1.0)
