"""Licences that were read, as the native API shows them. Pure.

One rule: a licence reads as it was answered when it was put (license_translate.py).
"""

from domain.errors import JSON
from domain.outcomes import timestamp
from infra.postgres.reads.licenses import LicenseRow


def license_body(row: LicenseRow) -> dict[str, JSON]:
    """A licence; the same as after a PUT."""
    return {
        "id": row.id,
        "key": row.key,
        "name": row.name,
        "kind": row.kind,
        "code": row.code,
        "program_key": row.program_key,
        "program_name": row.program_name,
        "capacity": row.capacity,
        "used": row.used,
        "reserved": row.reserved,
        "waiting": row.waiting,
        "active": row.active,
        "starts_at": None if row.starts_at is None else timestamp(row.starts_at),
        "expires_at": None if row.expires_at is None else timestamp(row.expires_at),
    }
