"""The operators' API (/v1/ops) as the command line calls it.

One rule: what a command shows or does is one of those calls; a refusal is one line and exit code 1.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import click

from workers.cli.public_api import GLANCE, OPEN, CallError, PublicApi

Document = dict[str, Any]

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorApi:
    """Calls with an operator's token."""

    api: PublicApi

    def get(self, path: str, parameters: Mapping[str, object] | None = None) -> Document:
        """What is read there.

        Raises:
            click.ClickException: it is refused.
        """
        asked = {name: value for name, value in (parameters or {}).items() if value not in (None, (), [])}
        return self._call("GET", f"{path}?{urlencode(asked, doseq=True)}" if asked else path)

    def post(self, path: str, body: object | None = None) -> Document:
        """What was done, or begun.

        Raises:
            click.ClickException: it is refused.
        """
        return self._call("POST", path, body)

    def pages(self, path: str, parameters: Mapping[str, object], *, limit: int) -> Document:
        """Items of a list, page after page, up to the limit; `next_cursor` is where they end."""
        page = self.get(path, {**parameters, "limit": min(limit, 500)})
        items = page["items"]
        while len(items) < limit and page["next_cursor"] is not None:
            left = min(limit - len(items), 500)
            page = self.get(path, {**parameters, "limit": left, "cursor": page["next_cursor"]})
            items = [*items, *page["items"]]
        return {**page, "items": items}

    def follow(self, operations: Sequence[Document], look: Callable[[int, int], None]) -> list[Document]:
        """Wait until all of these operations have ended, telling how far they are; returns them."""
        while True:
            seen = [self.get(f"/v1/ops/operations/{one['id']}") for one in operations]
            progress = [one["progress"] for one in seen]
            look(sum(one["done"] for one in progress), sum(one["total"] for one in progress))
            if not any(one["status"] in OPEN for one in seen):
                return seen
            time.sleep(GLANCE)

    def _call(self, method: str, path: str, body: object | None = None) -> Document:
        try:
            answer = self.api.call(method, path, body, follow=False)
        except CallError as error:
            raise click.ClickException(str(error)) from None
        if answer.status >= HTTPStatus.BAD_REQUEST:
            said = answer.body.get("detail") or answer.body.get("title") or answer.body
            code = answer.body.get("code")
            raise click.ClickException(f"{said} ({code})" if code else str(said))
        return answer.body


def operator_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--url` and `--token`, which the command is given as one value, `api`."""

    @wraps(command)
    def with_api(url: str | None, token: str | None, **others: object) -> None:
        with _operator_api(url, token) as api:
            command(api=api, **others)

    with_api = click.option("--token", envvar="SEATLINE_ADMIN_TOKEN", help="An operator's.", show_envvar=True)(with_api)
    return click.option("--url", envvar="SEATLINE_URL", help="The API.", show_envvar=True)(with_api)


@contextmanager
def _operator_api(url: str | None, token: str | None) -> Iterator[OperatorApi]:
    if not url:
        raise click.ClickException("which API? Give --url or set SEATLINE_URL; `seatline up` starts one")
    if not token:
        raise click.ClickException(
            "an operator's token is needed: give --token or set SEATLINE_ADMIN_TOKEN;"
            " `seatline tokens create --operator --scope ops:write` makes one"
        )
    api = PublicApi(url=url, token=token, look=lambda: None)
    try:
        yield OperatorApi(api=api)
    finally:
        api.close()


def show(document: object, *, as_json: bool, lines: Iterator[str]) -> None:
    """The document for programs, or these lines for people."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for line in lines:
        click.echo(printable(line))


def printable(text: str) -> str:
    """The text without what a terminal would obey: names and messages are other people's."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
