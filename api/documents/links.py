"""Where answers lead: the OpenAPI links from what a caller got to the calls that go on from there.

One rule: a link takes each of its parameters out of the answer, or out of the request that it answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Where lists go on: the parameter that continues one, and the field of its answer that says with what.
_GOES_ON = {"cursor": "next_cursor", "after": "next", "outcomes_after": "items/next"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The route to go on to, by its function's name, and its parameters as OpenAPI's runtime expressions."""

    to: str
    given: Mapping[str, str]

    @property
    def document(self) -> dict[str, Any]:
        """As it stands in the document."""
        return {"operationId": self.to, "parameters": dict(self.given)}


def link(to: str, **given: str) -> Link:
    """A link to the route of that function."""
    return Link(to=to, given=given)


def shown(pointer: str) -> str:
    """What the answer shows there."""
    return f"$response.body#/{pointer}"


def asked(name: str) -> str:
    """What stood there in the path."""
    return f"$request.path.{name}"


def filtered(name: str) -> str:
    """What stood there in the query."""
    return f"$request.query.{name}"


def operation_link(*, is_operators: bool) -> dict[str, Any]:
    """From a write to the operation that it made."""
    to = "look_into_operation" if is_operators else "get_operation"
    return Link(to=to, given={"operation_id": "$response.header.Seatline-Operation"}).document


def next_page(operation: Mapping[str, Any]) -> dict[str, Any] | None:
    """From a page of a list to the next, with the same filters; None where the operation is no such list."""
    names = [one["name"] for one in operation["parameters"] if one["in"] == "query"]
    going_on = next((name for name in _GOES_ON if name in names), None)
    if going_on is None:
        return None
    given = {name: filtered(name) for name in names if name != going_on}
    paths = {one["name"]: asked(one["name"]) for one in operation["parameters"] if one["in"] == "path"}
    return Link(to=operation["operationId"], given={**paths, **given, going_on: shown(_GOES_ON[going_on])}).document


def documented(links: Sequence[Link]) -> dict[str, Any]:
    """The links by their names, which are those of the routes they lead to."""
    return {one.to: one.document for one in links}
