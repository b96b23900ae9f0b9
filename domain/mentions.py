"""Which people, groups and licences a stored command names: what operators look operations up by.

One rule: what a command does to others (a group's members, say) is no mention of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_FIELDS = {
    "user": frozenset({"user", "users", "username"}),
    "group": frozenset({"group", "primary_group"}),
    "license": frozenset({"license"}),
}
_NUMBERS = {
    "user": frozenset({"user_id"}),
    "group": frozenset({"group_id"}),
    "license": frozenset({"license_id", "license_ids", "started"}),
}
_OWN = frozenset({"key", "keys"})
_PLURALS = {"users": "user", "groups": "group", "licenses": "license"}


class Thing(NamedTuple):
    """A user, group or licence by its key, and by its number where it exists."""

    key: str
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentioned:
    """What a command is to name; None asks nothing."""

    user: Thing | None = None
    group: Thing | None = None
    license: Thing | None = None

    @property
    def things(self) -> list[tuple[str, Thing]]:
        """What is asked for, by what it is."""
        asked = (("user", self.user), ("group", self.group), ("license", self.license))
        return [(what, thing) for what, thing in asked if thing is not None]


def names_all(kind: str, request: Mapping[str, Any], asked: Mentioned) -> bool:
    """Whether the command names everything that is asked for."""
    return all(_names(kind, request, what, thing) for what, thing in asked.things)


def _names(kind: str, request: Mapping[str, Any], what: str, thing: Thing) -> bool:
    fields = _FIELDS[what]
    if _PLURALS.get(kind.partition(".")[0]) == what:
        fields |= _OWN
    for name, value in _leaves(request):
        if name in fields and value == thing.key:
            return True
        if thing.number is not None and name in _NUMBERS[what] and value == thing.number:
            return True
    return False


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with the name under which it, or the list that it is in, stands."""
    match value:
        case Mapping():
            for inner, one in value.items():
                yield from _leaves(one, inner)
        case list() | tuple():
            for one in value:
                yield from _leaves(one, name)
        case _:
            yield name, value
