"""Which HTTP status each code has: one table for `/v1`, and what the published dialects do otherwise.

One rule: no status of a refusal stands anywhere else.
"""

from collections.abc import Mapping
from http import HTTPStatus as Http
from types import MappingProxyType

from domain.errors import ErrorCode as Code

NATIVE: Mapping[Code, int] = MappingProxyType(
    {
        Code.MALFORMED_JSON: Http.BAD_REQUEST,
        Code.VALIDATION_FAILED: Http.UNPROCESSABLE_ENTITY,
        Code.INVALID_PARAMETER: Http.BAD_REQUEST,
        Code.BODY_TOO_LARGE: Http.REQUEST_ENTITY_TOO_LARGE,
        Code.UNSUPPORTED_MEDIA_TYPE: Http.UNSUPPORTED_MEDIA_TYPE,
        Code.BATCH_EMPTY: Http.UNPROCESSABLE_ENTITY,
        Code.BATCH_TOO_LARGE: Http.UNPROCESSABLE_ENTITY,
        Code.UNAUTHENTICATED: Http.UNAUTHORIZED,
        Code.FORBIDDEN: Http.FORBIDDEN,
        Code.NOT_FOUND: Http.NOT_FOUND,
        Code.METHOD_NOT_ALLOWED: Http.METHOD_NOT_ALLOWED,
        Code.IDEMPOTENCY_KEY_INVALID: Http.BAD_REQUEST,
        Code.IDEMPOTENCY_KEY_REUSED: Http.UNPROCESSABLE_ENTITY,
        Code.TOO_MANY_OPEN_OPERATIONS: Http.TOO_MANY_REQUESTS,
        Code.TOO_MANY_REQUESTS: Http.TOO_MANY_REQUESTS,
        Code.DATABASE_UNAVAILABLE: Http.SERVICE_UNAVAILABLE,
        Code.BROKER_UNAVAILABLE: Http.SERVICE_UNAVAILABLE,
        Code.ACCEPTANCE_UNKNOWN: Http.SERVICE_UNAVAILABLE,
        Code.INTERNAL_ERROR: Http.INTERNAL_SERVER_ERROR,
        Code.EVENTS_EXPIRED: Http.GONE,
        Code.OPERATION_DOES_NOT_EXIST: Http.NOT_FOUND,
        Code.OPERATION_NOT_QUEUED: Http.CONFLICT,
        Code.DEAD_LETTERS_CHANGED: Http.CONFLICT,
        Code.TENANT_DOES_NOT_EXIST: Http.NOT_FOUND,
        Code.TENANT_ALREADY_EXISTS: Http.CONFLICT,
        Code.TOKEN_DOES_NOT_EXIST: Http.NOT_FOUND,
        Code.INVALID_ITEM: Http.UNPROCESSABLE_ENTITY,
        Code.USER_DOES_NOT_EXIST: Http.NOT_FOUND,
        Code.USER_IS_NOT_ACTIVE: Http.CONFLICT,
        Code.USERNAME_TAKEN: Http.CONFLICT,
        Code.EMAIL_TAKEN: Http.CONFLICT,
        Code.USER_GROUP_DOES_NOT_EXIST: Http.NOT_FOUND,
        Code.USER_GROUP_IN_USE: Http.CONFLICT,
        Code.ROLE_DOES_NOT_EXIST: Http.NOT_FOUND,
        Code.ROLE_HAS_WRONG_PERMISSION_SCOPE: Http.CONFLICT,
        Code.ROLE_NOT_ASSIGNABLE: Http.FORBIDDEN,
        Code.ROLE_IN_USE: Http.CONFLICT,
        Code.ROLE_IS_BUILT_IN: Http.CONFLICT,
        Code.USER_GROUP_ASSIGNMENT_ALREADY_EXISTS: Http.CONFLICT,
        Code.USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST: Http.NOT_FOUND,
        Code.DERIVED_ASSIGNMENT_DELETION_FORBIDDEN: Http.CONFLICT,
        Code.LICENSE_DOES_NOT_EXIST: Http.NOT_FOUND,
        Code.LICENSE_IS_NOT_ACTIVE: Http.CONFLICT,
        Code.LICENSE_EXPIRED: Http.CONFLICT,
        Code.LICENSE_IN_USE: Http.CONFLICT,
        Code.LICENSE_CODE_TAKEN: Http.CONFLICT,
        Code.LICENSE_KIND_IS_FIXED: Http.CONFLICT,
        Code.EXTERNAL_ID_TAKEN: Http.CONFLICT,
        Code.NOT_ENOUGH_SEATS: Http.CONFLICT,
        Code.COUNT_BELOW_USAGE: Http.CONFLICT,
        Code.INHERITED_ASSIGNMENT: Http.CONFLICT,
        Code.NO_GROUP_SOURCE: Http.CONFLICT,
        Code.LICENSE_ASSIGNMENT_DOES_NOT_EXIST: Http.NOT_FOUND,
        Code.GROUP_LICENSE_DOES_NOT_EXIST: Http.NOT_FOUND,
        Code.ACCOUNT_DOES_NOT_EXIST: Http.NOT_FOUND,
        Code.UNKNOWN_BUNDLE_CODE: Http.BAD_REQUEST,
        Code.QUANTITIES_EXCEEDED: Http.CONFLICT,
        Code.QUOTA_BELOW_USAGE: Http.CONFLICT,
        Code.QUOTA_WITHOUT_BUNDLE: Http.BAD_REQUEST,
        Code.OPERATION_CANCELLED: Http.CONFLICT,
        Code.OPERATION_RAISED: Http.INTERNAL_SERVER_ERROR,
        Code.OPERATION_KILLED_WORKER: Http.INTERNAL_SERVER_ERROR,
        Code.OPERATION_TIMED_OUT: Http.INTERNAL_SERVER_ERROR,
        Code.OPERATION_UNREADABLE: Http.INTERNAL_SERVER_ERROR,
    }
)

