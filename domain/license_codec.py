"""Licence commands as JSON documents and back; part of domain/codec.py and under its rule."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, assert_never

from domain.errors import JSON
from domain.item_codec import read_items, write_item
from domain.license_commands import (
    ChangeSeats,
    CheckLicenses,
    CreateProgramLicense,
    DeleteLicenses,
    LicenseCommand,
    LicenseKind,
    LicensePut,
    PutLicenses,
    RemoveGroupLicense,
    ReplaceGroupBundles,
    ReplaceUserBundles,
    ReprocessGroup,
    SeatChange,
    SeatOp,
    SetGroupLicense,
    Shortage,
    UpdateProgramLicense,
)

Document = Mapping[str, Any]


def encode_license_command(command: LicenseCommand) -> dict[str, JSON]:
    """The command as a JSON document."""
    match command:
        case PutLicenses(items=licenses):
            return {"items": [write_item(item, _license) for item in licenses]}
        case DeleteLicenses(keys=keys, cascade=cascade):
            return {"keys": list(keys), "cascade": cascade}
        case CreateProgramLicense(sent=sent):
            return {"sent": dict(sent)}
        case UpdateProgramLicense(sent=sent, license_id=license_id, external_id=external_id):
            return {"sent": dict(sent), "license_id": license_id, "external_id": external_id}
        case ChangeSeats(items=changes, shortage=shortage):
            return {"items": [write_item(item, _change) for item in changes], "shortage": shortage.value}
        case ReplaceUserBundles(users=users, codes=codes, use_external_license=external):
            return {"users": list(users), "codes": list(codes), "use_external_license": external}
        case CheckLicenses(license_ids=license_ids, started=started):
            return {"license_ids": list(license_ids), "started": list(started)}
        case SetGroupLicense() | RemoveGroupLicense() | ReplaceGroupBundles() | ReprocessGroup():
            return _encode_group_command(command)
        case _:
            assert_never(command)


def _encode_group_command(
    command: SetGroupLicense | RemoveGroupLicense | ReplaceGroupBundles | ReprocessGroup,
) -> dict[str, JSON]:
    match command:
        case SetGroupLicense(license_id=license_id, group_id=group_id, sent=sent):
            return {"license_id": license_id, "group_id": group_id, "sent": dict(sent)}
        case RemoveGroupLicense(assignment_id=assignment_id, remove_users=remove_users):
            return {"assignment_id": assignment_id, "remove_users": remove_users}
        case ReplaceGroupBundles(group=group, codes=codes, use_external_license=external, quotas=quotas):
            return {
                "group": group,
                "codes": list(codes),
                "use_external_license": external,
                "quotas": dict(quotas),
            }
        case ReprocessGroup(group=group):
            return {"group": group}
        case _:
            assert_never(command)


def size_of_license_command(command: LicenseCommand) -> int:
    """How many items the command holds."""
    match command:
        case PutLicenses(items=items):
            return len(items)
        case ChangeSeats(items=changes):
            return len(changes)
        case DeleteLicenses(keys=keys):
            return len(keys)
        case ReplaceUserBundles(users=users):
            return len(users)
        case CheckLicenses(license_ids=license_ids):
            return len(license_ids)
        case _:
            return 1


def _license(item: LicensePut) -> dict[str, JSON]:
    return {
        "key": item.key,
        "name": item.name,
        "kind": item.kind.value,
        "capacity": item.capacity,
        "code": item.code,
        "program_key": item.program_key,
        "program_name": item.program_name,
        "starts_at": _instant(item.starts_at),
        "expires_at": _instant(item.expires_at),
        "active": item.active,
    }


def _read_license(document: Document) -> LicensePut:
    return LicensePut(
        key=document["key"],
        name=document["name"],
        kind=LicenseKind(document["kind"]),
        capacity=document["capacity"],
        code=document["code"],
        program_key=document["program_key"],
        program_name=document["program_name"],
        starts_at=_read_instant(document["starts_at"]),
        expires_at=_read_instant(document["expires_at"]),
        active=document["active"],
    )


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _read_instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _change(change: SeatChange) -> dict[str, JSON]:
    """Only what is set: a batch of a thousand items would otherwise store five nulls for each."""
    named: dict[str, JSON] = {
        "license": change.license,
        "license_id": change.license_id,
        "user": change.user,
        "user_id": change.user_id,
        "username": change.username,
        "email": change.email,
        "assignment_id": change.assignment_id,
        "sent": dict(change.sent) or None,
    }
    return {"op": change.op.value, **{name: value for name, value in named.items() if value is not None}}


def _read_change(document: Document) -> SeatChange:
    fields = {name: value for name, value in document.items() if name != "op"}
    return SeatChange(op=SeatOp(document["op"]), **fields)


def _read_seats(document: Document) -> ChangeSeats:
    return ChangeSeats(items=read_items(document["items"], _read_change), shortage=Shortage(document["shortage"]))


def _read_user_bundles(document: Document) -> ReplaceUserBundles:
    return ReplaceUserBundles(
        users=tuple(document["users"]),
        codes=tuple(document["codes"]),
        use_external_license=document["use_external_license"],
    )


def _read_group_bundles(document: Document) -> ReplaceGroupBundles:
    return ReplaceGroupBundles(
        group=document["group"],
        codes=tuple(document["codes"]),
        use_external_license=document["use_external_license"],
        quotas=dict(document["quotas"]),
    )


def _read_check(document: Document) -> CheckLicenses:
    return CheckLicenses(license_ids=tuple(document["license_ids"]), started=tuple(document.get("started", ())))


READERS: Mapping[type[LicenseCommand], Callable[[Document], LicenseCommand]] = {
    PutLicenses: lambda document: PutLicenses(items=read_items(document["items"], _read_license)),
    DeleteLicenses: lambda document: DeleteLicenses(keys=tuple(document["keys"]), cascade=document["cascade"]),
    CreateProgramLicense: lambda document: CreateProgramLicense(**document),
    UpdateProgramLicense: lambda document: UpdateProgramLicense(**document),
    ChangeSeats: _read_seats,
    ReplaceUserBundles: _read_user_bundles,
    SetGroupLicense: lambda document: SetGroupLicense(**document),
    RemoveGroupLicense: lambda document: RemoveGroupLicense(**document),
    ReplaceGroupBundles: _read_group_bundles,
    ReprocessGroup: lambda document: ReprocessGroup(**document),
    CheckLicenses: _read_check,
}
