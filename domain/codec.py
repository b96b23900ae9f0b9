"""Commands as JSON documents and back: the form in which an operation keeps what it was asked to do.

One rule: decode(kind_of(c), encode(c)) == c for every command; stored documents outlive versions, so fields only grow.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from domain.columns import columns_of, folded, has_columns, written
from domain.commands import (
    AssignmentChange,
    AssignmentOp,
    ChangeAssignments,
    Command,
    DeleteGroups,
    DeleteRoles,
    DeleteUsers,
    GroupPut,
    Kind,
    PutGroups,
    PutRoles,
    PutUsers,
    RepairCounts,
    RolePut,
    UserPut,
)
from domain.dead_letters import (
    DiscardDeadLetters,
    RedriveDeadLetters,
    encode_dead_letter_command,
    read_discard,
    read_redrive,
)
from domain.errors import JSON
from domain.item_codec import read_items, write_item
from domain.items import InvalidItem
from domain.license_codec import READERS as LICENSE_READERS
from domain.license_codec import encode_license_command, size_of_license_command
from domain.license_commands import (
    ChangeSeats,
    CheckLicenses,
    CreateProgramLicense,
    DeleteLicenses,
    PutLicenses,
    RemoveGroupLicense,
    ReplaceGroupBundles,
    ReplaceUserBundles,
    ReprocessGroup,
    SetGroupLicense,
    UpdateProgramLicense,
)
from domain.sources import SourceName

Document = dict[str, Any]


class UnreadableCommandError(Exception):
    """The stored document is not a command that this version knows."""


# Looked up for every item of every batch; the call of an enum takes thrice as long.
_OPS = {op.value: op for op in AssignmentOp}
_SOURCES = {name.value: name for name in SourceName}

_KINDS: dict[type[Command], Kind] = {
    ChangeAssignments: Kind.CHANGE_ASSIGNMENTS,
    PutUsers: Kind.PUT_USERS,
    PutGroups: Kind.PUT_GROUPS,
    PutRoles: Kind.PUT_ROLES,
    DeleteUsers: Kind.DELETE_USERS,
    DeleteGroups: Kind.DELETE_GROUPS,
    DeleteRoles: Kind.DELETE_ROLES,
    PutLicenses: Kind.PUT_LICENSES,
    DeleteLicenses: Kind.DELETE_LICENSES,
    CreateProgramLicense: Kind.CREATE_PROGRAM_LICENSE,
    UpdateProgramLicense: Kind.UPDATE_PROGRAM_LICENSE,
    ChangeSeats: Kind.CHANGE_SEATS,
    ReplaceUserBundles: Kind.REPLACE_USER_BUNDLES,
    SetGroupLicense: Kind.SET_GROUP_LICENSE,
    RemoveGroupLicense: Kind.REMOVE_GROUP_LICENSE,
    ReplaceGroupBundles: Kind.REPLACE_GROUP_BUNDLES,
    ReprocessGroup: Kind.REPROCESS_GROUP,
    CheckLicenses: Kind.CHECK_LICENSES,
    RepairCounts: Kind.REPAIR_COUNTS,
    RedriveDeadLetters: Kind.REDRIVE_DEAD_LETTERS,
    DiscardDeadLetters: Kind.DISCARD_DEAD_LETTERS,
}


def kind_of(command: Command) -> Kind:
    """The kind under which the command is stored."""
    return _KINDS[type(command)]


def size_of(command: Command) -> int:
    """How many items the command holds: what a pass's budget counts."""
    match command:
        case DeleteUsers(keys=keys) | DeleteGroups(keys=keys) | DeleteRoles(keys=keys):
            return len(keys)
        case ChangeAssignments() | PutUsers() | PutGroups() | PutRoles():
            return len(command.items)
        case RepairCounts() | RedriveDeadLetters() | DiscardDeadLetters():
            return 1
        case _:
            return size_of_license_command(command)


def encode(command: Command) -> dict[str, JSON]:
    """The command as a JSON document."""
    match command:
        case ChangeAssignments(items=changes, assignable=assignable):
            document = _write_changes(changes)
            if assignable is not None:
                document["assignable"] = list(assignable)
            return document
        case PutUsers(items=users):
            return {"items": [write_item(item, _user) for item in users]}
        case PutGroups(items=groups):
            return {"items": [write_item(item, _group) for item in groups]}
        case PutRoles(items=roles):
            return {"items": [write_item(item, _role) for item in roles]}
        case DeleteUsers(keys=keys):
            return {"keys": list(keys)}
        case DeleteGroups(keys=keys, cascade=cascade) | DeleteRoles(keys=keys, cascade=cascade):
            return {"keys": list(keys), "cascade": cascade}
        case RepairCounts():
            return {name: list(ids) for name, ids in dataclasses.asdict(command).items()}
        case RedriveDeadLetters() | DiscardDeadLetters():
            return encode_dead_letter_command(command)
        case _:
            return encode_license_command(command)


