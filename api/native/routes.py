"""Everything of the native API as one router: /v1, and the probes."""

from fastapi import APIRouter

from api.native import (
    assignments,
    entitlements,
    events,
    groups,
    health,
    license_assignments,
    licenses,
    operations,
    operators,
    ops,
    roles,
    users,
)

PARTS = (
    users,
    groups,
    roles,
    assignments,
    licenses,
    license_assignments,
    entitlements,
    operations,
    events,
    operators,
    *ops.PARTS,
    health,
)

router = APIRouter()
for part in PARTS:
    router.include_router(part.router)
