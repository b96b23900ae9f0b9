"""What failed and where, for log lines and dead letters, without a value in it.

One rule: an exception's own text is never written, since it may quote rows, requests and credentials.
"""

import traceback
from pathlib import Path

# Enough to see the handler and the statement's function.
_FRAMES = 6


def trace(error: BaseException) -> str:
    """The exception's type, its SQLSTATE where it has one, and the path through our own code to where it was raised."""
    sqlstate = getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    path = " > ".join(f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames[-_FRAMES:])
    name = type(error).__name__ + (f" {sqlstate}" if isinstance(sqlstate, str) else "")
    return f"{name} at {path}" if path else name