def decode(kind: str, document: Mapping[str, Any]) -> Command:
    """The command that `encode` made this document of.

    Raises:
        UnreadableCommandError: the kind is unknown, or the document is not of its form.
    """
    reader = _READERS.get(kind)
    if reader is None:
        raise UnreadableCommandError(f"no command is of kind {kind!r}")
    try:
        return reader(document)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableCommandError(f"a {kind} does not read like this: {error!r}") from error


def _write_changes(items: Sequence[AssignmentChange | InvalidItem]) -> dict[str, JSON]:
    if set(map(type, items)) != {AssignmentChange}:
        return {"items": [write_item(item, _change) for item in items]}
    ops, groups, users, roles, sources = zip(*items, strict=True)
    return written(
        len(items),
        op=_words(ops),
        group=folded(groups),
        user=folded(users),
        role=folded(roles),
        source=_words(sources),
    )


def _words(members: Sequence[AssignmentOp | SourceName]) -> list[JSON]:
    # Words, not members of an enum: a serializer asks each of those for its value, in Python.
    return [str(member) for member in folded(members)]


def _change(change: AssignmentChange) -> dict[str, JSON]:
    return {
        "op": str(change.op),
        "group": change.group,
        "user": change.user,
        "role": change.role,
        "source": str(change.source),
    }


def _read_change(document: Document) -> AssignmentChange:
    return AssignmentChange(
        _OPS[document["op"]], document["group"], document["user"], document["role"], _SOURCES[document["source"]]
    )


def _user(user: UserPut) -> dict[str, JSON]:
    return {
        "key": user.key,
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "department": user.department,
        "active": user.active,
        "attributes": dict(user.attributes),
        "primary_group": user.primary_group,
    }


def _group(group: GroupPut) -> dict[str, JSON]:
    return {"key": group.key, "name": group.name}


def _role(role: RolePut) -> dict[str, JSON]:
    return {
        "key": role.key,
        "permission_scope": role.permission_scope,
        "titles": dict(role.titles),
        "descriptions": dict(role.descriptions),
    }


def _read_changes(document: Mapping[str, Any]) -> ChangeAssignments:
    assignable = document.get("assignable")
    items = _read_rows(document) if has_columns(document) else read_items(document["items"], _read_change)
    return ChangeAssignments(items=items, assignable=None if assignable is None else tuple(assignable))


def _read_rows(document: Mapping[str, Any]) -> tuple[AssignmentChange, ...]:
    ops, groups, users, roles, sources = columns_of(document, *AssignmentChange._fields)
    rows = zip(map(_OPS.__getitem__, ops), groups, users, roles, map(_SOURCES.__getitem__, sources), strict=True)
    return tuple(map(AssignmentChange._make, rows))


_READERS: dict[str, Callable[[Mapping[str, Any]], Command]] = {
    Kind.CHANGE_ASSIGNMENTS: _read_changes,
    Kind.PUT_USERS: lambda document: PutUsers(items=read_items(document["items"], lambda item: UserPut(**item))),
    Kind.PUT_GROUPS: lambda document: PutGroups(items=read_items(document["items"], lambda item: GroupPut(**item))),
    Kind.PUT_ROLES: lambda document: PutRoles(items=read_items(document["items"], lambda item: RolePut(**item))),
    Kind.DELETE_USERS: lambda document: DeleteUsers(keys=tuple(document["keys"])),
    Kind.DELETE_GROUPS: lambda document: DeleteGroups(keys=tuple(document["keys"]), cascade=document["cascade"]),
    Kind.DELETE_ROLES: lambda document: DeleteRoles(keys=tuple(document["keys"]), cascade=document["cascade"]),
    Kind.REPAIR_COUNTS: lambda document: RepairCounts(**{name: tuple(ids) for name, ids in document.items()}),
    Kind.REDRIVE_DEAD_LETTERS: read_redrive,
    Kind.DISCARD_DEAD_LETTERS: read_discard,
    **{_KINDS[command]: reader for command, reader in LICENSE_READERS.items()},
}
