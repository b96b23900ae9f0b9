"""Everything of the console as one router."""

from fastapi import APIRouter

from api.console import (
    assets,
    audit,
    dead_letters,
    events,
    fulfilment,
    operations,
    overview,
    signing,
    unreadable,
)
from api.console.answering import ConsoleRoute, not_found

# The unreadable ones have an address among those of the dead letters, and so come first.
PARTS = (assets, signing, overview, operations, unreadable, dead_letters, fulfilment, events, audit)

router = APIRouter(include_in_schema=False)
for part in PARTS:
    router.include_router(part.router)

_rest = APIRouter(route_class=ConsoleRoute)


@_rest.api_route("/console/{rest:path}", methods=["GET", "POST"])
async def unknown(rest: str) -> None:
    """Whatever else is asked for below /console."""
    del rest
    raise not_found()


router.include_router(_rest)
