"""Whom and which licence an item of a request means: by key, by number, by username or by e-mail address.

One rule: an id wins over a username, a username over an address, and an address decides where the other is unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.errors import ErrorCode, Refusal
from domain.license_commands import SeatChange
from domain.users import fold

Place = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatNames:
    """The ids of what a wave's items name, by (tenant, name); what is absent does not exist.

    `ids` are the (tenant, id) of people; usernames and e-mails are folded.
    """

    licenses: Mapping[Place, int] = field(default_factory=dict)
    keys: Mapping[Place, int] = field(default_factory=dict)
    ids: frozenset[tuple[int, int]] = frozenset()
    usernames: Mapping[Place, int] = field(default_factory=dict)
    emails: Mapping[Place, int] = field(default_factory=dict)

    def person(self, tenant_id: int, change: SeatChange) -> int | Refusal | None:
        """The person whom the item means; None: nobody yet, an address stands for them."""
        named, named_by = self._named(tenant_id, change)
        if named is not None:
            return named
        if change.email is None or named_by == "user":
            return Refusal(code=ErrorCode.USER_DOES_NOT_EXIST, field=named_by)
        return self.emails.get((tenant_id, fold(change.email)))

    def _named(self, tenant_id: int, change: SeatChange) -> tuple[int | None, str]:
        if change.user is not None:
            return self.keys.get((tenant_id, change.user)), "user"
        if change.user_id is not None:
            return change.user_id if (tenant_id, change.user_id) in self.ids else None, "user_id"
        if change.username is not None:
            return self.usernames.get((tenant_id, fold(change.username))), "username"
        return None, "email"
