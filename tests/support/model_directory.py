"""The model's directory: people, groups and roles, and who has which role in which group."""

from typing import Any

from domain.commands import AssignmentChange, GroupPut, RolePut, UserPut
from tests.support.model_bundles import ModelBundles
from tests.support.model_rows import Document, Place, refused


class ModelDirectory(ModelBundles):
    """What follows for licences is the concern of `_settle`, after each item."""

    def _change(self, item: AssignmentChange, assignable: tuple[str, ...] | None) -> Document:
        op, row, source = item.op.value, (item.group, item.user, item.role), item.source.value
        sources = self.held[row]["sources"] if row in self.held else []
        problem = self._problem(item, assignable) or _conflict(op, source, sources)
        if problem is not None:
            return problem
        if op in {"create", "assign"}:
            return self._assigned(row, self._give(row, source))
        self._take(row, sources if op == "delete" else [source])
        return {"outcome": "unassigned", "group": item.group, "user": item.user, "role": item.role}

    def _problem(self, item: AssignmentChange, assignable: tuple[str, ...] | None) -> Document | None:
        user, role = self.users.get(item.user), self.roles.get(item.role)
        gives = item.op.value in {"create", "assign"}
        in_order = [
            (item.group not in self.groups, "USER_GROUP_DOES_NOT_EXIST", "group_id"),
            (user is None, "USER_DOES_NOT_EXIST", "user_id"),
            (role is None, "ROLE_DOES_NOT_EXIST", "role_id"),
            (
                gives and role is not None and role["permission_scope"] != "USER_GROUPS",
                "ROLE_HAS_WRONG_PERMISSION_SCOPE",
                "role_id",
            ),
            (gives and user is not None and not user["active"], "USER_IS_NOT_ACTIVE", "user_id"),
            (assignable is not None and item.role not in assignable, "ROLE_NOT_ASSIGNABLE", "role_id"),
        ]
        return next((refused(code, field) for holds, code, field in in_order if holds), None)

    def _assigned(self, row: Place, held: Document) -> Document:
        group, user, role = row
        shown = ("first_name", "last_name", "department", "active")
        person = {"key": user} | {name: self.users[user][name] for name in shown}
        return {"outcome": "assigned", "group": group, "user": person, "role": role, **held}

    def _put_user(self, item: UserPut) -> Document:
        if item.primary_group is not None and item.primary_group not in self.groups:
            return refused("USER_GROUP_DOES_NOT_EXIST", "primary_group")
        others = [user for key, user in self.users.items() if key != item.key]
        if any(user["username"].casefold() == item.username.casefold() for user in others):
            return refused("USERNAME_TAKEN", "username")
        if item.email and any((user["email"] or "").casefold() == item.email.casefold() for user in others):
            return refused("EMAIL_TAKEN", "email")
        old = self.users.get(item.key)
        new = _fields(item, "username", "email", "first_name", "last_name", "department", "active", "primary_group")
        new["attributes"] = dict(item.attributes)
        new = {"id": old["id"], **new} if old else self._born("user", **new)
        self.users[item.key] = new
        if repr(new) != repr(old):  # 1, 1.0 and True are three values
            data = {"user": {"id": new["id"], "key": item.key}, "active": item.active}
            self._say("user.updated", f"users/{item.key}", data)
            self._bind(item.key)
            if item.active:
                self._follow(item.key, old["primary_group"] if old and old["active"] else None, item.primary_group)
            else:
                self._remove_all(row for row in self.held if row[1] == item.key)
        return _stored(item.key, new, created=old is None)

    def _follow(self, user: str, before: str | None, after: str | None) -> None:
        """The primary group gives the role `member` there, and the former one no longer does."""
        if before == after:
            return
        if after is not None:
            self._give((after, user, "member"), "PRIMARY")
        if before is not None and "PRIMARY" in self.held.get((before, user, "member"), {"sources": []})["sources"]:
            self._take((before, user, "member"), ["PRIMARY"])

    def _delete_user(self, key: str) -> Any:
        if key not in self.users:
            return refused("USER_DOES_NOT_EXIST", "key")
        self._remove_all(row for row in self.held if row[1] == key)
        for row in [row for row in self.entitlements.values() if row["user"] == key]:
            del self.entitlements[row["id"]]
        number = self.users.pop(key)["id"]

        def gone() -> Document:
            # Told when all that they held is gone: also a seat that an earlier item of the same command has given them.
            self._say("user.deleted", f"users/{key}", {"user": {"id": number, "key": key}})
            return {"outcome": "deleted", "key": key, "id": number}

        return gone

    def _put_group(self, item: GroupPut) -> Document:
        old = self.groups.get(item.key)
        new = {**old, "name": item.name} if old else self._born("group", name=item.name, use_external_license=False)
        self.groups[item.key] = new
        if new != old:
            self._say("group.updated", f"groups/{item.key}", {"group": {"id": new["id"], "key": item.key}})
        stored = _stored(item.key, new, created=old is None)
        return {**stored, "user_count": self._counted(item.key, new)["user_count"]}

    def _delete_group(self, key: str, *, cascade: bool) -> Document:
        if key not in self.groups:
            return refused("USER_GROUP_DOES_NOT_EXIST", "key")
        counted = self._counted(key, self.groups[key])
        people = [user for user in self.users.values() if user["primary_group"] == key]
        if (counted["assignment_count"] or people) and not cascade:
            return refused("USER_GROUP_IN_USE", "key", user_count=counted["user_count"])
        self._remove_all(row for row in self.held if row[0] == key)
        for user in people:
            user["primary_group"] = None
        for grant in [grant for grant in self.grants.values() if grant["group"] == key]:
            del self.grants[grant["id"]]
        self._gone.append(key)
        number = self.groups.pop(key)["id"]
        self._say("group.deleted", f"groups/{key}", {"group": {"id": number, "key": key}})
        return {"outcome": "deleted", "key": key, "id": number}

    def _put_role(self, item: RolePut) -> Document:
        if item.key == "member" and item.permission_scope != "USER_GROUPS":
            return refused("ROLE_IS_BUILT_IN", "permission_scope")
        old = self.roles.get(item.key)
        new = _fields(item, "permission_scope", "titles", "descriptions")
        self.roles[item.key] = {"id": old["id"], **new} if old else self._born("role", **new)
        return _stored(item.key, self.roles[item.key], created=old is None)

    def _delete_role(self, key: str, *, cascade: bool) -> Document:
        if key not in self.roles:
            return refused("ROLE_DOES_NOT_EXIST", "key")
        if key == "member":
            return refused("ROLE_IS_BUILT_IN", "key")
        rows = [row for row in self.held if row[2] == key]
        if rows and not cascade:
            return refused("ROLE_IN_USE", "key")
        self._remove_all(rows)
        return {"outcome": "deleted", "key": key, "id": self.roles.pop(key)["id"]}


def _conflict(op: str, source: str, sources: list[str]) -> Document | None:
    if (op == "create" and sources) or (op == "assign" and source in sources):
        return refused("USER_GROUP_ASSIGNMENT_ALREADY_EXISTS")
    if (op == "delete" and not sources) or (op == "unassign" and source not in sources):
        return refused("USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST")
    if op == "delete" and ("PRIMARY" in sources or "RULE" in sources):
        return refused("DERIVED_ASSIGNMENT_DELETION_FORBIDDEN")
    return None


def _stored(key: str, row: Document, *, created: bool) -> Document:
    return {"outcome": "created" if created else "replaced", "key": key, "id": row["id"]}


def _fields(item: Any, *names: str) -> Document:
    return {name: getattr(item, name) for name in names}
