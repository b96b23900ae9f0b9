"""Licences and entitlements that were read, as the native API shows them. Pure.

One rule: every user, group and licence is shown by both its names, the upstream's key and the numeric id.
"""

from domain.errors import JSON
from domain.outcomes import timestamp
from infra.postgres.reads.entitlements import EntitlementRow, SourceRow
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


def entitlement_body(row: EntitlementRow) -> dict[str, JSON]:
    """Why a person has a licence, or what they wait for."""
    body: dict[str, JSON] = {
        "id": row.id,
        "license": row.license.document,
        "user": None if row.user is None else row.user.document,
    }
    if row.user is None:
        body["email"] = row.email
    body["state"] = row.state.shown
    if row.position is not None:
        body["position"] = row.position
    if row.waiting_for is not None:
        body["waiting_for"] = row.waiting_for
    body["since"] = timestamp(row.since)
    if row.until is not None:
        body["until"] = timestamp(row.until)
    body["sources"] = [_source(source) for source in row.sources]
    return body


def _source(source: SourceRow) -> dict[str, JSON]:
    why: dict[str, JSON] = {"type": "direct"}
    if source.group is not None:
        why = {"type": "group", "group": source.group.document}
    return {**why, "since": timestamp(source.since), "operation_id": str(source.operation_id)}
