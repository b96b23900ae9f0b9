"""What must hold when a run is over, counted anew from the book, the rows and what the subscriber saw.

One rule: a check says what is wrong in a sentence with ids, and nothing when nothing is; no check repairs or forgives.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.chaos.book import Book, Call
from tests.chaos.evidence import Evidence
from tests.chaos.subscriber import Seen

_FINAL = frozenset({"succeeded", "partially_succeeded", "rejected", "failed", "cancelled"})
_FINISHED = "seatline.operation.finished.v1"
_CREATED, _DELETED = "seatline.group_assignment.created.v1", "seatline.group_assignment.deleted.v1"


@dataclass(slots=True)
class Findings:
    """What is wrong, by the column of the report that counts it."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    oversold: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """Every sentence."""
        return [*self.lost, *self.duplicated, *self.oversold, *self.others]


def check(
    book: Book, evidence: Evidence, seen: Mapping[str, Seen], *, poison: Iterable[Call], unknown_kinds: Iterable[str]
) -> Findings:
    """All checks that need nothing but what is given."""
    must_fail = {number for call in poison for number in call.operation_ids} | set(unknown_kinds)
    return Findings(
        lost=[*_lost(book, evidence), *_unseen(evidence, seen)],
        duplicated=[*_several_operations(book, evidence), *_finished_again(evidence), *_effects_again(evidence)],
        oversold=list(_oversold(evidence)),
        others=[
            *_unresolved(book),
            *_contradictions(book),
            *_accepted_unasked(book, evidence),
            *_failed_wrongly(evidence, must_fail),
            *_log_and_rows_differ(evidence),
            *_not_published(evidence),
            *_bytes_differ(evidence, seen),
            *(f"a connection is idle in its transaction: {held}" for held in evidence.idle_in_transaction),
        ],
    )


def _lost(book: Book, evidence: Evidence) -> Iterator[str]:
    """Whoever was told that an operation exists finds it in exactly one final state."""
    statuses = {row["id"]: row["status"] for row in evidence.operations}
    for call in book.accepted():
        for number in call.operation_ids:
            status = statuses.get(number)
            if status not in _FINAL:
                yield f"{call.key}: accepted as {number}, which is {status or 'not there'}"


def _unseen(evidence: Evidence, seen: Mapping[str, Seen]) -> Iterator[str]:
    for tenant, last in evidence.numbered.items():
        had = seen[tenant].events if tenant in seen else 0
        if had < last:
            yield f"{last - had} events of {tenant} reached no subscriber in order"


def _several_operations(book: Book, evidence: Evidence) -> Iterator[str]:
    """One key is one operation, whoever was asked and however often."""
    by_key = Counter((row["tenant"], row["key"]) for row in evidence.operations if row["key"] is not None)
    for (_, key), count in by_key.items():
        if count > 1:
            yield f"{key} is {count} operations"
    for call in book.calls.values():
        if len(call.operation_ids) > 1:
            yield f"{call.key} was answered as operations {sorted(call.operation_ids)}"


def _finished_again(evidence: Evidence) -> Iterator[str]:
    """Each operation's end is announced once; that of a dry run is not, and the load asks for none."""
    finished = Counter(event["operationid"] for _, event in evidence.events() if event["type"] == _FINISHED)
    for row in evidence.operations:
        if finished[row["id"]] != 1:
            yield f"the end of operation {row['id']} ({row['kind']}) was announced {finished[row['id']]} times"


def _effects_again(evidence: Evidence) -> Iterator[str]:
    """Nobody is given what they have, or loses what they have not."""
    held: set[tuple[str, int, int, int]] = set()
    for tenant, event in evidence.events():
        if event["type"] in {_CREATED, _DELETED}:
            place = (tenant, *(event["data"][name]["id"] for name in ("group", "user", "role")))
            if (place in held) == (event["type"] == _CREATED):
                yield f"event {event['sequence']} of {tenant} says once more: {event['subject']}"
            (held.add if event["type"] == _CREATED else held.discard)(place)


