"""The command line's table of contents.

Its one rule: a command's module is imported when that command runs, so that a container needs no development package.
"""

import importlib
import os
from collections.abc import Mapping
from pathlib import Path

import click
from typing_extensions import override

from infra.local import environment_file, place
from infra.version import VERSION

# command -> (module, attribute, one line of help)
COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "up": ("workers.cli.up", "up", "Start everything on this machine, with sample data."),
    "down": ("workers.cli.down", "down", "Stop what `up` started."),
    "status": ("workers.cli.status", "status", "Say what is up; exit code 0 only when all is."),
    "logs": ("workers.cli.logs", "logs", "Show what the processes wrote."),
    "test": ("workers.cli.testing", "test", "Run the test suite on servers of its own."),
    "bench": ("workers.cli.bench", "bench", "Measure the service on servers of its own."),
    "chaos": ("workers.cli.chaos", "chaos", "Run the service under fire and count what became of everything."),
    "api": ("workers.cli.service", "api", "Run one API process."),
    "worker": ("workers.cli.service", "worker", "Run one worker process."),
    "migrate": ("workers.cli.service", "migrate", "Bring the database to this version's schema."),
    "check": ("workers.cli.check", "check", "Print the settings and say which servers are reached."),
    "settings": ("workers.cli.check", "settings_table", "Print every setting as a Markdown table."),
    "tenants": ("workers.cli.administration", "tenants", "Create and list tenants."),
    "tokens": ("workers.cli.administration", "tokens", "Issue, list and revoke API tokens."),
    "operations": ("workers.cli.operations", "operations", "Find any operation, look into it, cancel a queued one."),
    "dead-letters": ("workers.cli.dead_letters", "dead_letters", "List, redrive and discard what failed."),
    "events": ("workers.cli.events", "events", "Follow a tenant's events, live and without gaps."),
    "explain": ("workers.cli.explain", "explain", "Say why a person has a licence, or what they wait for."),
    "top": ("workers.cli.top", "top", "Watch depth, age, rates and workers in the terminal."),
    "import": ("workers.cli.importing", "import_file", "Import users, groups, assignments, licences from a CSV file."),
    "export": ("workers.cli.exporting", "export", "Export the same as CSV."),
    "verify": ("workers.cli.verify", "verify", "Recount everything from the rows; exit code 1 on drift."),
    "sbom": ("workers.cli.sbom", "sbom", "Print a software bill of materials of the locked packages."),
    "completion": ("workers.cli.completion", "completion", "Print the shell's completion script."),
}
# These make servers themselves: the ones of a running `up` must not leak into them.
MAKE_SERVERS = frozenset({"up", "down", "status", "logs", "test", "bench", "chaos"})


class Contents(click.Group):
    """A group that imports a command when it is asked for."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the table."""
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is not a command")
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table itself, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=Contents, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="seatline", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Seatline gives licences and group roles to people, at scale."""
    if ctx.invoked_subcommand not in MAKE_SERVERS:
        use_running_servers(place.of_clone().environment)


def use_running_servers(path: Path) -> None:
    """Let a command find the servers of a running `up`; what the person set already wins."""
    for name, value in environment_file.read(path).items():
        os.environ.setdefault(name, value)


def main() -> None:
    """Run the command line."""
    cli(prog_name="seatline")
