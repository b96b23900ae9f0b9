"""The file in which an import writes what became of each row, and by which it goes on after it was stopped.

One rule: a chunk's results are all in the file or count as none; a chunk whose rows have changed counts as none too.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

import click

from workers.cli.chunks_of_rows import Chunk

COLUMNS = ("row", "subject", "outcome", "id", "code", "column", "message", "chunk")
_HEADER = (",".join(COLUMNS) + "\n").encode()
_OUTCOME, _CHUNK = COLUMNS.index("outcome"), COLUMNS.index("chunk")


class RowResult(NamedTuple):
    """What became of one row: created, replaced, unchanged, invalid or refused; why, and which column is named."""

    number: int
    subject: str
    outcome: str
    id: str = ""
    code: str = ""
    column: str = ""
    message: str = ""


@dataclass(slots=True)
class Results:
    """An open results file, positioned behind the last chunk that is known to be done."""

    _file: BinaryIO

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """Open the file, a new one where there is none.

        Raises:
            click.ClickException: there is a file of another kind, which is left alone.
        """
        path.touch()
        with path.open("r+b") as file:
            header = file.readline()
            if header not in {b"", _HEADER}:
                raise click.ClickException(f"{path} is no results file: remove it, or name another by --results")
            if not header:
                file.write(_HEADER)
            yield cls(file)

    def done(self, chunk: Chunk) -> list[str] | None:
        """The outcomes of the chunk, where the file's next results are its own; else None, and the file ends here."""
        begin = self._file.tell()
        outcomes: list[str] = []
        for row in chunk.rows:
            cells = _cells(self._file.readline())
            if len(cells) != len(COLUMNS) or (cells[0], cells[_CHUNK]) != (str(row.number), chunk.digest):
                self._file.seek(begin)
                self._file.truncate()
                return None
            outcomes.append(cells[_OUTCOME])
        return outcomes

    def write(self, chunk: Chunk, results: Sequence[RowResult]) -> None:
        """Append the chunk's results and hand them to the system at once, so that a kill does not lose them."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows((*(_one_line(cell) for cell in result), chunk.digest) for result in results)
        self._file.write(text.getvalue().encode())
        self._file.flush()

    def end(self) -> None:
        """Remove what an earlier, longer file left behind the last row."""
        self._file.truncate()


def _one_line(cell: object) -> str:
    """Each result is one line, so that a torn one can be told."""
    return " ".join(str(cell).splitlines())


def _cells(line: bytes) -> list[str]:
    if not line.endswith(b"\n"):
        return []
    return next(csv.reader([line.decode("utf-8", "replace")]), [])