def _log_and_rows_differ(evidence: Evidence) -> Iterator[str]:
    """Who has heard every event believes what the rows say."""
    held: set[tuple[str, int, int, int]] = set()
    states: dict[tuple[str, int], str] = {}
    for tenant, event in evidence.events():
        data = event["data"]
        if event["type"] in {_CREATED, _DELETED}:
            place = (tenant, *(data[name]["id"] for name in ("group", "user", "role")))
            (held.add if event["type"] == _CREATED else held.discard)(place)
        elif event["type"].startswith(("seatline.entitlement.", "seatline.license_assignment.")):
            states[tenant, data["assignment_id"]] = data["state"]
    if held != evidence.assignments:
        yield f"the log and the rows differ in {len(held ^ evidence.assignments)} group assignments"
    believed = {place: state for place, state in states.items() if state != "ended"}
    if believed != evidence.entitlements:
        yield f"the log and the rows differ in {len(believed.items() ^ evidence.entitlements.items())} entitlements"


def _oversold(evidence: Evidence) -> Iterator[str]:
    for pool in evidence.pools:
        if pool["used"] != pool["active"]:
            yield f"{pool['tenant']}/{pool['key']}: {pool['used']} seats are counted, {pool['active']} are held"
        if pool["capacity"] is not None and max(pool["active"], pool["used"] + pool["reserved"]) > pool["capacity"]:
            yield f"{pool['tenant']}/{pool['key']}: {pool['active']} of {pool['capacity']} seats are held"


def _unresolved(book: Book) -> Iterator[str]:
    for call in book.open.values():
        yield f"{call.key}: its fate is still unknown after {len(call.fates)} attempts"


def _contradictions(book: Book) -> Iterator[str]:
    for call in book.calls.values():
        for contradiction in call.contradictions:
            yield f"{call.key} was answered twice, differently: {contradiction}"


def _accepted_unasked(book: Book, evidence: Evidence) -> Iterator[str]:
    """Who was told that nothing was accepted, and went away, finds nothing."""
    keys = {row["key"] for row in evidence.operations}
    for call in book.calls.values():
        if call.is_given_up and call.key in keys:
            yield f"{call.key} was refused by everyone who was asked, and accepted all the same"


def _failed_wrongly(evidence: Evidence, must_fail: set[str]) -> Iterator[str]:
    failed = {row["id"]: row for row in evidence.operations if row["status"] == "failed"}
    for number in failed.keys() - must_fail:
        yield f"operation {number} ({failed[number]['kind']}) failed without poison: {failed[number]['error']}"
    for number in must_fail - failed.keys():
        yield f"poison {number} did not fail"


def _not_published(evidence: Evidence) -> Iterator[str]:
    pending = sum(not row["is_published"] for row in evidence.outbox)
    if pending:
        yield f"{pending} messages of the outbox are not published"
    for tenant, last in evidence.numbered.items():
        expected = 1
        for row in (row for row in evidence.outbox if row["tenant"] == tenant):
            numbers = [int(event["sequence"]) for event in json.loads(row["body"])]
            if numbers != list(range(expected, row["last_sequence"] + 1)):
                yield f"{tenant}: the message that begins with {row['first_sequence']} came where {expected} was due"
            expected = row["last_sequence"] + 1
        if expected != last + 1:
            yield f"{tenant}: the log ends with {expected - 1} and {last} events are numbered"


def _bytes_differ(evidence: Evidence, seen: Mapping[str, Seen]) -> Iterator[str]:
    for tenant, one in seen.items():
        if one.differing:
            yield f"{one.differing} repeated messages of {tenant} differ from the first"
        if one.out_of_order:
            yield f"{one.out_of_order} events of {tenant} came before their predecessor"
    for row in evidence.outbox:
        digest = seen[row["tenant"]].digests.get(row["first_sequence"]) if row["tenant"] in seen else None
        if digest is not None and digest != hashlib.sha256(row["body"]).digest():
            yield f"message {row['first_sequence']} of {row['tenant']} was seen with other bytes than the log's"
