"""What every route is made of: nothing that costs each request a thread."""

import inspect
from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.app import ROUTERS


def routes(router: APIRouter) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from routes(route.original_router)


def calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for below in dependant.dependencies:
        yield from calls(below)


ROUTES = [route for router in ROUTERS for route in routes(router)]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_no_request_waits_for_a_thread(route):
    """FastAPI runs whatever is not a coroutine function in a thread, which takes longer than what ours do."""
    called = list(calls(route.dependant))
    assert called
    assert [call for call in called if not inspect.iscoroutinefunction(call)] == []
