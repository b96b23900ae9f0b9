"""The lists: parameters to a question, rows to an answer.

One rule: a list is of a licence that exists; a filter that matches nothing is an empty list.
"""

from collections.abc import Iterable

from fastapi import Response
from starlette.datastructures import URL

from api.dialects.catalog import shapes
from api.dialects.catalog.queries import GroupAssignmentList, LicenseList, Paged, UserAssignmentList
from api.errors.api_error import ApiError
from api.http.context import RequestContext
from api.http.responses import json_response
from domain.errors import JSON, ErrorCode
from infra.postgres.reads import catalog
from infra.postgres.reads.catalog_values import AssignmentsWanted, GroupsWanted, Part, ProgramsWanted


async def program_licenses(context: RequestContext, asked: LicenseList) -> Response:
    """A page of the tenant's program licences."""
    wanted = ProgramsWanted(
        part=_part(asked),
        active=asked.active,
        external_id=asked.external_id,
        name=asked.name,
        program_id=asked.program_id,
        part_of_name=asked.query or None,
        source=asked.source,
        verbose=asked.verbose,
    )
    rows, total = await catalog.page_of_programs(context.database, context.tenant_id, wanted)
    platform = context.caller.tenant_key or ""
    shown = (shapes.program_license_of_row(row, platform=platform) for row in rows)
    return _page(context, asked, shown, total)


async def user_assignments(context: RequestContext, asked: UserAssignmentList) -> Response:
    """A page of a licence's assignments."""
    wanted = AssignmentsWanted(
        part=_part(asked),
        license_id=asked.license_id,
        active=asked.active,
        fulfilled=asked.fulfilled,
        user_id=asked.user_id,
        email=asked.email,
    )
    found = await catalog.page_of_assignments(context.database, context.tenant_id, wanted)
    if found is None:
        raise _no_license()
    program, rows, total = found
    return _page(context, asked, (shapes.user_assignment_of_row(row, program) for row in rows), total)


async def group_assignments(context: RequestContext, asked: GroupAssignmentList) -> Response:
    """A page of the groups that have a licence."""
    wanted = GroupsWanted(
        part=_part(asked),
        license_id=asked.license_id,
        active=asked.active,
        fulfilled=asked.fulfilled,
        group_id=asked.group_id,
    )
    found = await catalog.page_of_groups(context.database, context.tenant_id, wanted)
    if found is None:
        raise _no_license()
    program, rows, total = found
    return _page(context, asked, (shapes.group_assignment_of_row(row, program) for row in rows), total)


def _part(asked: Paged) -> Part:
    return Part(descending=asked.sort.is_descending, offset=(asked.page - 1) * asked.page_size, limit=asked.page_size)


def _page(context: RequestContext, asked: Paged, results: Iterable[JSON], total: int) -> Response:
    address, last = context.request.url, max(-(-total // asked.page_size), 1)
    following = _at(address, asked.page + 1) if asked.page < last else None
    # Behind the last page the way back leads to the last.
    preceding = _at(address, min(asked.page - 1, last)) if asked.page > 1 else None
    return json_response(shapes.page(list(results), total=total, following=following, preceding=preceding))


def _at(address: URL, page: int) -> str:
    """The same list's other page, absolute, with all its parameters."""
    return str(address.include_query_params(page=page))


def _no_license() -> ApiError:
    return ApiError(ErrorCode.LICENSE_DOES_NOT_EXIST, details={"field": "license_id"})
