"""The screen of `top`, as a terminal of 80 columns shows it."""

import copy
import io

from rich.console import Console

from api.native.ops.room_examples import OVERVIEW, WORKER
from workers.cli.top_screen import screen

WIDTH = 80


def drawn(*shown, colours=False):
    """The lines of a terminal."""
    console = Console(file=io.StringIO(), force_terminal=colours, no_color=not colours, width=WIDTH, height=24)
    console.print(screen(*shown))
    return console.file.getvalue().splitlines()


def line_with(lines, word):
    return next(line for line in lines if word in line)


def test_everything_stands_on_a_screen_of_80_by_24():
    lines = drawn(OVERVIEW, [WORKER, {**WORKER, "alive": False, "is_relay_leader": False}])
    assert len(lines) <= 24
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith("Seatline  2025-11-21T09:41:00Z  database up  broker up  workers 2")
    assert line_with(lines, "queued").split()[:2] == ["queued", "12"]
    assert "214 ms" in line_with(lines, "oldest")
    assert "6 / 15 / 28 ms" in line_with(lines, "accept p50")
    assert "812.4" in line_with(lines, "accepted/s")
    assert "1,204" in line_with(lines, "waiting seats")
    assert [line for line in lines if "leads the relay" in line]
    assert [line for line in lines if "gone" in line and "seatline-7c9f-12" in line]
    assert "42,000" in "".join(lines)


def test_what_is_not_known_is_not_drawn_as_nothing():
    unknown = copy.deepcopy(OVERVIEW)
    unknown["queue"] |= {"depth": None, "oldest_age_seconds": None}
    unknown["rates"] = dict.fromkeys(unknown["rates"])
    unknown["database"]["state"] = "down"
    lines = drawn(unknown, [])
    assert line_with(lines, "queued").split()[:2] == ["queued", "?"]
    assert "database down" in lines[0]
    capped = copy.deepcopy(OVERVIEW)
    capped["queue"] |= {"depth": 10_000, "depth_is_capped": True}
    assert "10,000+" in line_with(drawn(capped, []), "queued")


def test_an_answer_that_does_not_come_is_said_above_what_was_last_seen():
    assert drawn(None, [], "no answer from http://x") == ["no answer from http://x"]
    lines = drawn(OVERVIEW, [WORKER], "no answer from http://x")
    assert lines[0] == "no answer from http://x"
    assert "queued" in "".join(lines)


def test_the_terminal_obeys_no_name():
    hostile = {**WORKER, "name": "\x1b[2Jgone\x07[red]x[/red]\u202e"}
    text = "\n".join(drawn(OVERVIEW, [hostile], colours=True))
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "[red]x[/red]" in text
