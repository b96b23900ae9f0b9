"""Reads and writes `.dev/env`: lines KEY='value' that a shell can source."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from infra.local.state import write_private


def write(path: Path, values: Mapping[str, str]) -> None:
    """Replace the file, readable by nobody else.

    Raises:
        ValueError: a value holds a quote or a newline, which a line cannot.
    """
    for name, value in values.items():
        if "'" in value or "\n" in value:
            raise ValueError(f"{name} holds a quote or a newline")
    write_private(path, "".join(f"{name}='{value}'\n" for name, value in values.items()))


def read(path: Path) -> dict[str, str]:
    """The values in the file; none where there is no file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}
