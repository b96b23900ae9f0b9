"""Decides what becomes of people: put and deleted, with the memberships that follow from it.

A user's primary group gives the built-in role `member` there, with source PRIMARY. An inactive user is a member of
nothing; the primary group stays on record and applies again when the user is active again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.book import AssignmentBook, AssignmentKey
from domain.commands import DeleteUsers, PutUsers, UserPut
from domain.errors import JSON, ErrorCode, Refusal
from domain.events import Event, EventType
from domain.items import InvalidItem
from domain.ledger import Ledger
from domain.outcomes import Deleted, Outcome, Result, Stored
from domain.planning import Decision, Order, in_order, refusal_of
from domain.seat_rows import Holder
from domain.seats import SeatBook
from domain.sources import Source

MEMBER = "member"
"""The built-in role that a primary group gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user's row. `attributes` is JSON text, since in Python's eyes 1, 1.0 and True are the same."""

    id: int
    key: str
    username: str
    email: str | None
    first_name: str
    last_name: str
    department: str
    active: bool
    attributes: str
    primary_group_id: int | None


def compact(document: Mapping[str, JSON] | Mapping[str, str]) -> str:
    """A JSON object as text, the same for the same object."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def fold(name: str) -> str:
    """The form in which usernames and e-mails are compared and unique: without case."""
    return name.casefold()


