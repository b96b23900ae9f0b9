"""The shapes of refusals, for the OpenAPI document."""

from pydantic import BaseModel, ConfigDict, Field


class FieldError(BaseModel):
    """One field at fault."""

    field: str = Field(description="Dotted path; empty: the document itself.")
    message: str


class ProblemDetails(BaseModel):
    """RFC 9457, application/problem+json."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; what programs compare.")
    errors: list[FieldError] | None = None
    operation_id: str | None = None


class UsersError(BaseModel):
    """A refusal of the users API."""

    code: str = Field(description="Stable; what programs compare.")
    message: str
    details: dict[str, object]


class CatalogError(BaseModel):
    """A refusal of the catalogue API."""

    error: str
    code: str = Field(description="Stable; what programs compare.")
    details: dict[str, object]


class AccountError(BaseModel):
    """A refusal of the account API."""

    errorCode: str = Field(description="Stable; what programs compare.")  # noqa: N815 - the page's own name
    message: str
    traceId: str | None = Field(description="That of X-Request-Id.")  # noqa: N815 - the page's own name
    details: dict[str, object]
