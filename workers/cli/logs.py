"""`seatline logs`: what the processes wrote, and with `-f` what they go on writing."""

import time
from pathlib import Path

import click

from infra.local import place

LINES = 40
GLANCE = 0.2


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(0), default=LINES, show_default=True, help="How many of the last.")
@click.argument("name", required=False)
def logs(name: str | None, lines: int, *, follow: bool) -> None:
    """Show the log of NAME (api, worker-1, postgres, rabbitmq, …), or of all."""
    folder = place.of_clone().logs
    known = sorted(path.stem for path in folder.glob("*.log"))
    if name is not None and name not in known:
        raise click.ClickException(f"no log of {name}; there are: {', '.join(known) or 'none'}")
    followed = [
        _Followed(folder / f"{one}.log", prefix="" if name else f"{one}: ") for one in known if name in {None, one}
    ]
    for one in followed:
        one.last(lines)
    while follow:
        for one in followed:
            one.rest()
        time.sleep(GLANCE)


class _Followed:
    """A log file, read up to a place."""

    def __init__(self, path: Path, *, prefix: str) -> None:
        self._file = path.open(encoding="utf-8", errors="replace")
        self._prefix = prefix

    def last(self, count: int) -> None:
        """Print its last lines."""
        lines = self._file.readlines()
        self._print(lines[len(lines) - min(count, len(lines)) :])

    def rest(self) -> None:
        """Print what came since."""
        self._print(self._file.readlines())

    def _print(self, lines: list[str]) -> None:
        for line in lines:
            click.echo(self._prefix + line.rstrip("\n"))
