"""How values read to people: numbers, ages, instants, and text that may hold anything.

One rule: pure functions without markup; templates escape whatever comes out.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

NOTHING = "\N{EM DASH}"
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
# Control characters are shown as the pictures that Unicode has for them, so that nothing hides and nothing acts.
_PICTURES: Mapping[int, str] = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"},
    0x7F: "\N{SYMBOL FOR DELETE}",
    # What turns the direction of the text that follows could make one thing read as another.
    **{code: f"<U+{code:04X}>" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}


def number(value: float | None) -> str:
    """1,234; with one decimal below ten where there is a fraction."""
    if value is None:
        return NOTHING
    if value != int(value) and abs(value) < 10:  # noqa: PLR2004 - two digits are enough
        return f"{value:.1f}"
    return f"{round(value):,}"


def seconds(value: float | None) -> str:
    """A duration of seconds in the unit that people would choose: 25 ms, 0.4 s, 12 s, 3 min, 5 h 20 min, 2 d 4 h."""
    if value is None:
        return NOTHING
    value = max(value, 0.0)
    if value < 0.1 and round(value * 1000):  # noqa: PLR2004 - tenths would say nothing
        return f"{value * 1000:.0f} ms"
    if value < 10:  # noqa: PLR2004 - below, tenths matter
        return f"{value:.1f} s" if round(value * 1000) else "0 s"
    if value < 2 * _MINUTE:
        return f"{value:.0f} s"
    if value < _HOUR:
        return f"{value / _MINUTE:.0f} min"
    if value < _DAY:
        return _two(value, _HOUR, "h", _MINUTE, "min")
    return _two(value, _DAY, "d", _HOUR, "h")


def milliseconds(value: float | None) -> str:
    """A duration of milliseconds: 3.4 ms, 120 ms, 2.1 s."""
    if value is None:
        return NOTHING
    if value >= 1000:  # noqa: PLR2004 - a second
        return seconds(value / 1000)
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"  # noqa: PLR2004 - below, tenths matter


def percent(value: float | None) -> str:
    """A share of one as 42 %; what is not quite all never reads 100 %."""
    if value is None:
        return NOTHING
    shown = math.floor(value * 100) if value < 1 else round(value * 100)
    return f"{shown} %"


def instant(value: str | None) -> str:
    """An instant of the API to the second, in UTC: 2025-11-21 03:52:06."""
    return NOTHING if value is None else f"{_parsed(value):%Y-%m-%d %H:%M:%S}"


def clock(value: str | None) -> str:
    """The time of day of an instant, in UTC: 03:52:06."""
    return NOTHING if value is None else f"{_parsed(value):%H:%M:%S}"


def ago(value: str | None, now: datetime | None = None) -> str:
    """How long ago an instant was: 12 s ago; one to come reads `in 3 min`."""
    if value is None:
        return NOTHING
    passed = ((now or datetime.now(UTC)) - _parsed(value)).total_seconds()
    return f"in {seconds(-passed)}" if passed < -1 else f"{seconds(math.floor(max(passed, 0)))} ago"


def between(begin: str | None, end: str | None) -> str:
    """The time from one instant to another."""
    if begin is None or end is None:
        return NOTHING
    return milliseconds((_parsed(end) - _parsed(begin)).total_seconds() * 1000)


def visible(value: object) -> str:
    """A text with its control characters made visible."""
    return str(value).translate(_PICTURES)


def document(value: object) -> str:
    """A JSON value as people read it, over several lines."""
    return visible(json.dumps(value, indent=2, ensure_ascii=False))


def in_line(value: object) -> str:
    """A JSON value in one line."""
    return visible(json.dumps(value, ensure_ascii=False))


def shortened(value: object, length: int = 160) -> str:
    """The first line of a text, cut at a length."""
    line = visible(value).strip().split("\n", 1)[0]
    return line if len(line) <= length else f"{line[:length]}\N{HORIZONTAL ELLIPSIS}"


def word(value: object) -> str:
    """A name of the API as a person reads it: partially_succeeded becomes partially succeeded."""
    return str(value).replace("_", " ")


def address(path: str, **parameters: Any) -> str:
    """A path of the console with its parameters, whatever characters they hold; empty ones are left out."""
    pairs = {name: value for name, value in parameters.items() if value not in (None, "", [], ())}
    return f"/console{quote(path)}" + (f"?{urlencode(pairs, doseq=True)}" if pairs else "")


def things(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: 1 operation, 3 operations."""
    return f"{number(count)} {one if count == 1 else many or f'{one}s'}"


def share(part: float, whole: float) -> float:
    """A part of a whole in percent, between 0 and 100; of nothing, all is there."""
    return 100.0 if whole <= 0 else max(0.0, min(100.0, part / whole * 100))


def filled(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that say something."""
    return {name: value for name, value in parameters.items() if value not in (None, "", [], ())}


def _two(value: float, large: float, large_unit: str, small: float, small_unit: str) -> str:
    whole, rest = divmod(value, large)
    part = int(rest // small)
    return f"{whole:.0f} {large_unit}" + (f" {part} {small_unit}" if part else "")


def _parsed(value: str) -> datetime:
    parsed = datetime.fromisoformat(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
