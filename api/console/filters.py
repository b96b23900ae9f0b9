"""What a page's search form asks for, out of its address.

One rule: only fields that the form has are read, and /v1/ops decides what they mean and what is wrong with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import Request

from api.console.asking import Ops, RefusedError
from api.console.wording import address, filled

_PAGE = 50
_UNUSABLE = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A page of a list: what was asked, what was found, and where it goes on.

    `problem` is what /v1/ops has to say against what was asked; nothing was found then.
    """

    path: str
    asked: Mapping[str, str]
    items: Sequence[Mapping[str, Any]] = ()
    total: int | None = None
    next_cursor: str | None = None
    scanned_until: str | None = None
    problem: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether anything narrows the list."""
        return any(name != "cursor" for name in self.asked)

    @property
    def is_continued(self) -> bool:
        """Whether this is a later page."""
        return "cursor" in self.asked

    @property
    def next_url(self) -> str:
        """The page after this one; empty where there is none."""
        return address(self.path, **{**self.asked, "cursor": self.next_cursor}) if self.next_cursor else ""

    @property
    def first_url(self) -> str:
        """The first page of the same list."""
        return address(self.path, **{name: value for name, value in self.asked.items() if name != "cursor"})

    @property
    def bare_url(self) -> str:
        """The list without any filter."""
        return address(self.path)


def asked_of(request: Request, *names: str) -> dict[str, str]:
    """The fields of the form, and the cursor, as they stand in the address; empty ones are left out."""
    return filled({name: request.query_params.get(name, "").strip() for name in (*names, "cursor")})


async def search(
    ops: Ops, source: str, *, path: str, asked: Mapping[str, str], parameters: Mapping[str, Any] | None = None
) -> Search:
    """Ask `source` of /v1/ops for what `asked` (or `parameters`, where they differ) wants.

    Raises:
        RefusedError: /v1/ops refuses for another reason than what was asked.
    """
    try:
        found = await ops.get(source, {"limit": _PAGE, **(asked if parameters is None else parameters)})
    except RefusedError as refusal:
        if refusal.status not in _UNUSABLE:
            raise
        return Search(path=path, asked=asked, problem=refusal.detail)
    return Search(
        path=path,
        asked=asked,
        items=found["items"],
        total=found.get("total"),
        next_cursor=found.get("next_cursor"),
        scanned_until=found.get("scanned_until"),
    )


def is_operation_id(text: str) -> bool:
    """Whether the text has the form of an operation's id."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
