"""Loads named SQL blocks from the .sql files beside this module.

One rule: SQL stands in its own files, in blocks headed `-- name: lock_tenants`, with `:name` binds; a block is
turned into asyncpg's `$n` form once, at import.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HEADER = re.compile(r"^-- name: (?P<name>[a-z_]+)$", re.MULTILINE)
# A bind is :name, but not the second half of a :: cast and not inside a quoted literal.
_TOKEN = re.compile(r"'(?:[^']|'')*'|--[^\n]*|(?<!:):(?P<bind>[a-z_]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One SQL block: its name, its text with `$n` places, and the bind names in that order."""

    name: str
    sql: str
    binds: tuple[str, ...]


@cache
def load(file: str) -> dict[str, Statement]:
    """All blocks of `sql/<file>.sql`, by name.

    Raises:
        ValueError: a name stands twice.
    """
    text = (Path(__file__).parent / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    headers = list(_HEADER.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    blocks = {header["name"]: text[header.end() : end] for header, end in zip(headers, ends, strict=True)}
    if len(blocks) != len(headers):
        raise ValueError(f"{file}.sql names a block twice")
    return {name: compile_block(name, body) for name, body in blocks.items()}


def compile_block(name: str, body: str) -> Statement:
    """Turn `:name` binds into `$n`, each name one place however often it stands."""
    binds: list[str] = []

    def place(match: re.Match[str]) -> str:
        bind = match["bind"]
        if bind is None:
            return "" if match[0].startswith("--") else match[0]
        if bind not in binds:
            binds.append(bind)
        return f"${binds.index(bind) + 1}"

    sql = _TOKEN.sub(place, body).strip().removesuffix(";")
    return Statement(name=name, sql=sql, binds=tuple(binds))
