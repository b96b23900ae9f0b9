"""Licences, grants and seats for engine tests: commands in few words, and what the tables hold of them.

`grant` writes the grant of a group that nobody is in yet, as the command that makes one would.
"""

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments, GroupPut, PutGroups, PutUsers, UserPut
from domain.entitlements import State
from domain.license_commands import (
    ChangeSeats,
    LicenseKind,
    LicensePut,
    PutLicenses,
    SeatChange,
    SeatOp,
    Shortage,
)
from domain.outcomes import outcomes_in
from infra.postgres.statements import compile_block
from tests.support.engine import Asked


def program(key, capacity=10, **fields):
    """A program licence."""
    fields = {"program_key": "photo", "program_name": "Photo", **fields}
    return LicensePut(key=key, name=key.title(), kind=LicenseKind.PROGRAM, capacity=capacity, **fields)


def bundle(key, code, capacity=10, **fields):
    """A bundle licence."""
    fields = {"name": key.title(), **fields}
    return LicensePut(key=key, kind=LicenseKind.BUNDLE, capacity=capacity, code=code, **fields)


def put(*items):
    """Put these licences."""
    return PutLicenses(items=items)


def people(*keys, active=True, primary_group=None, email=True):
    """Put these people; the e-mail of `ann` is ann@example.org."""
    return PutUsers(
        items=tuple(
            UserPut(
                key=key,
                username=key,
                email=f"{key}@example.org" if email else None,
                active=active,
                primary_group=primary_group,
            )
            for key in keys
        )
    )


def groups(*keys):
    """Put these groups."""
    return PutGroups(items=tuple(GroupPut(key=key, name=key) for key in keys))


def join(group, *users, role="member"):
    """Give these people a role in the group."""
    return _change(AssignmentOp.ASSIGN, group, users, role)


def leave(group, *users, role="member"):
    """Take the role away from them."""
    return _change(AssignmentOp.UNASSIGN, group, users, role)


def assign(license_key, *users, wait=False):
    """Assign a licence directly, item by item; a name with an @ is an address."""
    return _seats(SeatOp.ASSIGN, license_key, users, wait=wait)


def unassign(license_key, *users):
    """Take direct assignments away."""
    return _seats(SeatOp.UNASSIGN, license_key, users)


def setting(license_id, user_id=None, *, email=None, username=None, **sent):
    """The catalogue's create-or-update of one assignment."""
    change = SeatChange(
        op=SeatOp.SET, license_id=license_id, user_id=user_id, email=email, username=username, sent=sent
    )
    return ChangeSeats(items=(change,))


def removing(assignment_id):
    """The catalogue's deletion of one assignment."""
    return ChangeSeats(items=(SeatChange(op=SeatOp.REMOVE, assignment_id=assignment_id),))


async def outcomes(engine, tenant, *commands):
    """Apply the commands together; all their outcomes in order."""
    views = await engine.run(*(Asked(tenant_id=tenant.id, command=command) for command in commands))
    return [item for view in views for item in outcomes_in(view.response)]


async def grant(database, tenant, group, license_key, *, quota=None, active=True, hold=False):
    """Give the licence to the group, which must be empty; returns the grant's id."""
    async with database.transaction() as tx:
        rows = await tx.fetch(
            _GRANT,
            tenant_id=tenant.id,
            group=group,
            license=license_key,
            quota=quota,
            active=active,
            hold=hold,
        )
    return rows[0]["id"]


async def seats_of(database, tenant):
    """(licence, person or address) -> (state, where it comes from), by keys."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_SEATS, tenant_id=tenant.id)
    return {(row["license"], row["holder"]): (State(row["state"]).name.lower(), row["sources"]) for row in rows}


async def pools_of(database, tenant):
    """Licence -> (used, queued, waiting)."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_POOLS, tenant_id=tenant.id)
    return {row["key"]: (row["used"], row["queued"], row["waiting"]) for row in rows}


async def grants_of(database, tenant):
    """(group, licence) -> (in_quota, assigned, waiting, suspended)."""
    async with database.transaction() as tx:
        rows = await tx.fetch(_GRANTS, tenant_id=tenant.id)
    return {
        (row["group_key"], row["license_key"]): (row["in_quota"], row["assigned"], row["waiting"], row["suspended"])
        for row in rows
    }


def _change(op, group, users, role):
    return ChangeAssignments(items=tuple(AssignmentChange(op=op, group=group, user=user, role=role) for user in users))


def _seats(op, license_key, users, *, wait=False):
    names = [{"email": user} if "@" in user else {"user": user} for user in users]
    items = tuple(SeatChange(op=op, license=license_key, **name) for name in names)
    return ChangeSeats(items=items, shortage=Shortage.WAITLIST if wait else Shortage.REJECT)


_GRANT = compile_block(
    "grant",
    """
INSERT INTO group_license (tenant_id, group_id, license_id, quota, active, hold)
SELECT license.tenant_id, user_group.id, license.id, CAST(:quota AS bigint), :active, :hold
  FROM license JOIN user_group USING (tenant_id)
 WHERE license.tenant_id = :tenant_id AND license.key = :license AND user_group.key = :group AND user_count = 0
RETURNING id
""",
)
_SEATS = compile_block(
    "seats",
    """
SELECT license.key AS license, coalesce(app_user.key, entitlement.email) AS holder, state,
       ARRAY(SELECT coalesce(user_group.key, 'direct') || CASE WHEN blocked THEN ' blocked' ELSE '' END
               FROM entitlement_source AS source
               LEFT JOIN group_license ON group_license.tenant_id = source.tenant_id
                                      AND group_license.id = source.grant_id
               LEFT JOIN user_group ON user_group.tenant_id = source.tenant_id
                                   AND user_group.id = group_license.group_id
              WHERE source.tenant_id = entitlement.tenant_id AND source.entitlement_id = entitlement.id
              ORDER BY grant_id) AS sources
  FROM entitlement
  JOIN license ON license.tenant_id = entitlement.tenant_id AND license.id = license_id
  LEFT JOIN app_user ON app_user.tenant_id = entitlement.tenant_id AND app_user.id = user_id
 WHERE entitlement.tenant_id = :tenant_id
""",
)
_POOLS = compile_block("pools", "SELECT key, used, queued, waiting FROM license WHERE tenant_id = :tenant_id")
_GRANTS = compile_block(
    "grants",
    """
SELECT user_group.key AS group_key, license.key AS license_key, in_quota, assigned, group_license.waiting, suspended
  FROM group_license
  JOIN user_group ON user_group.tenant_id = group_license.tenant_id AND user_group.id = group_id
  JOIN license ON license.tenant_id = group_license.tenant_id AND license.id = license_id
 WHERE group_license.tenant_id = :tenant_id
""",
)
