"""What failed and where, for log lines and dead letters, without a value in it.

One rule: an exception's own text is never written, since it may quote rows, requests and credentials.
"""

import traceback
from pathlib import Path

# Enough to see the handler and the statement's function.
_FRAMES = 6
_CODE = Path(__file__).parents[1]
_PACKAGES = frozenset({"api", "domain", "infra", "workers", "tests"})
# Every statement goes through it: its frames would push out those that say whose statement it was.
_CONDUIT = _CODE / "infra" / "postgres" / "sessions.py"
_IN_STATEMENT = "in the statement "


def met_in(error: BaseException, statement: str) -> None:
    """Note the name of the statement that met an error: its row may be told to somebody who did not send it."""
    error.add_note(f"{_IN_STATEMENT}{statement}")


def trace(error: BaseException) -> str:
    """The exception's type, its SQLSTATE and statement where it has them, the path through our code to its origin."""
    sqlstate = getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_ours(Path(frame.filename))]
    path = " > ".join(f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames[-_FRAMES:])
    name = type(error).__name__ + (f" {sqlstate}" if isinstance(sqlstate, str) else "") + _statement(error)
    return f"{name} at {path}" if path else name


def _is_ours(file: Path) -> bool:
    """Whether it is code of ours, in a clone or installed beside the libraries, that a reader wants to see."""
    if file == _CONDUIT or not file.is_relative_to(_CODE):
        return False
    return file.relative_to(_CODE).parts[0] in _PACKAGES


def _statement(error: BaseException) -> str:
    noted = (note for note in getattr(error, "__notes__", ()) if note.startswith(_IN_STATEMENT))
    return next((f" {note}" for note in noted), "")
