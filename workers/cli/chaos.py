"""`seatline chaos`: runs the service under fire; everything it does is in tests/chaos."""

import os
import sys

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def chaos(arguments: tuple[str, ...]) -> None:
    """Run faults under load and count what became of everything; ARGUMENTS go to it (try --help)."""
    # In place of this process, so that signals and the exit code need no passing on.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "tests.chaos", *arguments])  # noqa: S606
