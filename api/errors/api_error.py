"""The one exception with which a door refuses a request.

One rule: it carries a code of the catalogue and facts; statuses, words and shapes are the families' business.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.errors import JSON, ErrorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """What is wrong with one field.

    `field` is a dotted path as the caller wrote it (`items.3.body.user_id`); empty: the document itself. `problem` is
    a word of the message catalogues, `limit` the bound or the choice that its text quotes.
    """

    field: str
    problem: str
    limit: str | int | None = None


class ApiError(Exception):
    """A refusal. `details` are facts for the body, `headers` go out as they are, `retry_after` is in seconds."""

    def __init__(
        self,
        code: ErrorCode,
        *,
        problems: Sequence[FieldProblem] = (),
        details: Mapping[str, JSON] | None = None,
        headers: Mapping[str, str] | None = None,
        retry_after: int | None = None,
        operation_id: UUID | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.problems = tuple(problems)
        self.details: Mapping[str, JSON] = dict(details or {})
        self.headers: Mapping[str, str] = dict(headers or {})
        self.retry_after = retry_after
        self.operation_id = operation_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """A refusal in words of the caller's language, ready for a family to shape.

    `message` says what is wrong and with which field first; `problems` are (field, text) pairs.
    """

    status: int
    code: ErrorCode
    title: str
    message: str
    problems: Sequence[tuple[str, str]] = ()
    details: Mapping[str, JSON] = dataclasses.field(default_factory=dict)
    operation_id: UUID | None = None
    request_id: str | None = None


def invalid_parameter(name: str, problem: str, limit: str | int | None = None) -> ApiError:
    """The refusal of a parameter in path, query or header."""
    return ApiError(ErrorCode.INVALID_PARAMETER, problems=[FieldProblem(field=name, problem=problem, limit=limit)])


def invalid_field(field: str, problem: str, limit: str | int | None = None) -> ApiError:
    """The refusal of a field of the body."""
    return ApiError(ErrorCode.VALIDATION_FAILED, problems=[FieldProblem(field=field, problem=problem, limit=limit)])
