"""The calls of the account API's user licences.

One rule: a route reads the form, hands a command or a question on, and shapes the answer; it decides nothing.
"""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from api.dialects.account import documents, reading, translate
from api.dialects.account.schemas import (
    Allocation,
    GroupAllocation,
    GroupList,
    QuotaAllocation,
    UserAllocation,
    UserList,
)
from api.errors.api_error import ApiError
from api.http.bodies import json_body, no_body, read_model
from api.http.context import RequestContext, tenant_caller
from api.http.parameters import Text, query
from api.http.submit import submit
from domain.errors import ErrorCode

_ACCOUNT = "/{organizationName}/lease_/api/account/{accountId}"
_TAGS: list[str | Enum] = ["account dialect"]

licenses = APIRouter(prefix=f"{_ACCOUNT}/user-license", tags=_TAGS)
of_group = APIRouter(prefix=f"{_ACCOUNT}/user-license/group/{{groupId}}", tags=_TAGS)
# What is not on the first page is written without /user-license too.
short = APIRouter(prefix=_ACCOUNT, include_in_schema=False)
short_of_group = APIRouter(prefix=f"{_ACCOUNT}/group/{{groupId}}", include_in_schema=False)

# Plain text, not Text: whatever stands here is compared with the caller's own, before anything else is looked at.
Organization = Annotated[str, Path(alias="organizationName", description="The organisation of the tenant.")]
Account = Annotated[str, Path(alias="accountId", description="The tenant's key.")]


def account_caller(scope: str) -> Callable[[Request, str, str], Awaitable[RequestContext]]:
    """A dependency: the context of a tenant's caller who holds the scope, at an address of that tenant's own.

    Raises (when it runs): what `tenant_caller` raises; ApiError ACCOUNT_DOES_NOT_EXIST.
    """
    authenticate = tenant_caller(scope)

    async def at_own_account(request: Request, organization: Organization, account: Account) -> RequestContext:
        context = await authenticate(request)
        if (organization, account) != (context.caller.org, context.caller.tenant_key):
            raise ApiError(ErrorCode.ACCOUNT_DOES_NOT_EXIST)
        return context

    return at_own_account


Reader = Annotated[RequestContext, Depends(account_caller("licenses:read"))]
Writer = Annotated[RequestContext, Depends(account_caller("licenses:write"))]
GroupId = Annotated[Text, Path(alias="groupId", description="The group, by the upstream's own key.")]
Asked = Annotated[Allocation, Depends(query(Allocation))]


@licenses.get("", **documents.QUANTITIES)
async def list_quantities(context: Reader) -> Response:
    """List what the account has of each bundle."""
    return await reading.account_quantities(context)


@licenses.put("", **documents.ALLOCATE_TO_USERS)
@licenses.post("", name="allocate_to_users_by_post", **documents.ALLOCATE_TO_USERS)
async def allocate_to_users(context: Writer, account: Account, asked: Asked) -> Response:
    """Replace the bundles that people have of their own."""
    document = await json_body(context.request)
    return await submit(
        context,
        translate.user_allocation(read_model(UserAllocation, document)),
        form=translate.USERS,
        options=translate.options(account),
        body=document.value,
        dry_run=asked.dry_run,
    )


@short.get("/groups/with-quota", **documents.LICENSED_GROUPS)
@licenses.get("/groups/with-quota", **documents.LICENSED_GROUPS)
async def list_licensed_groups(context: Reader, asked: Annotated[GroupList, Depends(query(GroupList))]) -> Response:
    """List the groups that have bundles."""
    return await reading.licensed_groups(context, asked)


@of_group.get("", **documents.GROUP_BUNDLES)
async def get_group_bundles(context: Reader, account: Account, group: GroupId) -> Response:
    """Get the bundles of a group."""
    return await reading.group_bundles(context, account, group)


@of_group.put("", **documents.ALLOCATE_TO_GROUP)
@of_group.post("", name="allocate_to_group_by_post", **documents.ALLOCATE_TO_GROUP)
async def allocate_to_group(context: Writer, account: Account, group: GroupId, asked: Asked) -> Response:
    """Replace the bundles of a group."""
    document = await json_body(context.request)
    return await submit(
        context,
        translate.group_allocation(group, read_model(GroupAllocation, document)),
        form=translate.GROUP,
        options=translate.options(account),
        body=document.value,
        dry_run=asked.dry_run,
    )


@of_group.delete("", **documents.WITHDRAW_FROM_GROUP)
async def withdraw_from_group(context: Writer, account: Account, group: GroupId, asked: Asked) -> Response:
    """Withdraw all bundles of a group."""
    await no_body(context.request)
    return await submit(
        context,
        translate.withdrawal(group),
        form=translate.GROUP,
        options=translate.options(account),
        dry_run=asked.dry_run,
    )


@short_of_group.get("/with-quota", **documents.GROUP_WITH_QUOTAS)
@of_group.get("/with-quota", **documents.GROUP_WITH_QUOTAS)
async def get_group_with_quotas(context: Reader, account: Account, group: GroupId) -> Response:
    """Get the bundles of a group with their quotas."""
    return await reading.group_with_quotas(context, account, group)


@short_of_group.put("/with-quota", **documents.ALLOCATE_WITH_QUOTAS)
@of_group.put("/with-quota", **documents.ALLOCATE_WITH_QUOTAS)
async def allocate_with_quotas(context: Writer, account: Account, group: GroupId, asked: Asked) -> Response:
    """Replace the bundles of a group and their quotas."""
    document = await json_body(context.request)
    return await submit(
        context,
        translate.quota_allocation(group, read_model(QuotaAllocation, document)),
        form=translate.GROUP_WITH_QUOTAS,
        options=translate.options(account),
        body=document.value,
        dry_run=asked.dry_run,
    )


@short_of_group.get("/bulk-users", **documents.LICENSED_MEMBERS)
@of_group.get("/bulk-users", **documents.LICENSED_MEMBERS)
async def list_licensed_members(
    context: Reader, group: GroupId, asked: Annotated[UserList, Depends(query(UserList))]
) -> Response:
    """List the members who hold seats through a group."""
    return await reading.licensed_members(context, group, asked)


router = APIRouter()
for part in (licenses, of_group, short, short_of_group):
    router.include_router(part)
