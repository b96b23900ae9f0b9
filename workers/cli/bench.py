"""`seatline bench`: measures the service on servers of its own; everything it does is in tests/benchmarks."""

import os
import sys

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Run the benchmarks; ARGUMENTS go to them (try --help)."""
    # In place of this process, so that signals and the exit code need no passing on.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "tests.benchmarks", *arguments])  # noqa: S606
