"""How each family of paths words and shapes a refusal: one renderer and one status table each.

One rule: families differ in nothing but what stands here; api/app.py says which paths belong to which.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from api.errors import statuses
from api.errors.api_error import ApiError, ErrorReport, FieldProblem
from api.errors.schemas import AccountError, CatalogError, ProblemDetails, UsersError
from api.errors.texts import message, problem_text
from domain.errors import JSON, ErrorCode

MOST_PROBLEMS = 50
"""How many fields at fault one refusal names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One way of writing errors."""

    name: str
    statuses: Mapping[ErrorCode, int]
    media_type: str
    shape: Callable[[ErrorReport], dict[str, JSON]]
    model: type[BaseModel]

    def render(self, error: ApiError, language: str, request_id: str | None = None) -> tuple[int, dict[str, JSON]]:
        """Status and body of a refusal; `language` is a spoken one."""
        report = self.report(
            error.code,
            language,
            problems=error.problems,
            details=error.details,
            operation_id=error.operation_id,
            request_id=request_id,
        )
        return report.status, self.shape(report)

    def report(
        self,
        code: ErrorCode,
        language: str,
        *,
        problems: Sequence[FieldProblem] = (),
        details: Mapping[str, JSON] | None = None,
        operation_id: UUID | None = None,
        request_id: str | None = None,
    ) -> ErrorReport:
        """A refusal in this family's status and this language."""
        title = message(code, language, details)
        texts = [(problem.field, problem_text(problem, language)) for problem in problems[:MOST_PROBLEMS]]
        return ErrorReport(
            status=int(self.statuses[code]),
            code=code,
            title=title,
            message=" ".join([title, *(f"{field}: {text}" if field else text for field, text in texts[:1])]),
            problems=texts,
            details=details or {},
            operation_id=operation_id,
            request_id=request_id,
        )


def _problem_details(report: ErrorReport) -> dict[str, JSON]:
    """RFC 9457; `details` are its extension members."""
    body: dict[str, JSON] = {
        "type": f"urn:seatline:error:{report.code.lower().replace('_', '-')}",
        "title": report.title,
        "status": report.status,
        "detail": report.message,
        "code": report.code.value,
    }
    if report.problems:
        body["errors"] = [{"field": field, "message": text} for field, text in report.problems]
    if report.operation_id is not None:
        body["operation_id"] = str(report.operation_id)
    return {**report.details, **body}


def _users_error(report: ErrorReport) -> dict[str, JSON]:
    """The users API's `{"code", "message", "details"}`."""
    return {"code": report.code.value, "message": report.message, "details": _details(report)}


def _catalog_error(report: ErrorReport) -> dict[str, JSON]:
    """The catalogue API's `{"error", "code", "details"}`."""
    return {"error": report.message, "code": report.code.value, "details": _details(report)}


def _account_error(report: ErrorReport) -> dict[str, JSON]:
    """The account API's `{"errorCode", "message", "traceId", "details"}`."""
    return {
        "errorCode": report.code.value,
        "message": report.message,
        "traceId": report.request_id,
        "details": _details(report),
    }


def _details(report: ErrorReport) -> dict[str, JSON]:
    """The facts of a refusal, the fields at fault and the operation where there is one."""
    details: dict[str, JSON] = dict(report.details)
    if report.problems:
        details["errors"] = [{"field": field, "message": text} for field, text in report.problems]
    if report.operation_id is not None:
        details["operation_id"] = str(report.operation_id)
    return details


NATIVE = Family(
    name="native",
    statuses=statuses.NATIVE,
    media_type="application/problem+json",
    shape=_problem_details,
    model=ProblemDetails,
)
USERS = Family(
    name="users", statuses=statuses.USERS, media_type="application/json", shape=_users_error, model=UsersError
)
CATALOG = Family(
    name="catalog",
    statuses=statuses.CATALOG,
    media_type="application/json",
    shape=_catalog_error,
    model=CatalogError,
)
ACCOUNT = Family(
    name="account",
    statuses=statuses.ACCOUNT,
    media_type="application/json",
    shape=_account_error,
    model=AccountError,
)