class UserBook:
    """People as they stand in the middle of a wave, and who holds which username and e-mail.

    It must know every user the wave names, and every holder of a name that the wave wants.
    """

    def __init__(self, users: Mapping[tuple[int, str], User]) -> None:
        self.rows = Ledger(users)
        self._usernames = {(tenant, fold(user.username)): user.key for (tenant, _), user in users.items()}
        self._emails = {(tenant, fold(user.email)): user.key for (tenant, _), user in users.items() if user.email}

    def taken(self, tenant_id: int, item: UserPut) -> Refusal | None:
        """Why this user cannot have the names they ask for."""
        if self._usernames.get((tenant_id, fold(item.username)), item.key) != item.key:
            return Refusal(code=ErrorCode.USERNAME_TAKEN, field="username")
        if item.email and self._emails.get((tenant_id, fold(item.email)), item.key) != item.key:
            return Refusal(code=ErrorCode.EMAIL_TAKEN, field="email")
        return None

    def put(self, tenant_id: int, user: User) -> None:
        """Store the user and move their names."""
        self.remove(tenant_id, user.key)
        self.rows.put(tenant_id, user)
        self._usernames[tenant_id, fold(user.username)] = user.key
        if user.email:
            self._emails[tenant_id, fold(user.email)] = user.key

    def remove(self, tenant_id: int, key: str) -> None:
        """Take the user away and free their names; one that is not there is no error."""
        old = self.rows.remove(tenant_id, key)
        if old is not None:
            self._usernames.pop((tenant_id, fold(old.username)), None)
            if old.email:
                self._emails.pop((tenant_id, fold(old.email)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFacts:
    """What a wave of PutUsers stands on: group ids and the role `member` by tenant, and fresh ids for newcomers."""

    groups: Mapping[tuple[int, str], int]
    members: Mapping[int, int]
    fresh_ids: Iterator[int]


def plan_put_users(
    orders: Sequence[Order[PutUsers]], facts: UserFacts, users: UserBook, book: AssignmentBook, seats: SeatBook
) -> list[Decision]:
    """Decide every command in turn; `users`, `book` and `seats` hold the net effect afterwards."""
    book.follower = seats
    wave = _Wave(facts=facts, users=users, book=book, seats=seats)
    return [wave.decide(order) for order in orders]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wave:
    facts: UserFacts
    users: UserBook
    book: AssignmentBook
    seats: SeatBook

    def decide(self, order: Order[PutUsers]) -> Decision:
        outcomes: list[Outcome] = []
        events: list[Event] = []
        self.seats.begin(operation_id=order.operation_id, seq=order.seq)
        for item in order.command.items:
            if isinstance(item, InvalidItem):
                outcomes.append(refusal_of(item))
                continue
            outcome, followed = self._put(order.tenant_id, item)
            outcomes.append(outcome)
            events.extend(followed)
        events += self.seats.end()
        return Decision(result=Result(outcomes=outcomes, titles={}), events=in_order(events))

    def _put(self, tenant_id: int, item: UserPut) -> tuple[Outcome, list[Event]]:
        primary_group_id = None
        if item.primary_group is not None:
            primary_group_id = self.facts.groups.get((tenant_id, item.primary_group))
            if primary_group_id is None:
                return Refusal(code=ErrorCode.USER_GROUP_DOES_NOT_EXIST, field="primary_group"), []
        refusal = self.users.taken(tenant_id, item)
        if refusal is not None:
            return refusal, []
        old = self.users.rows.get(tenant_id, item.key)
        new = _user(item, next(self.facts.fresh_ids) if old is None else old.id, primary_group_id)
        stored = Stored(key=new.key, id=new.id, created=old is None)
        if new == old:
            return stored, []
        self.users.put(tenant_id, new)
        self.book.names.users[new.id] = new.key
        self.seats.know(holder_of(new))
        # Before they join anything: what was kept for their address is then theirs under its own id, and their group is
        # one source more of it.
        if new.email and (old is None or fold(old.email or "") != fold(new.email)):
            self.seats.bind(tenant_id, new.id, fold(new.email))
        events = [_event(EventType.USER_UPDATED, new), *self._follow(tenant_id, old, new)]
        return stored, events + self.seats.drain()

    def _follow(self, tenant_id: int, old: User | None, new: User) -> Iterator[Event]:
        """The memberships that follow from the change; what the new group gives as well is kept, not given anew."""
        if not new.active:
            yield from self.book.remove(self.book.of_user(new.id))
            return
        before = old.primary_group_id if old is not None and old.active else None
        if before == new.primary_group_id:
            return
        role_id = self.facts.members[tenant_id]
        if new.primary_group_id is not None:
            key = AssignmentKey(tenant_id, new.primary_group_id, new.id, role_id)
            _, event = self.book.add(key, Source.PRIMARY, self.seats.at)
            if event is not None:
                yield event
        if before is not None:
            key = AssignmentKey(tenant_id, before, new.id, role_id)
            event = self.book.withdraw(key, Source.PRIMARY) if self.book.get(key) else None
            if event is not None:
                yield event


def plan_delete_users(
    orders: Sequence[Order[DeleteUsers]], users: UserBook, book: AssignmentBook, seats: SeatBook
) -> list[Decision]:
    """Decide every command in turn; `users`, `book` and `seats` hold the net effect afterwards."""
    book.follower = seats
    return [_delete_all(order, users, book, seats) for order in orders]


def _delete_all(order: Order[DeleteUsers], users: UserBook, book: AssignmentBook, seats: SeatBook) -> Decision:
    outcomes: list[Outcome] = []
    events: list[Event] = []
    seats.begin(operation_id=order.operation_id, seq=order.seq)
    for key in order.command.keys:
        user = users.rows.get(order.tenant_id, key)
        if user is None:
            outcomes.append(Refusal(code=ErrorCode.USER_DOES_NOT_EXIST, field="key"))
            continue
        events.extend(book.remove(book.of_user(user.id)))
        seats.end_person(user.id)
        events += seats.drain()
        events.append(_event(EventType.USER_DELETED, user))
        users.remove(order.tenant_id, key)
        outcomes.append(Deleted(key=key, id=user.id))
    events += seats.end()
    return Decision(result=Result(outcomes=outcomes, titles={}), events=in_order(events))


def _user(item: UserPut, number: int, primary_group_id: int | None) -> User:
    return User(
        id=number,
        key=item.key,
        username=item.username,
        email=item.email,
        first_name=item.first_name,
        last_name=item.last_name,
        department=item.department,
        active=item.active,
        attributes=compact(item.attributes),
        primary_group_id=primary_group_id,
    )


def holder_of(user: User) -> Holder:
    """The person as far as licences care."""
    return Holder(user.id, user.key, user.active, user.username, user.first_name, user.last_name, user.email)


def _event(event_type: EventType, user: User) -> Event:
    data: dict[str, JSON] = {"user": {"id": user.id, "key": user.key}}
    if event_type is EventType.USER_UPDATED:
        data["active"] = user.active
    return Event(type=event_type, subject=f"users/{user.key}", data=data)
