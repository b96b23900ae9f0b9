"""Every reason for which Seatline refuses something: one catalogue for all doors.

Codes are stable strings that programs compare. Statuses and localised messages belong to the doors, not here.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique

JSON = str | int | float | bool | None | list["JSON"] | dict[str, "JSON"]


@unique
class ErrorCode(StrEnum):
    """The stable codes; docs/protocol.md describes each, and a test holds the two together."""

    # Form and access: refused before acceptance, no operation is made.
    MALFORMED_JSON = "MALFORMED_JSON"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    INVALID_PARAMETER = "INVALID_PARAMETER"
    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    BATCH_EMPTY = "BATCH_EMPTY"
    BATCH_TOO_LARGE = "BATCH_TOO_LARGE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    IDEMPOTENCY_KEY_INVALID = "IDEMPOTENCY_KEY_INVALID"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    TOO_MANY_OPEN_OPERATIONS = "TOO_MANY_OPEN_OPERATIONS"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"
    ACCEPTANCE_UNKNOWN = "ACCEPTANCE_UNKNOWN"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    EVENTS_EXPIRED = "EVENTS_EXPIRED"
    OPERATION_DOES_NOT_EXIST = "OPERATION_DOES_NOT_EXIST"
    TENANT_DOES_NOT_EXIST = "TENANT_DOES_NOT_EXIST"
    TENANT_ALREADY_EXISTS = "TENANT_ALREADY_EXISTS"
    TOKEN_DOES_NOT_EXIST = "TOKEN_DOES_NOT_EXIST"  # noqa: S105 - a code, not a secret

    # Business refusals: a normal, committed result of an operation.
    INVALID_ITEM = "INVALID_ITEM"
    USER_DOES_NOT_EXIST = "USER_DOES_NOT_EXIST"
    USER_IS_NOT_ACTIVE = "USER_IS_NOT_ACTIVE"
    USERNAME_TAKEN = "USERNAME_TAKEN"
    EMAIL_TAKEN = "EMAIL_TAKEN"
    USER_GROUP_DOES_NOT_EXIST = "USER_GROUP_DOES_NOT_EXIST"
    USER_GROUP_IN_USE = "USER_GROUP_IN_USE"
    ROLE_DOES_NOT_EXIST = "ROLE_DOES_NOT_EXIST"
    ROLE_HAS_WRONG_PERMISSION_SCOPE = "ROLE_HAS_WRONG_PERMISSION_SCOPE"
    ROLE_NOT_ASSIGNABLE = "ROLE_NOT_ASSIGNABLE"
    ROLE_IN_USE = "ROLE_IN_USE"
    ROLE_IS_BUILT_IN = "ROLE_IS_BUILT_IN"
    USER_GROUP_ASSIGNMENT_ALREADY_EXISTS = "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS"
    USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST = "USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST"
    DERIVED_ASSIGNMENT_DELETION_FORBIDDEN = "DERIVED_ASSIGNMENT_DELETION_FORBIDDEN"

    # An operation that could not be applied: it is a dead letter until it is redriven or discarded.
    OPERATION_RAISED = "OPERATION_RAISED"
    OPERATION_KILLED_WORKER = "OPERATION_KILLED_WORKER"
    OPERATION_TIMED_OUT = "OPERATION_TIMED_OUT"
    OPERATION_UNREADABLE = "OPERATION_UNREADABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refusal: the code, the field it concerns (dotted path), and the facts its message quotes."""

    code: ErrorCode
    field: str | None = None
    details: Mapping[str, JSON] = dataclasses.field(default_factory=dict)
