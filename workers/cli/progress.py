"""Says what is being done, with the seconds since the start, so that nobody has to wonder whether it hangs."""

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True, kw_only=True)
class Progress:
    """Lines for a person; call it with a text."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    began: float = field(default_factory=time.monotonic)

    def __call__(self, text: str) -> None:
        """Print one line at once."""
        elapsed = time.monotonic() - self.began
        print(f"{elapsed:6.1f} s  {text}", file=self.stream, flush=True)
