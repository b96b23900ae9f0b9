"""Everything of the native API as one router: /v1, and the probes."""

from fastapi import APIRouter

from api.native import assignments, events, groups, health, operations, operators, roles, users

PARTS = (users, groups, roles, assignments, operations, events, operators, health)

router = APIRouter()
for part in PARTS:
    router.include_router(part.router)
