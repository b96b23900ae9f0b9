"""What an operator administers: tenants and tokens, their forms, and the errors of administering them.

One rule: a value is checked here, once, for the command line and for HTTP alike.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.errors import JSON
from domain.outcomes import timestamp
from domain.scopes import known_scopes

LONGEST_NAME = 255
TENANT_KEY = re.compile(r"[a-z0-9-]{1,63}")
KEY = re.compile(r"[A-Za-z0-9._@+-]{1,128}")


class AdministrationError(Exception):
    """What was asked cannot be done; the message is one line for a person."""


class InvalidAdministrationError(AdministrationError):
    """A value is not of the form it must have; `field` names it."""

    def __init__(self, field_name: str, message: str) -> None:
        super().__init__(message)
        self.field = field_name


class TenantAlreadyExistsError(AdministrationError):
    """A tenant with this key exists; nothing was changed."""


class TenantDoesNotExistError(AdministrationError):
    """No tenant has this key."""


class TokenDoesNotExistError(AdministrationError):
    """No token has this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant: one platform, one account, one users-API tenant."""

    id: int
    key: str
    org: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """A token as it is listed, without its secret. `tenant` is a key, None for an operator's."""

    id: UUID
    tenant_id: int
    tenant: str | None
    name: str
    scopes: tuple[str, ...]
    roles: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssued:
    """A new token with its secret, the only time it is seen."""

    id: UUID
    token: str = field(repr=False)
    tenant: str | None
    name: str
    scopes: tuple[str, ...]
    roles: tuple[str, ...] | None
    expires_at: datetime | None


def tenant_document(tenant: Tenant) -> dict[str, JSON]:
    """The tenant as the command line and HTTP show it."""
    return {
        "id": tenant.id,
        "key": tenant.key,
        "org": tenant.org,
        "name": tenant.name,
        "created_at": timestamp(tenant.created_at),
    }


def issued_document(issued: TokenIssued) -> dict[str, JSON]:
    """The new token, secret included; `tenant` is null for an operator's."""
    return {
        "id": str(issued.id),
        "token": issued.token,
        "tenant": issued.tenant,
        "scopes": list(issued.scopes),
        "expires_at": _instant(issued.expires_at),
    }


def token_document(token: TokenView) -> dict[str, JSON]:
    """The token without its secret."""
    return {
        "id": str(token.id),
        "tenant": token.tenant,
        "name": token.name,
        "scopes": list(token.scopes),
        "roles": None if token.roles is None else list(token.roles),
        "created_at": timestamp(token.created_at),
        "expires_at": _instant(token.expires_at),
        "revoked_at": _instant(token.revoked_at),
    }


def _instant(at: datetime | None) -> JSON:
    return None if at is None else timestamp(at)


def require_tenant_key(key: str) -> None:
    """Refuse what is no tenant key: keys are words of routing keys.

    Raises:
        InvalidAdministrationError: says of what a key consists.
    """
    if not TENANT_KEY.fullmatch(key):
        raise InvalidAdministrationError(
            "key", f"{key!r} is not a tenant key: 1 to 63 of a to z, 0 to 9 and the hyphen"
        )


def require_text(field_name: str, value: str, *, forbidden: str = "") -> None:
    """Refuse a name that is empty, too long, or holds what cannot be shown.

    Raises:
        InvalidAdministrationError: names the field.
    """
    if not 1 <= len(value) <= LONGEST_NAME or not value.strip():
        raise InvalidAdministrationError(field_name, f"{field_name} must have 1 to {LONGEST_NAME} characters")
    if not value.isprintable() or any(character in forbidden for character in value):
        raise InvalidAdministrationError(field_name, f"{field_name} holds a character that it must not hold")


def require_scopes(scopes: Sequence[str], *, operator: bool) -> None:
    """Refuse scopes that such a token cannot carry, and a token without any.

    Raises:
        InvalidAdministrationError: names the scopes that there are.
    """
    known = known_scopes(operator=operator)
    unknown = [scope for scope in scopes if scope not in known]
    if unknown or not scopes:
        kind = "an operator's token" if operator else "a tenant's token"
        problem = f"no scope of {kind}: {', '.join(unknown)}" if unknown else f"{kind} needs a scope"
        raise InvalidAdministrationError("scopes", f"{problem}; there are: {', '.join(sorted(known))}")


def require_roles(roles: Sequence[str] | None, *, operator: bool) -> None:
    """Refuse role limits on an operator's token, and what is no role key.

    Raises:
        InvalidAdministrationError: names the role.
    """
    if roles is None:
        return
    if operator:
        raise InvalidAdministrationError("roles", "an operator's token gives no roles")
    for role in roles:
        if not KEY.fullmatch(role):
            raise InvalidAdministrationError("roles", f"{role!r} is not a role key")
