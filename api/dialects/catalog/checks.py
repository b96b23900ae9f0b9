"""What must hold of a request beside the form of its parts: whose it is, that its parts agree, where it leads.

One rule: a platform that is not the token's is refused alike, whether it exists or not.
"""

from collections.abc import Collection

from api.authentication import Caller
from api.dialects.catalog.queries import Platform
from api.dialects.catalog.redirects import is_allowed
from api.dialects.catalog.schemas import GroupAssignmentBody, PlatformBody, UserAssignmentBody
from api.errors.api_error import ApiError, invalid_field, invalid_parameter
from domain.errors import ErrorCode
from domain.users import fold


def require_own_platform(caller: Caller, *said: Platform | PlatformBody) -> None:
    """Refuse a platform that is not the caller's own tenant.

    Raises:
        ApiError: FORBIDDEN.
    """
    own = {"platform_key": caller.tenant_key, "platform_org": caller.org}
    for part in said:
        for field, value in own.items():
            if field in part.model_fields_set and getattr(part, field) != value:
                raise ApiError(ErrorCode.FORBIDDEN, details={"field": field})


def require_agreement(asked: Platform, body: PlatformBody) -> None:
    """Refuse a parameter that says something else than the field of its name; one without such a field says nothing.

    Raises:
        ApiError: INVALID_PARAMETER naming it.
    """
    for name in type(asked).model_fields:
        both = name in asked.model_fields_set and name in body.model_fields_set
        if both and not _are_equal(getattr(asked, name), getattr(body, name)):
            raise invalid_parameter(name, "contradicts")


def _are_equal(one: object, other: object) -> bool:
    """Names are compared as everywhere, without case."""
    if isinstance(one, str) and isinstance(other, str):
        return fold(one) == fold(other)
    return one == other


def require_redirect(body: UserAssignmentBody | GroupAssignmentBody, hosts: Collection[str]) -> None:
    """Refuse a redirect that does not lead to an allowed host.

    Raises:
        ApiError: VALIDATION_FAILED naming it.
    """
    if body.redirect_to is not None and not is_allowed(body.redirect_to, hosts):
        raise invalid_field("redirect_to", "not_redirect")
