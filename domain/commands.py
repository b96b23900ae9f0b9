"""What a tenant can be asked to do. Every write of every door is one of these, stored as one operation.

A command is a list of items that are decided one by one, in order; a single call is a list of one.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import NamedTuple

from domain.dead_letters import DeadLetterCommand
from domain.errors import JSON
from domain.items import InvalidItem
from domain.license_commands import LicenseCommand
from domain.sources import SourceName


@unique
class Kind(StrEnum):
    """The kinds of command, as stored in operation.kind and shown by /v1/operations."""

    CHANGE_ASSIGNMENTS = "group_assignments.change"
    PUT_USERS = "users.put"
    PUT_GROUPS = "groups.put"
    PUT_ROLES = "roles.put"
    DELETE_USERS = "users.delete"
    DELETE_GROUPS = "groups.delete"
    DELETE_ROLES = "roles.delete"
    PUT_LICENSES = "licenses.put"
    DELETE_LICENSES = "licenses.delete"
    CREATE_PROGRAM_LICENSE = "program_licenses.create"
    UPDATE_PROGRAM_LICENSE = "program_licenses.update"
    CHANGE_SEATS = "license_assignments.change"
    REPLACE_USER_BUNDLES = "user_bundles.replace"
    SET_GROUP_LICENSE = "group_licenses.set"
    REMOVE_GROUP_LICENSE = "group_licenses.remove"
    REPLACE_GROUP_BUNDLES = "group_bundles.replace"
    REPROCESS_GROUP = "groups.reprocess"
    CHECK_LICENSES = "licenses.check"
    REPAIR_COUNTS = "counts.repair"
    REDRIVE_DEAD_LETTERS = "dead_letters.redrive"
    DISCARD_DEAD_LETTERS = "dead_letters.discard"


@unique
class AssignmentOp(StrEnum):
    """What an item does to one (group, user, role).

    CREATE and DELETE are the users API's own: the row as a whole, refused where it exists or is derived.
    ASSIGN and UNASSIGN act on one source of the row.
    """

    CREATE = "create"
    DELETE = "delete"
    ASSIGN = "assign"
    UNASSIGN = "unassign"


class AssignmentChange(NamedTuple):
    """One change of one group assignment; all three names are the upstream's keys."""

    op: AssignmentOp
    group: str
    user: str
    role: str
    source: SourceName = SourceName.MANUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAssignments:
    """Change group roles. `assignable` limits the roles the caller may give (None: all)."""

    items: tuple[AssignmentChange | InvalidItem, ...]
    assignable: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPut:
    """A person as the upstream wants it to be; what it does not name takes its default."""

    key: str
    username: str
    email: str | None = None
    first_name: str = ""
    last_name: str = ""
    department: str = ""
    active: bool = True
    attributes: Mapping[str, JSON] = dataclasses.field(default_factory=dict)
    primary_group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPut:
    """A group as the upstream wants it to be."""

    key: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePut:
    """A role as the upstream wants it to be; titles and descriptions are per language tag."""

    key: str
    permission_scope: str
    titles: Mapping[str, str]
    descriptions: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PutUsers:
    """Create or replace people."""

    items: tuple[UserPut | InvalidItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutGroups:
    """Create or replace groups."""

    items: tuple[GroupPut | InvalidItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRoles:
    """Create or replace roles."""

    items: tuple[RolePut | InvalidItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUsers:
    """Delete people with everything they hold."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteGroups:
    """Delete groups; one that is in use only with `cascade`."""

    keys: tuple[str, ...]
    cascade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRoles:
    """Delete roles; one that is in use only with `cascade`, the built-in one never."""

    keys: tuple[str, ...]
    cascade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairCounts:
    """Count these groups, grants and licences again, and end what stands alone: what `verify` has found, by ids.

    Of groups the members are repaired too; of entitlements the sources and states. `errors` are the fingerprints of
    dead letters that are miscounted.
    """

    groups: tuple[int, ...] = ()
    grants: tuple[int, ...] = ()
    licenses: tuple[int, ...] = ()
    entitlements: tuple[int, ...] = ()
    errors: tuple[str, ...] = ()


DirectoryCommand = ChangeAssignments | PutUsers | PutGroups | PutRoles | DeleteUsers | DeleteGroups | DeleteRoles
Command = DirectoryCommand | LicenseCommand | RepairCounts | DeadLetterCommand
