"""What an overview means: whether anybody has to do something, and what.

One rule: a number becomes a warning here and nowhere else, so that tiles, verdict and tests agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from api.console.wording import address, seconds, things

# Operations are applied within tenths of a second; what waits for ten seconds waits for somebody.
LATE_SECONDS = 10.0
VERY_LATE_SECONDS = 300.0


class Level(StrEnum):
    """How urgent something is."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing to know, and the page that tells more."""

    level: Level
    text: str
    url: str = ""


def remarks(overview: Mapping[str, Any]) -> Sequence[Remark]:
    """Everything that is not as it should be, the most urgent first; none where all is well."""
    found = [*_servers(overview), *_queue(overview["queue"]), *_outbox(overview), *_failures(overview)]
    return sorted(found, key=lambda remark: remark.level is not Level.BAD)


def level_of(found: Sequence[Remark]) -> Level:
    """The most urgent of them."""
    return found[0].level if found else Level.GOOD


def lateness(age: float | None) -> Level:
    """What it means that something has waited so long."""
    if age is None or age < LATE_SECONDS:
        return Level.GOOD
    return Level.WARN if age < VERY_LATE_SECONDS else Level.BAD


def _servers(overview: Mapping[str, Any]) -> list[Remark]:
    found = []
    if overview["database"]["state"] != "up":
        found.append(Remark(level=Level.BAD, text="The database does not answer: nothing is accepted or applied"))
    if overview["workers"]["alive"] == 0:  # where it is not known, the database is what has to be said
        found.append(Remark(level=Level.BAD, text="No worker is alive: what is accepted waits"))
    if overview["broker"]["state"] == "down":
        text = "The broker does not answer: work is found by polling, events wait"
        found.append(Remark(level=Level.WARN, text=text))
    return found


def _queue(queue: Mapping[str, Any]) -> list[Remark]:
    level = lateness(queue["oldest_age_seconds"])
    if level is Level.GOOD:
        return []
    text = f"The oldest operation has waited for {seconds(queue['oldest_age_seconds'])}"
    oldest = queue.get("oldest")
    return [Remark(level=level, text=text, url=address(f"/operations/{oldest['id']}") if oldest else "")]


def _outbox(overview: Mapping[str, Any]) -> list[Remark]:
    level = lateness(overview["outbox"]["lag_seconds"])
    # Without a broker nothing is meant to be published.
    if level is Level.GOOD or overview["broker"]["state"] == "none":
        return []
    text = f"Events have waited for {seconds(overview['outbox']['lag_seconds'])} to be published"
    return [Remark(level=level, text=text)]


def _failures(overview: Mapping[str, Any]) -> list[Remark]:
    found = []
    if overview["dead_letters"]:
        text = f"{things(overview['dead_letters'], 'dead letter')} to look at"
        found.append(Remark(level=Level.WARN, text=text, url=address("/dead-letters")))
    if overview["unreadable"]:
        text = f"{things(overview['unreadable'], 'message')} of the broker cannot be read"
        found.append(Remark(level=Level.WARN, text=text, url=address("/dead-letters/unreadable")))
    return found
