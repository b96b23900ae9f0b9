"""What a person needs after `up`: addresses, tokens, and three lines to paste."""

from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.local import environment_file
from infra.local.place import ROOT, Place
from workers.cli.first_request import FirstRequest, curl_lines


def show(here: Place) -> None:
    """Print the table and the lines; the lines are never wrapped, so that they can be copied."""
    values = environment_file.read(here.environment)
    first = FirstRequest.read(here.ready)
    if not values or first is None:
        return
    url, token = values["SEATLINE_URL"], values["SEATLINE_TOKEN"]
    rows = _rows(here, values)
    # No borders and no folding: what is long can still be copied in one piece.
    table = Table.grid(padding=(0, 3))
    for name, text in rows.items():
        table.add_row(f"[bold]{name}[/]", escape(text))
    click.echo("\nSeatline is up\n")
    Console(width=max(len(name) + len(text) for name, text in rows.items()) + 20, highlight=False).print(table)
    batch, operation, events = curl_lines(url, token, first)
    click.echo("\n# a batch (sent again, it answers the same), its operation, its events:")
    for line in (batch, operation, events):
        click.echo(line)


def _rows(here: Place, values: dict[str, str]) -> dict[str, str]:
    url = values["SEATLINE_URL"]
    rows = {
        "API": url,
        "documentation": f"{url}/docs",
        "console": f"{url}/console (sign in with the operator's token)",
        "token (tenant demo)": values["SEATLINE_TOKEN"],
        "token (operator)": values["SEATLINE_ADMIN_TOKEN"],
        "Postgres": values["SEATLINE_DATABASE_URL"],
        "RabbitMQ": values["SEATLINE_AMQP_URL"] or "none: work is found by polling",
    }
    if values["SEATLINE_MANAGEMENT_URL"]:
        parts = urlsplit(values["SEATLINE_MANAGEMENT_URL"])
        rows["RabbitMQ management"] = f"http://{parts.hostname}:{parts.port} ({parts.username}, {parts.password})"
    rows["for scripts"] = str(here.environment.relative_to(ROOT))
    return rows
