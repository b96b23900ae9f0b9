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
