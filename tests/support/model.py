"""What the engine must do, in plain dictionaries, one command and one item at a time: the oracle of the property tests.

One rule: it shares nothing with the code under test but the commands themselves.
"""

import copy
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from domain.commands import (
    AssignmentChange,
    ChangeAssignments,
    Command,
    DeleteGroups,
    DeleteRoles,
    DeleteUsers,
    GroupPut,
    PutGroups,
    PutRoles,
    PutUsers,
    RolePut,
    UserPut,
)
from domain.items import InvalidItem
from domain.license_commands import (
    ChangeSeats,
    CheckLicenses,
    CreateProgramLicense,
    DeleteLicenses,
    LicensePut,
    PutLicenses,
    RemoveGroupLicense,
    ReplaceGroupBundles,
    ReplaceUserBundles,
    ReprocessGroup,
    SeatChange,
    SetGroupLicense,
    UpdateProgramLicense,
)
from tests.support.model_directory import ModelDirectory
from tests.support.model_rows import Document, refused

KINDS = {
    ChangeAssignments: "group_assignments.change",
    PutUsers: "users.put",
    PutGroups: "groups.put",
    PutRoles: "roles.put",
    DeleteUsers: "users.delete",
    DeleteGroups: "groups.delete",
    DeleteRoles: "roles.delete",
    PutLicenses: "licenses.put",
    DeleteLicenses: "licenses.delete",
    CreateProgramLicense: "program_licenses.create",
    UpdateProgramLicense: "program_licenses.update",
    ChangeSeats: "license_assignments.change",
    ReplaceUserBundles: "user_bundles.replace",
    SetGroupLicense: "group_licenses.set",
    RemoveGroupLicense: "group_licenses.remove",
    ReplaceGroupBundles: "group_bundles.replace",
    ReprocessGroup: "groups.reprocess",
    CheckLicenses: "licenses.check",
}
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Model(ModelDirectory):
    """One tenant."""

    def apply(
        self, command: Command, operation: str, *, dry_run: bool = False, at: datetime = _SOME_DAY, chosen: str = ""
    ) -> tuple[str, Document]:
        """Apply the command as this operation; its final status and its outcome document.

        `at` is the instant of the pass, `chosen` the key that the engine has chosen for a licence that has none.
        """
        if dry_run:
            # What was told before is long, and nothing that an answer says depends on it.
            elsewhere = copy.deepcopy(self, {id(self._find): self._find, id(self.events): []})
            elsewhere._dry = True
            return elsewhere.apply(command, operation, at=at, chosen=chosen)
        self._operation, self._said, self._now, self._turn = operation, [], at, self._turn + 1
        self._started, self._gone = set(), []
        before = self._tell()
        outcomes = [self._settled(command, item, chosen) for item in _items(command)]
        self._say_counts(before)
        status = _status(outcomes)
        document: Document = {"items": outcomes}
        given = {outcome["role"] for outcome in outcomes if outcome["outcome"] == "assigned"}
        if given:
            document["titles"] = {role: self.roles[role]["titles"] for role in given}
        finished = {"operation": {"id": operation, "kind": KINDS[type(command)], "status": status}}
        self._say("operation.finished", f"operations/{operation}", finished)
        self._number()
        return status, document

    def _settled(self, command: Command, item: Any, chosen: str) -> Document:
        before = self._stands()
        outcome = (
            self._apply_to_directory(command, item)
            or self._apply_to_licenses(command, item, chosen)
            or self._apply_to_grants(item)
        )
        self._settle(before)
        shown: Document = outcome() if callable(outcome) else outcome
        return copy.deepcopy(shown)  # as it is now, whatever later items make of it

    def _apply_to_directory(self, command: Command, item: Any) -> Any:
        match item, command:
            case InvalidItem(), _:
                return refused("INVALID_ITEM", item.field, reason=item.reason)
            case AssignmentChange(), ChangeAssignments():
                return self._change(item, command.assignable)
            case UserPut(), _:
                return self._put_user(item)
            case GroupPut(), _:
                return self._put_group(item)
            case RolePut(), _:
                return self._put_role(item)
            case str(), DeleteUsers():
                return self._delete_user(item)
            case str(), DeleteGroups():
                return self._delete_group(item, cascade=command.cascade)
            case str(), DeleteRoles():
                return self._delete_role(item, cascade=command.cascade)
        return None

    def _apply_to_licenses(self, command: Command, item: Any, chosen: str) -> Any:
        match item, command:
            case LicensePut(), _:
                return self._put_license(item)
            case str(), DeleteLicenses():
                return self._delete_license(item, cascade=command.cascade)
            case SeatChange(), ChangeSeats():
                return self._change_seat(item, command)
            case CreateProgramLicense(), _:
                return self._create(item, chosen)
            case UpdateProgramLicense(), _:
                return self._update(item)
            case CheckLicenses(), _:
                return self._check(item.license_ids, item.started)
            case ReplaceUserBundles(), _:
                return self._replace_user_bundles(item)
        return None

    def _apply_to_grants(self, item: Any) -> Any:
        match item:
            case SetGroupLicense():
                return self._set_group_license(item)
            case RemoveGroupLicense():
                return self._remove_group_license(item)
            case ReprocessGroup():
                return self._reprocess(item)
            case ReplaceGroupBundles():
                return self._replace_group_bundles(item)
        raise AssertionError(f"{item} is of no known kind")


def _items(command: Command) -> Iterable[Any]:
    """What a command decides one after the other; one without a list is its own only item."""
    if hasattr(command, "items"):
        return command.items
    return command.keys if hasattr(command, "keys") else (command,)


def _status(outcomes: list[Document]) -> str:
    refusals = [outcome for outcome in outcomes if outcome["outcome"] == "refused"]
    if not refusals:
        return "succeeded"
    return "rejected" if len(refusals) == len(outcomes) else "partially_succeeded"
