"""The bodies that the native API answers with, as models: what the OpenAPI document says of them.

One rule: these describe; translate.py and views.py write the bodies, and a test holds the two together.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.documents.bodies import Moment, OperationError, Progress
from domain.outcomes import OperationStatus


class ItemRefusal(BaseModel):
    """Why one item was refused."""

    code: str
    message: str
    field: str | None = Field(default=None, description="The field at fault, where one is.")


class DirectoryUser(BaseModel):
    """A person."""

    id: int
    key: str
    username: str
    email: str | None
    first_name: str
    last_name: str
    department: str
    active: bool
    attributes: dict[str, Any]
    primary_group: str | None


class DirectoryGroup(BaseModel):
    """A group; `user_count` counts people."""

    id: int
    key: str
    name: str
    user_count: int


class DirectoryRole(BaseModel):
    """A role."""

    key: str
    permission_scope: str
    titles: dict[str, str]
    descriptions: dict[str, str]


class Page(BaseModel):
    """`next_cursor` is null on the last page. A filtered page may hold few items, or none, while more follow."""

    next_cursor: str | None


class UserPage(Page):
    """People."""

    items: list[DirectoryUser]


class GroupPage(Page):
    """Groups."""

    items: list[DirectoryGroup]


class RolePage(Page):
    """Roles."""

    items: list[DirectoryRole]


class StoredItem(BaseModel):
    """What became of one item of a batch."""

    key: str | None = Field(description="Null where none could be read.")
    id: int | None = Field(default=None, description="Null where refused, and where a dry run would create it.")
    status: int
    error: ItemRefusal | None = Field(default=None, description="Absent where nothing failed.")


class StoredItems(BaseModel):
    """One result per item, in order."""

    items: list[StoredItem]


class ShownUser(BaseModel):
    """The person as an assignment shows them; `id` is the upstream's key."""

    id: str
    first_name: str
    last_name: str
    department: str
    status: Literal["ACTIVE", "INACTIVE"]


class ShownRole(BaseModel):
    """The role as an assignment shows it; `id` is the upstream's key."""

    id: str
    title: str | None


class ShownAssignment(BaseModel):
    """An assignment, as the users API shows it."""

    group_id: str
    user: ShownUser
    role: ShownRole
    source: str
    created_at: str


class AssignmentResult(BaseModel):
    """What became of one item: 201 with its body, 200, or a refusal."""

    status: int
    group_id: str | None
    user_id: str | None
    role_id: str | None
    body: ShownAssignment | None = Field(default=None, description="Present where the item assigned.")
    error: ItemRefusal | None = Field(default=None, description="Absent where nothing failed.")


class AssignmentResults(BaseModel):
    """One result per item, in order."""

    items: list[AssignmentResult]


class GroupReference(BaseModel):
    """A group by both its names."""

    id: int
    key: str
    name: str


class UserReference(BaseModel):
    """A person by both their names."""

    id: int
    key: str
    first_name: str
    last_name: str
    department: str
    active: bool


class RoleReference(BaseModel):
    """A role; `title` in the caller's language."""

    key: str
    title: str | None


class ListedAssignment(BaseModel):
    """One role of one person in one group; `group_id`, `user_id`, `role_id` are keys, as in the batch."""

    group_id: str
    user_id: str
    role_id: str
    group: GroupReference
    user: UserReference
    role: RoleReference
    source: str = Field(description="The strongest of `sources`.")
    sources: list[str]
    created_at: str


class GroupAssignmentPage(Page):
    """Assignments."""

    items: list[ListedAssignment]


class ListedOperation(BaseModel):
    """An operation without its answer, which GET /v1/operations/{id} shows."""

    id: str
    kind: str
    status: OperationStatus
    progress: Progress
    timeline: list[Moment]
    error: OperationError | None = Field(default=None, description="Absent where nothing failed.")
    dry_run: Literal[True] | None = Field(default=None, description="Present where nothing was to change.")
    superseded_by: str | None = None


class OperationPage(Page):
    """Operations, newest first."""

    items: list[ListedOperation]


class EventPage(BaseModel):
    """Events in order; `next` is the `after` of the next page."""

    events: list[dict[str, Any]]
    next: str


class Health(BaseModel):
    """The state of this process."""

    status: str
    database: bool | None = None
    broker: bool | None = Field(default=None, description="Told, but not needed.")
