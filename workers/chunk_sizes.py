"""How many rows a chunk takes: as many as were done in the time a chunk may take.

One rule: a chunk's time is what others of its tenant wait, so it is measured and never estimated.
"""

from domain.continuations import Continuing

AIM_SECONDS = 0.075
"""A fan-out in chunks of 2,000 rows took a third longer than in chunks of 4,000, since every chunk has the same dozen
statements around its rows."""

MOST_ROWS = 5_000
_FIRST_ROWS = {Continuing.GIVE: MOST_ROWS}
# A machine that is busy with something else must not make chunks so small that little but their overhead is left.
_LEAST_ROWS = {Continuing.GIVE: 3_000}
_LEAST_OF_OTHERS = 200
# One slow chunk (a checkpoint, another tenant's burst) must not make all that follow tiny.
_SLOWEST, _FASTEST = 0.5, 1.5


class ChunkSizes:
    """Rows of the next chunk of each kind. With `rows` it is always that many."""

    def __init__(self, *, rows: int | None = None) -> None:
        self._fixed = rows
        self._rows = {kind: float(_FIRST_ROWS.get(kind, _least(kind))) for kind in Continuing}

    def of(self, kind: Continuing) -> int:
        """How many rows the next chunk of this kind takes."""
        return self._fixed or int(self._rows[kind])

    def took(self, kind: Continuing, *, rows: int, seconds: float) -> None:
        """Learn from a chunk. One that had fewer rows than it could have taken says nothing of larger ones."""
        factor = min(max(AIM_SECONDS / max(seconds, 0.001), _SLOWEST), _FASTEST)
        if factor < 1 or rows >= int(self._rows[kind]):
            self._rows[kind] = float(min(max(self._rows[kind] * factor, _least(kind)), MOST_ROWS))


def _least(kind: Continuing) -> int:
    return _LEAST_ROWS.get(kind, _LEAST_OF_OTHERS)