# What a body must be like is 400 in the published dialects, never 422.
DIALECT: Mapping[Code, int] = MappingProxyType(
    {
        **NATIVE,
        Code.VALIDATION_FAILED: Http.BAD_REQUEST,
        Code.BATCH_EMPTY: Http.BAD_REQUEST,
        Code.BATCH_TOO_LARGE: Http.BAD_REQUEST,
        Code.INVALID_ITEM: Http.BAD_REQUEST,
    }
)

# The users API's own; DERIVED_ASSIGNMENT_DELETION_FORBIDDEN = 400 is tested by a client of it.
USERS: Mapping[Code, int] = MappingProxyType(
    {
        **DIALECT,
        Code.ROLE_DOES_NOT_EXIST: Http.BAD_REQUEST,
        Code.ROLE_HAS_WRONG_PERMISSION_SCOPE: Http.BAD_REQUEST,
        Code.USER_IS_NOT_ACTIVE: Http.BAD_REQUEST,
        Code.USER_GROUP_ASSIGNMENT_ALREADY_EXISTS: Http.BAD_REQUEST,
        Code.DERIVED_ASSIGNMENT_DELETION_FORBIDDEN: Http.BAD_REQUEST,
    }
)

# The catalogue API's own: what a business rule refuses is 400, what does not exist 404.
CATALOG: Mapping[Code, int] = MappingProxyType(
    {
        **DIALECT,
        Code.USER_IS_NOT_ACTIVE: Http.BAD_REQUEST,
        Code.LICENSE_IS_NOT_ACTIVE: Http.BAD_REQUEST,
        Code.LICENSE_EXPIRED: Http.BAD_REQUEST,
        Code.LICENSE_IN_USE: Http.BAD_REQUEST,
        Code.LICENSE_CODE_TAKEN: Http.BAD_REQUEST,
        Code.LICENSE_KIND_IS_FIXED: Http.BAD_REQUEST,
        Code.EXTERNAL_ID_TAKEN: Http.BAD_REQUEST,
        Code.NOT_ENOUGH_SEATS: Http.BAD_REQUEST,
        Code.COUNT_BELOW_USAGE: Http.BAD_REQUEST,
        Code.INHERITED_ASSIGNMENT: Http.BAD_REQUEST,
        Code.NO_GROUP_SOURCE: Http.BAD_REQUEST,
    }
)

# The account API's own: its page has 404 for an account or group without, 409 for what exceeds the quantities.
ACCOUNT: Mapping[Code, int] = MappingProxyType({**DIALECT})
