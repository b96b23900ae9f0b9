"""`seatline top`: the installation at a glance in a terminal, live.

One rule: it shows what `/v1/ops/overview` and `/v1/ops/workers` tell; an answer that does not come is shown as that.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import click
import httpx
from rich.console import Console
from rich.live import Live

from workers.cli.top_screen import screen

EVERY_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0

Document = dict[str, Any]


class NoAnswerError(Exception):
    """The API was not reached, or could not answer just now; trying again is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """The operators' room over HTTP."""

    client: httpx.Client

    def get(self, path: str) -> Document:
        """What stands there.

        Raises:
            NoAnswerError: nobody answered, or with 5xx.
            click.ClickException: it is refused.
        """
        try:
            answer = self.client.get(path)
        except httpx.TransportError as error:
            raise NoAnswerError(f"no answer from {self.client.base_url} ({type(error).__name__})") from None
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NoAnswerError(f"{path}: {answer.status_code}")
        if answer.status_code != HTTPStatus.OK:
            raise click.ClickException(_refusal(path, answer))
        document: Document = answer.json()
        return document


def _refusal(path: str, answer: httpx.Response) -> str:
    if answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"{path}: {answer.status_code}: the token must be an operator's, with ops:read"
    return f"{path}: {answer.status_code}"


@click.command()
@click.option("--url", envvar="SEATLINE_URL", help="The API.", show_envvar=True)
@click.option("--token", envvar="SEATLINE_ADMIN_TOKEN", help="An operator's, with ops:read.", show_envvar=True)
@click.option("--once", is_flag=True, help="Show it once and end; so does an output that is no terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print one overview as JSON and nothing else.")
def top(url: str | None, token: str | None, *, once: bool, as_json: bool) -> None:
    """Watch depth, age, rates and workers; Ctrl-C ends it."""
    if not url or not token:
        raise click.ClickException(
            "give --url and --token (an operator's), or set SEATLINE_URL and SEATLINE_ADMIN_TOKEN; "
            "`seatline up` starts an API"
        )
    console = Console()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=_PATIENCE_SECONDS, trust_env=False) as client:
        room = _Room(client=client)
        if as_json:
            click.echo(json.dumps(_answered(room)[0], ensure_ascii=False))
        elif once or not console.is_terminal:
            console.print(screen(*_answered(room)))
        else:
            with contextlib.suppress(KeyboardInterrupt):
                _watch(room, console)


def _answered(room: _Room) -> tuple[Document, list[Document]]:
    try:
        return _read(room)
    except NoAnswerError as error:
        raise click.ClickException(str(error)) from None


def _read(room: _Room) -> tuple[Document, list[Document]]:
    return room.get("/v1/ops/overview"), room.get("/v1/ops/workers")["items"]


def _watch(room: _Room, console: Console) -> None:
    with Live(console=console, screen=True, auto_refresh=False) as live:
        for overview, workers, problem in _looks(room):
            live.update(screen(overview, workers, problem), refresh=True)
            time.sleep(EVERY_SECONDS)


def _looks(room: _Room) -> Iterator[tuple[Document | None, list[Document], str | None]]:
    """What was last seen, and why it is not seen now."""
    overview: Document | None = None
    workers: list[Document] = []
    while True:
        problem = None
        try:
            overview, workers = _read(room)
        except NoAnswerError as error:
            problem = str(error)
        yield overview, workers, problem
