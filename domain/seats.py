"""Who holds a seat, who waits and who is next: entitlements as they stand in the middle of a wave.

One rule: an item is judged by its end. After each, `drain` gives the seats that came free to those who waited longest,
and tells of every row that the item has changed, once.
"""

from datetime import datetime
from uuid import UUID

from domain.book import MemberKey
from domain.entitlements import DIRECT, SourceOf, State, pool_events
from domain.events import Event
from domain.seat_events import grant_event, seat_event
from domain.seat_rows import NOWHERE, Grant, Holder, Pool, Seat, merged
from domain.seat_states import SeatStates
from domain.seat_table import SeatFacts
from domain.seat_writes import CountsFound, SeatChanges, net_changes


class SeatBook(SeatStates):
    """Entitlements in the middle of a wave.

    It must know every row of the people and licences that are asked of it, and, of those who wait, as many as the wave
    can serve; a pool or grant that could serve more is left to `changes().unsettled`.
    """

    def __init__(self, facts: SeatFacts, at: datetime) -> None:
        super().__init__(facts, at)
        self._of_group: dict[int, list[Grant]] = {}
        for _, grant in sorted(facts.grants.items()):
            if not grant.is_removed:
                self._of_group.setdefault(grant.group_id, []).append(grant)
        self._announced: set[int] = set()
        self._added: set[int] = set()
        self._found = CountsFound(facts)

    def begin(self, *, operation_id: UUID, seq: int) -> None:
        """Whatever follows is asked by this operation, until `end`."""
        self.operation_id, self.seq = operation_id, seq
        self.table.pools_before.clear()
        self.table.grants_before.clear()
        self._announced.clear()
        self._added.clear()

    def join(self, member: MemberKey) -> None:
        """Somebody has their first role in a group: its licences are theirs, or they wait for them."""
        group = self.facts.groups.get(member.group_id)
        if group is None:
            return
        others = group.user_count
        group.user_count += 1
        for grant in self._of_group.get(member.group_id, ()):
            if grant.gives:
                self.give(grant, member.user_id, blocked=grant.is_full(others))

    def leave(self, member: MemberKey) -> None:
        """Somebody has lost their last role in a group, and what it gave them."""
        group = self.facts.groups.get(member.group_id)
        if group is None:
            return
        group.user_count -= 1
        for grant in self._of_group.get(member.group_id, ()):
            seat = self.table.of_person(grant.license_id, member.user_id)
            if seat is not None and seat.source(grant.id) is not None:
                self.change(seat, seat.without_source(grant.id))

    def give(self, grant: Grant, user_id: int, *, blocked: bool = False) -> None:
        """Let the grant be a source of this person's seat, maybe one beyond its quota; nothing where it is."""
        pool = self.facts.pools[grant.license_id]
        seat = self.table.of_person(pool.id, user_id)
        source = self.source(grant.id, blocked=blocked)
        if seat is None:
            self.make(pool, source, user_id=user_id)
        elif seat.source(grant.id) is None:
            self.change(seat, seat.with_source(source))

    def withdraw_direct(self, seat: Seat) -> None:
        """End the direct source; where groups give a suspended seat, it is asked for anew."""
        after = seat.without_source(DIRECT)
        self.change(seat, self.ask_again(after) if seat.state is State.SUSPENDED else after)

    def convert(self, grant_id: int, seat: Seat) -> None:
        """Turn what the grant gives into a direct source; of two the older stays."""
        gone = seat.source(grant_id)
        if gone is None:
            return
        kept = [gone._replace(grant_id=DIRECT, blocked=False), *([seat.direct] if seat.direct else [])]
        self.change(seat, seat.without_source(grant_id).with_source(min(kept, key=_seq)))

    def know(self, person: Holder) -> None:
        """The person as they are now: direct seats of an inactive one are parked, of an active one asked for anew."""
        self.facts.people[person.id] = person
        for seat in self.table.of_user(person.id):
            if (seat.state is State.PARKED) is person.active:
                self.change(seat, seat)

    def end_person(self, user_id: int) -> None:
        """The person is gone."""
        for seat in self.table.of_user(user_id):
            self.end_seat(seat)

    def bind(self, tenant_id: int, user_id: int, email_key: str) -> None:
        """The address has become this person's: what was kept for it is theirs now."""
        for seat in self.table.of_email(tenant_id, email_key):
            held = self.table.of_person(seat.license_id, user_id)
            bound = seat._replace(user_id=user_id, email=None, email_key=None)
            if held is None:
                self.change(seat, bound)
            else:
                self.end_seat(seat)
                self.change(held, merged(held, bound))

    def stir(self, pool: Pool) -> None:
        """The pool is about to change: whoever waits may be next."""
        self.table.watch(pool)
        self.table.stirred.add(pool.id)

    def add(self, pool: Pool) -> None:
        """A pool that the operation has made; of its filling the operation says nothing."""
        self.facts.pools[pool.id] = pool
        self._added.add(pool.id)

    def announce(self, grant: Grant) -> None:
        """The grant itself has changed: tell of it, whether its counts move or not."""
        self._announced.add(grant.id)

    def drain(self) -> list[Event]:
        """End an item: seats go to those who are next. Returns what the item has done, by the rows' ids."""
        table = self.table
        if not (table.touched or table.stirred or table.opened):
            return []
        while table.opened:
            self._unblock(self.facts.grants[table.opened.pop()])
        for license_id in sorted(table.stirred):
            self._promote(self.facts.pools[license_id])
        table.stirred.clear()
        events = [event for row_id in sorted(table.touched) if (event := self._tell(row_id))]
        table.touched.clear()
        return events

    def end(self) -> list[Event]:
        """End an operation: what it has done to grants and pools, each by id."""
        table, grants = self.table, self.facts.grants
        moved = {
            number
            for number, counts in table.grants_before.items()
            if counts != grants[number].counts and not grants[number].is_removed
        }
        told = moved | self._announced | self._begun()
        events = [grant_event(self.facts, grants[number], self.at) for number in sorted(told)]
        for number, before in sorted(table.pools_before.items()):
            if number in self._added:
                continue
            pool = self.facts.pools[number]
            events += pool_events(pool.named, before, pool.counts_at(self.at))
        return events

    def _begun(self) -> set[int]:
        """Grants that are fulfilled, or no longer, because their licence's start has been moved past this instant."""
        pools = self.facts.pools
        begun = {
            number
            for number, before in self.table.pools_before.items()
            if number not in self._added and before.has_started is not pools[number].has_started(self.at)
        }
        return {
            grant.id
            for grant in (self.facts.grants.values() if begun else ())
            if grant.license_id in begun and grant.gives
            if grant.assigned == self.facts.groups[grant.group_id].user_count
        }

    def changes(self) -> SeatChanges:
        """The net effect of the wave, against what it found."""
        return net_changes(self.table, self.facts, self._found, self.at)

    def _unblock(self, grant: Grant) -> None:
        """Let in those who have been beyond the quota for longest, as far as there is room now.

        Whoever has not been reached yet is counted as within it.
        """
        if grant.is_admitting:
            return
        if grant.is_bounded:
            self.table.unsettled_grants.add(grant.id)
            return
        horizon = self.facts.quota_horizons.get(grant.id, NOWHERE)
        members = self.facts.groups[grant.group_id].user_count
        while grant.gives and grant.blocked and not grant.is_full(members - grant.blocked):
            places = self.table.blocked(grant.id)
            if not places or (len(places) < grant.blocked and places[0] > horizon):
                self.table.unsettled_grants.add(grant.id)
                return
            seat = self.table.rows[places[0][-1]]
            source = seat.source(grant.id)
            if source is not None:
                self.change(seat, seat.with_source(source._replace(blocked=False)))

    def _promote(self, pool: Pool) -> None:
        """Give the seats that are free to those who have waited for longest."""
        horizon = self.facts.horizons.get(pool.id, NOWHERE)
        while pool.queued and pool.has_free and pool.gives(self.at):
            places = self.table.waiting(pool.id)
            if pool.is_bounded or not places or (len(places) < pool.queued and places[0] > horizon):
                self.table.unsettled.add(pool.id)
                return
            seat = self.table.rows[places[0][-1]]
            self.table.put(seat, seat._replace(state=State.ACTIVE))

    def _tell(self, row_id: int) -> Event | None:
        before, after = self.table.touched[row_id], self.table.rows.get(row_id)
        event = seat_event(self.facts, before, after)
        if event is not None and before is not None and after is not None:
            self.table.retouch(after._replace(updated_at=self.at))
        return event


def _seq(source: SourceOf) -> int:
    return source.seq
