"""The bodies that the native API takes, as models: no unknown field, nothing converted."""

from typing import Literal

from pydantic import Field

from api.http.bodies import BodyModel
from api.http.fields import (
    Attributes,
    Descriptions,
    Email,
    Key,
    Name,
    OptionalName,
    PermissionScope,
    Reference,
    Titles,
)


class KeyedModel(BodyModel):
    """An item of a batch names its key itself."""

    key: Key = Field(description="The upstream's own key.")


class UserFields(BodyModel):
    """A person; what is omitted takes its default."""

    username: Name = Field(description="Unique in the tenant without case.")
    email: Email | None = Field(default=None, description="Unique in the tenant without case.")
    first_name: OptionalName = ""
    last_name: OptionalName = ""
    department: OptionalName = ""
    active: bool = Field(default=True, description="False ends all memberships; primary_group stays on record.")
    attributes: Attributes = Field(default={}, description="At most 16 KiB as JSON and 8 levels deep.")
    primary_group: Key | None = Field(default=None, description="A group's key: gives the role `member` there.")


class GroupFields(BodyModel):
    """A group."""

    name: Name


class RoleFields(BodyModel):
    """A role; only one with the permission scope USER_GROUPS can be given in groups."""

    permission_scope: PermissionScope
    titles: Titles = Field(description="By language tag; at least one.")
    descriptions: Descriptions = Field(default={}, description="By language tag.")


class UserBody(UserFields):
    """The body of PUT /v1/users/{key}; a `key` in it must be the address's own."""

    key: Key | None = None


class GroupBody(GroupFields):
    """The body of PUT /v1/groups/{key}; a `key` in it must be the address's own."""

    key: Key | None = None


class RoleBody(RoleFields):
    """The body of PUT /v1/roles/{key}; a `key` in it must be the address's own."""

    key: Key | None = None


class UserItem(UserFields, KeyedModel):
    """An item of POST /v1/users:batch."""


class GroupItem(GroupFields, KeyedModel):
    """An item of POST /v1/groups:batch."""


class RoleItem(RoleFields, KeyedModel):
    """An item of POST /v1/roles:batch."""


class AssignmentItem(BodyModel):
    """An item of POST /v1/group-assignments:batch. PRIMARY is no source here: it follows a user's primary_group."""

    op: Literal["assign", "unassign"]
    group_id: Reference
    user_id: Reference
    role_id: Reference
    source: Literal["MANUAL", "RULE", "SCIM"] = "MANUAL"


class UserBatch(BodyModel):
    """Up to 1,000 people."""

    items: list[UserItem] = Field(min_length=1, max_length=1000)


class GroupBatch(BodyModel):
    """Up to 1,000 groups."""

    items: list[GroupItem] = Field(min_length=1, max_length=1000)


class RoleBatch(BodyModel):
    """Up to 1,000 roles."""

    items: list[RoleItem] = Field(min_length=1, max_length=1000)


class AssignmentBatch(BodyModel):
    """Up to 1,000 changes of group assignments."""

    items: list[AssignmentItem] = Field(min_length=1, max_length=1000)
