"""The reads: parameters to a question, rows to an answer.

One rule: what does not exist is refused in the order account, group; an account without bundles does not exist.
"""

from fastapi import Response

from api.dialects.account import shapes
from api.dialects.account.schemas import GroupList, GroupSort, Paged, SortOrder, UserList, UserSort
from api.errors.api_error import ApiError
from api.http.context import RequestContext
from api.http.responses import json_response
from domain.errors import ErrorCode
from infra.postgres.reads.account import (
    By,
    LicensedGroup,
    Missing,
    Wanted,
    bundles_of_group,
    page_of_groups,
    page_of_members,
    quantities,
)

_BY_GROUP = {None: By.MADE, GroupSort.ID: By.KEY, GroupSort.NAME: By.NAME}
_BY_USER = {
    None: By.MADE,
    UserSort.ID: By.KEY,
    UserSort.EMAIL: By.EMAIL,
    UserSort.NAME: By.FIRST_NAME,
    UserSort.SURNAME: By.LAST_NAME,
    UserSort.DISPLAY_NAME: By.DISPLAY_NAME,
}


async def account_quantities(context: RequestContext) -> Response:
    """What the account has of each bundle."""
    pools = await quantities(context.database, context.tenant_id)
    if not pools:
        raise _missing(Missing.ACCOUNT)
    return json_response([shapes.quantity(pool) for pool in pools])


async def group_bundles(context: RequestContext, account: str, group: str) -> Response:
    """The set of a group."""
    found = await _group(context, group)
    codes = [bundle.code for bundle in found.bundles]
    return json_response(shapes.group_bundles(group, account, external=found.use_external_license, codes=codes))


async def group_with_quotas(context: RequestContext, account: str, group: str) -> Response:
    """The set of a group with its quotas."""
    found = await _group(context, group)
    codes = [bundle.code for bundle in found.bundles]
    return json_response(shapes.group_with_quotas(group, account, codes=codes, quotas=shapes.quotas_of(found)))


async def licensed_groups(context: RequestContext, asked: GroupList) -> Response:
    """A page of the groups that have bundles."""
    wanted = _wanted(asked, _BY_GROUP[asked.sortBy])
    found = await page_of_groups(context.database, context.tenant_id, wanted)
    if isinstance(found, Missing):
        raise _missing(found)
    groups, total = found
    return json_response(shapes.page(map(shapes.licensed_group, groups), total=total))


async def licensed_members(context: RequestContext, group: str, asked: UserList) -> Response:
    """A page of the members who hold seats through the group."""
    wanted = _wanted(asked, _BY_USER[asked.sortBy])
    found = await page_of_members(context.database, context.tenant_id, group, wanted)
    if isinstance(found, Missing):
        raise _missing(found)
    members, total = found
    return json_response(shapes.page(map(shapes.licensed_member, members), total=total))


async def _group(context: RequestContext, group: str) -> LicensedGroup:
    found = await bundles_of_group(context.database, context.tenant_id, group)
    if isinstance(found, Missing):
        raise _missing(found)
    return found


def _wanted(asked: Paged, by: By) -> Wanted:
    return Wanted(by=by, descending=asked.sortOrder is SortOrder.DESC, offset=asked.skip, limit=asked.top)


def _missing(what: Missing) -> ApiError:
    if what is Missing.ACCOUNT:
        return ApiError(ErrorCode.ACCOUNT_DOES_NOT_EXIST)
    return ApiError(ErrorCode.USER_GROUP_DOES_NOT_EXIST, details={"field": "groupId"})
