"""What a caller may be allowed: the scopes, in one table, and what each implies.

One rule: a tenant's caller holds tenant scopes only, an operator's operator scopes only; writing implies reading.
"""

from collections.abc import Iterable

TENANT_SCOPES = (
    "directory:read",
    "directory:write",
    "groups:read",
    "groups:write",
    "licenses:read",
    "licenses:write",
    "operations:read",
)
OPERATOR_SCOPES = ("ops:read", "ops:write", "tenants:admin")

# The names that the published catalogue API gives to the same rights.
ALIASES = {"PM.License.Read": "licenses:read", "PM.License.Write": "licenses:write"}


def known_scopes(*, operator: bool) -> frozenset[str]:
    """Every name that may be asked for, aliases included."""
    return frozenset(OPERATOR_SCOPES) if operator else frozenset((*TENANT_SCOPES, *ALIASES))


def granted(names: Iterable[str], *, operator: bool) -> frozenset[str]:
    """The scopes that these names open: aliases resolved, reads added to writes, foreign names dropped."""
    named = {ALIASES.get(name, name) for name in names if name in known_scopes(operator=operator)}
    reads = {f"{scope.removesuffix(':write')}:read" for scope in named if scope.endswith(":write")}
    return frozenset(named | reads)
