"""What operators' routes have in common: tenants by their keys, operations by their ids, the whole of one operation."""

from uuid import UUID

from api.errors.api_error import ApiError
from api.http.context import RequestContext
from api.native.ops.views import whole_operation
from domain.errors import JSON, ErrorCode
from infra.postgres.operations import OperationView
from infra.postgres.reads.found_operations import Key, listed_operations, place_of, tenant_of_key
from infra.postgres.reads.operations import find_operation
from infra.postgres.reads.told import told_of


async def tenant_number(context: RequestContext, key: str | None) -> int | None:
    """The tenant of this key; None where none is asked for.

    Raises:
        ApiError: TENANT_DOES_NOT_EXIST.
    """
    if key is None:
        return None
    number = await tenant_of_key(context.services.database, key)
    if number is None:
        raise ApiError(ErrorCode.TENANT_DOES_NOT_EXIST)
    return number


async def operation_place(context: RequestContext, operation_id: str) -> Key:
    """Whose operation this is.

    Raises:
        ApiError: OPERATION_DOES_NOT_EXIST.
    """
    try:
        wanted = UUID(operation_id)
    except ValueError:
        raise ApiError(ErrorCode.OPERATION_DOES_NOT_EXIST) from None
    place = await place_of(context.services.database, wanted)
    if place is None:
        raise ApiError(ErrorCode.OPERATION_DOES_NOT_EXIST)
    return place


async def operation_view(context: RequestContext, place: Key) -> OperationView:
    """The operation as it is stored.

    Raises:
        ApiError: OPERATION_DOES_NOT_EXIST; it was removed meanwhile.
    """
    view = await find_operation(context.services.database, *place)
    if view is None:
        raise ApiError(ErrorCode.OPERATION_DOES_NOT_EXIST)
    return view


async def whole(context: RequestContext, place: Key, *, after: int = 0, limit: int = 100) -> dict[str, JSON]:
    """Everything there is to show of an operation.

    Raises:
        ApiError: OPERATION_DOES_NOT_EXIST; it was removed meanwhile.
    """
    database, view = context.services.database, await operation_view(context, place)
    found = await listed_operations(database, [place])
    if not found:
        raise ApiError(ErrorCode.OPERATION_DOES_NOT_EXIST)
    told = await told_of(database, place)
    return whole_operation(found[0], view, told, context.services.forms, after=after, limit=limit)
