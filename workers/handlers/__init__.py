"""What applies each kind of command: one table, and one signature for all.

One rule: a handler takes all commands of its kind in a wave and runs a number of statements that does not depend on
how many they are.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.commands import Kind
from domain.planning import Decision, Order
from infra.postgres.database import Transaction
from workers.chunk_sizes import ChunkSizes
from workers.handlers.assignments import change_assignments
from workers.handlers.dead_letters import DeadLetters
from workers.handlers.deletions import Deletions
from workers.handlers.directory import put_groups, put_roles
from workers.handlers.group_bundles import GroupBundles
from workers.handlers.group_licenses import GroupLicenses
from workers.handlers.license_dates import LicenseDates
from workers.handlers.licenses import (
    create_program_licenses,
    put_licenses,
    update_program_licenses,
)
from workers.handlers.repair import repair_counts
from workers.handlers.reprocess import Reprocessing
from workers.handlers.seat_changes import change_seats, replace_user_bundles
from workers.handlers.users import delete_users, put_users

# Order[Any]: the table is keyed by kind, and each handler's own signature says which command that is.
Handler = Callable[[Transaction, Sequence[Order[Any]], datetime], Awaitable[list[Decision]]]

_BOUNDED: Mapping[str, Handler] = {
    Kind.CHANGE_ASSIGNMENTS: change_assignments,
    Kind.PUT_USERS: put_users,
    Kind.PUT_GROUPS: put_groups,
    Kind.PUT_ROLES: put_roles,
    Kind.DELETE_USERS: delete_users,
    Kind.PUT_LICENSES: put_licenses,
    Kind.CREATE_PROGRAM_LICENSE: create_program_licenses,
    Kind.UPDATE_PROGRAM_LICENSE: update_program_licenses,
    Kind.CHANGE_SEATS: change_seats,
    Kind.REPLACE_USER_BUNDLES: replace_user_bundles,
    Kind.REPAIR_COUNTS: repair_counts,
}


def handlers_with(sizes: ChunkSizes) -> Mapping[str, Handler]:
    """The handlers by kind; those of unbounded kinds do as much in their own pass as a chunk does."""
    grants, deletions, dead_letters = GroupLicenses(sizes), Deletions(sizes), DeadLetters(sizes)
    return {
        **_BOUNDED,
        Kind.DELETE_GROUPS: deletions.groups,
        Kind.DELETE_ROLES: deletions.roles,
        Kind.DELETE_LICENSES: deletions.licenses,
        Kind.SET_GROUP_LICENSE: grants.set_one,
        Kind.REMOVE_GROUP_LICENSE: grants.remove_one,
        Kind.REPLACE_GROUP_BUNDLES: GroupBundles(sizes).replace_one,
        Kind.REPROCESS_GROUP: Reprocessing(sizes).reprocess_one,
        Kind.CHECK_LICENSES: LicenseDates(sizes).check,
        Kind.REDRIVE_DEAD_LETTERS: dead_letters.redrive,
        Kind.DISCARD_DEAD_LETTERS: dead_letters.discard,
    }


HANDLERS = handlers_with(ChunkSizes())
