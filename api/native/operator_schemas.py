"""What operators send and are shown about tenants and tokens.

One rule: forms of keys, names and scopes are checked in domain/administration.py, for the command line and HTTP alike.
"""

from pydantic import BaseModel, Field

from api.http.bodies import BodyModel
from api.http.fields import OptionalName
from api.native.answers import Page


class TenantBody(BodyModel):
    """The body of POST /v1/ops/tenants."""

    key: str = Field(description="1 to 63 of a to z, 0 to 9 and the hyphen.")
    org: str
    name: str


class TokenBody(BodyModel):
    """The body of POST /v1/ops/tokens; exactly one of `tenant` and `operator`."""

    tenant: str | None = Field(default=None, description="The tenant's key.")
    operator: bool = Field(default=False, description="True: a token of no tenant.")
    scopes: list[str] = Field(min_length=1, max_length=50)
    name: OptionalName = ""
    expires_at: str | None = Field(default=None, description="An instant with an offset (RFC 3339); null: never.")
    roles: list[str] | None = Field(
        default=None, max_length=1000, description="The only roles it may give; null: all; empty: none."
    )


class Tenant(BaseModel):
    """A tenant."""

    id: int
    key: str
    org: str
    name: str
    created_at: str


class TenantPage(Page):
    """Tenants."""

    items: list[Tenant]


class Token(BaseModel):
    """A token without its secret."""

    id: str
    tenant: str | None
    name: str
    scopes: list[str]
    roles: list[str] | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None


class TokenPage(Page):
    """Tokens."""

    items: list[Token]


class IssuedToken(BaseModel):
    """A new token; `token` is shown this once."""

    id: str
    token: str
    tenant: str | None
    scopes: list[str]
    expires_at: str | None
