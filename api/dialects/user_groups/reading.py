"""The three reads: parameters to a question, rows to an answer.

One rule: what does not exist is refused in the order group, user, role, assignment.
"""

from fastapi import Response

from api.dialects.user_groups import shapes
from api.dialects.user_groups.schemas import (
    AssignableRoleList,
    AssignmentEmbed,
    AssignmentList,
    RoleEmbed,
    RoleSort,
    SingleRead,
)
from api.errors.api_error import ApiError
from api.http.context import RequestContext
from api.http.responses import json_response
from domain.errors import JSON, ErrorCode
from infra.postgres.reads.user_groups import (
    AssignmentsWanted,
    By,
    Missing,
    RolesWanted,
    find_assignment,
    page_of_assignable_roles,
    page_of_group,
)

WRITE_SCOPE = "groups:write"

_MISSING = {
    Missing.GROUP: (ErrorCode.USER_GROUP_DOES_NOT_EXIST, "group_id"),
    Missing.USER: (ErrorCode.USER_DOES_NOT_EXIST, "user_id"),
    Missing.ROLE: (ErrorCode.ROLE_DOES_NOT_EXIST, "role_id"),
    Missing.ASSIGNMENT: (ErrorCode.USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST, None),
}


async def assignments(context: RequestContext, group: str, asked: AssignmentList) -> Response:
    """A page of the group's assignments."""
    wanted = AssignmentsWanted(
        search=asked.search_term or None,
        roles=asked.role_ids,
        order=[By(sort.removeprefix("USER_").lower()) for sort in asked.sort],
        offset=(asked.page_number - 1) * asked.page_limit,
        limit=asked.page_limit,
    )
    found = await page_of_group(context.database, context.tenant_id, group, wanted)
    if found is None:
        raise _missing(Missing.GROUP)
    rows, total = found
    with_actions = AssignmentEmbed.ACTIONS in asked.embed
    deletable = deletable_roles(context)
    items: list[JSON] = [
        shapes.assignment_of_row(row, context.languages, deletable_roles=deletable, with_actions=with_actions)
        for row in rows
    ]
    body = shapes.page("assignments", items, number=asked.page_number, limit=asked.page_limit, total=total)
    if with_actions:
        body["actions"] = [] if deletable is not None and not deletable else ["CREATE"]
    return _localised(context, body)


async def assignment(context: RequestContext, group: str, user: str, role: str, asked: SingleRead) -> Response:
    """One assignment."""
    found = await find_assignment(context.database, context.tenant_id, group=group, user=user, role=role)
    if isinstance(found, Missing):
        raise _missing(found)
    body = shapes.assignment_of_row(
        found,
        context.languages,
        deletable_roles=deletable_roles(context),
        with_actions=AssignmentEmbed.ACTIONS in asked.embed,
    )
    return _localised(context, body)


async def assignable_roles(context: RequestContext, group: str, asked: AssignableRoleList) -> Response:
    """A page of the roles that the caller may give in the group."""
    wanted = RolesWanted(
        among=context.caller.roles,
        languages=context.languages.fallbacks,
        descending=asked.sort[0] is RoleSort.ROLE_TITLE_DESC if asked.sort else None,
        offset=(asked.page_number - 1) * asked.page_limit,
        limit=asked.page_limit,
    )
    found = await page_of_assignable_roles(context.database, context.tenant_id, group, wanted)
    if found is None:
        raise _missing(Missing.GROUP)
    rows, total = found
    with_role = RoleEmbed.ROLE in asked.embed
    items: list[JSON] = [shapes.assignable_role(row, context.languages, with_role=with_role) for row in rows]
    return _localised(
        context,
        shapes.page("assignable_roles", items, number=asked.page_number, limit=asked.page_limit, total=total),
    )


def deletable_roles(context: RequestContext) -> tuple[str, ...] | None:
    """The roles that the caller may give and take; None: all."""
    return context.caller.roles if context.caller.may(WRITE_SCOPE) else ()


def _localised(context: RequestContext, body: JSON) -> Response:
    return json_response(body, headers={"Content-Language": context.languages.spoken})


def _missing(what: Missing) -> ApiError:
    code, field = _MISSING[what]
    return ApiError(code, details={"field": field} if field else None)
