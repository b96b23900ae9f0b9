"""The screen of `seatline top`: an overview and the workers, as a terminal shows them.

One rule: words first, colour second; names are other people's, and never obeyed by the terminal.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Document = Mapping[str, Any]

_OLD_SECONDS = 10.0
_GOOD, _BAD, _QUIET = "green", "bold red", "dim"


def screen(overview: Document | None, workers: Sequence[Document], problem: str | None = None) -> RenderableType:
    """Everything; without an overview only the problem. Fits into 80 columns."""
    parts: list[RenderableType] = [] if problem is None else [Text(printable(problem), style=_BAD)]
    if overview is None:
        return Group(*parts)
    parts += [_head(overview), Text(), _numbers(overview), Text(), _workers(workers)]
    return Group(*parts)


def printable(text: object) -> str:
    """The text without what a terminal would obey."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(text))


def _head(overview: Document) -> Text:
    line = Text(f"Seatline  {overview['at'][:19]}Z")
    for name, is_good in (("database", "up"), ("broker", "up")):
        state = overview[name]["state"]
        line.append(f"  {name} ")
        line.append(state, style=_GOOD if state == is_good else _QUIET if state == "none" else _BAD)
    alive = overview["workers"]["alive"]
    line.append("  workers ")
    line.append(_count(alive), style=_GOOD if alive else _BAD)
    return line


def _numbers(overview: Document) -> Table:
    table = Table.grid(padding=(0, 3))
    for _ in range(4):
        table.add_column()
    left, right = list(_left(overview)), list(_right(overview))
    for (name, value), (other, beside) in zip(left, right, strict=True):
        table.add_row(Text(name, style=_QUIET), value, Text(other, style=_QUIET), beside)
    return table


def _left(overview: Document) -> Iterator[tuple[str, Text]]:
    queue, rates = overview["queue"], overview["rates"]
    age = queue["oldest_age_seconds"]
    yield "queued", Text(_count(queue["depth"]) + ("+" if queue["depth_is_capped"] else ""))
    yield "oldest", Text(_duration(age), style=_BAD if age is not None and age > _OLD_SECONDS else "")
    yield "running", Text(_count(queue["running"]))
    for name in ("accepted", "applied", "events"):
        yield f"{name}/s", Text(_decimal(rates[name]))


def _right(overview: Document) -> Iterator[tuple[str, Text]]:
    dead, outbox = overview["dead_letters"], overview["outbox"]
    yield "accept p50/p95/p99", Text(_times(overview["accept_ms"]))
    yield "apply p50/p95/p99", Text(_times(overview["apply_ms"]))
    yield "outbox", Text(f"{_count(outbox['pending'])}, {_duration(outbox['lag_seconds'])} behind")
    yield "waiting seats", Text(_count(overview["waiting_seats"]))
    yield "dead letters", Text(_count(dead), style=_BAD if dead else "")
    yield "unreadable", Text(_count(overview["unreadable"]), style=_BAD if overview["unreadable"] else "")


def _workers(workers: Sequence[Document]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=_QUIET)
    for name in ("worker", "version", "state", "doing"):
        table.add_column(name, no_wrap=name != "doing", overflow="ellipsis")
    for worker in workers:
        state = "leads the relay" if worker["is_relay_leader"] else "alive" if worker["alive"] else "gone"
        table.add_row(
            Text(printable(worker["name"])),
            Text(printable(worker["version"])),
            Text(state, style=_GOOD if worker["alive"] else _BAD),
            Text(printable(_doing(worker["doing"]))),
        )
    return table


def _doing(doing: Document) -> str:
    chunk = doing["chunk"]
    said = [f"{doing['operation_count']} operations"] if doing["operation_count"] else []
    if chunk is not None:
        said.append(f"{chunk['kind']} for {chunk['tenant']}: {chunk['done']:,} of {chunk['total']:,}")
    return ", ".join(said) or "nothing"


def _count(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _decimal(value: float | None) -> str:
    return "?" if value is None else f"{value:,.1f}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def _times(times: Document) -> str:
    shown = ["-" if times[name] is None else f"{times[name]:,.0f}" for name in ("p50", "p95", "p99")]
    return " / ".join(shown) + " ms"
