"""One step of a redrive or a discard: the next dead letters that are meant, in the order of the log.

One rule: what stands behind the command in the log is not its business, so that what fails again is not queued again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from domain.continuations import Continuation, Continuing
from domain.dead_letters import DeadLetterCommand, DiscardDeadLetters, RedriveDeadLetters
from domain.planning import Reached
from infra.postgres import dead_letters
from infra.postgres.continuations import read_command_of
from infra.postgres.database import Transaction
from infra.postgres.dead_letters import DeadLetter, FoundDeadLetters
from workers.resuming import resume

MOST = {Continuing.REDRIVE: 100, Continuing.DISCARD: 1_000}
"""Of one step. What is queued again is applied before the next step; should all of it fail again, each alone, others of
the tenant wait for so many."""


class Dealt(NamedTuple):
    """How many dead letters a step dealt with, whether there are more, and what ended by being redriven."""

    done: int
    more: bool
    reached: Sequence[Reached] = ()


async def take_dead_letter_step(tx: Transaction, of: Continuation, *, rows: int) -> Dealt:
    """The next step of a continuation; see `deal_with`."""
    command = await read_command_of(tx, of.tenant_id, of.operation_id)
    if not isinstance(command, RedriveDeadLetters | DiscardDeadLetters):
        raise TypeError(f"{of.kind} goes on for a {type(command).__name__}")
    return await deal_with(tx, of, command, rows=rows)


async def deal_with(tx: Transaction, of: Continuation, command: DeadLetterCommand, *, rows: int) -> Dealt:
    """Redrive or discard the next dead letters and move the cursor."""
    found = await _find(tx, of, command, min(rows, MOST[of.kind]))
    if isinstance(command, DiscardDeadLetters):
        if found.letters:
            await dead_letters.discard(tx, of.tenant_id, found.letters, command.reason)
        of.cursor = found.cursor
        return Dealt(len(found.letters), found.more)
    taken = _together(found.letters)
    reached: list[Reached] = []
    for one in await dead_letters.redrive(tx, of.tenant_id, taken) if taken else ():
        if one.unfinished is not None:
            reached += await resume(tx, of.tenant_id, one)
    cut_short = len(taken) < len(found.letters)
    of.cursor = taken[-1].seq if cut_short else found.cursor
    return Dealt(len(taken), found.more or cut_short, reached)


async def _find(tx: Transaction, of: Continuation, command: DeadLetterCommand, rows: int) -> FoundDeadLetters:
    if command.ids is not None:
        return await dead_letters.named_dead_letters(
            tx, of.tenant_id, command.ids, cursor=of.cursor, up_to=of.operation_seq, rows=rows
        )
    return await dead_letters.next_dead_letters(
        tx, of.tenant_id, command.matching, cursor=of.cursor, up_to=of.operation_seq, rows=rows
    )


def _together(letters: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
    """As many as one step takes: one that goes on with its chunks looks at a whole group, so it comes alone."""
    place = next((place for place, letter in enumerate(letters) if letter.is_unfinished), None)
    return letters if place is None else letters[: max(place, 1)]
