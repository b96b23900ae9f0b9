"""The tenant that an operator names by its key."""

from api.errors.api_error import ApiError
from api.http.services import Services
from domain.administration import TENANT_KEY
from domain.errors import ErrorCode
from infra.postgres.administration import tenant_by_key
from infra.postgres.reads.fulfilment import TenantName


async def tenant_named(services: Services, key: str | None) -> TenantName | None:
    """The tenant with this key; None where none is named.

    Raises:
        ApiError: TENANT_DOES_NOT_EXIST.
    """
    if key is None:
        return None
    tenant = await tenant_by_key(services.database, key) if TENANT_KEY.fullmatch(key) else None
    if tenant is None:
        raise ApiError(ErrorCode.TENANT_DOES_NOT_EXIST)
    return TenantName(tenant.id, tenant.key)
