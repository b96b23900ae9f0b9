"""Commands of any size over a directory of any size: people `u0`, `u1`, … in groups `g0`, `g1`, … with roles."""

from domain.commands import (
    AssignmentChange,
    AssignmentOp,
    ChangeAssignments,
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


def put_users(count: int, *, name: str = "", primary_group: str | None = None, active: bool = True) -> PutUsers:
    """As many people, each with a username and an e-mail."""
    return PutUsers(
        items=tuple(
            UserPut(
                key=f"u{n}",
                username=f"user{n}{name}",
                email=f"{name}u{n}@example.org",
                first_name=name,
                primary_group=primary_group,
                active=active,
            )
            for n in range(count)
        )
    )


def put_groups(count: int, *, name: str = "A group") -> PutGroups:
    """As many groups."""
    return PutGroups(items=tuple(GroupPut(key=f"g{n}", name=name) for n in range(count)))


def put_roles(count: int, *, title: str = "A role") -> PutRoles:
    """As many roles that can be given in groups."""
    return PutRoles(
        items=tuple(RolePut(key=f"r{n}", permission_scope="USER_GROUPS", titles={"en": title}) for n in range(count))
    )


def change(
    op: AssignmentOp, count: int, *, group: str = "g0", role: str = "r0", first: int = 0, assignable: None = None
) -> ChangeAssignments:
    """As many people, one role, one group."""
    items = tuple(AssignmentChange(op=op, group=group, user=f"u{first + n}", role=role) for n in range(count))
    return ChangeAssignments(items=items, assignable=assignable)


def delete_users(count: int) -> DeleteUsers:
    """As many people."""
    return DeleteUsers(keys=tuple(f"u{n}" for n in range(count)))


def delete_groups(count: int, *, cascade: bool = True) -> DeleteGroups:
    """As many groups."""
    return DeleteGroups(keys=tuple(f"g{n}" for n in range(count)), cascade=cascade)


def delete_roles(count: int, *, cascade: bool = True) -> DeleteRoles:
    """As many roles."""
    return DeleteRoles(keys=tuple(f"r{n}" for n in range(count)), cascade=cascade)
