"""The bodies and parameters of the users API's user groups, as its page and its clients write them."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from api.http.bodies import BodyModel
from api.http.parameters import LARGEST, Flag, ReadQuery, Text, Whole, WriteQuery

MOST_ITEMS = 100
"""How many items a batch may hold."""

Id = Annotated[str, Field(min_length=1, description="The upstream's own key.")]


class AssignmentEmbed(StrEnum):
    """What an answer about assignments may carry in addition."""

    ACTIONS = "ACTIONS"


class RoleEmbed(StrEnum):
    """What an answer about assignable roles may carry in addition."""

    ROLE = "ROLE"


class PersonSort(StrEnum):
    """How assignments may be sorted."""

    USER_FIRST_NAME_ASC = "USER_FIRST_NAME_ASC"
    USER_FIRST_NAME_DESC = "USER_FIRST_NAME_DESC"
    USER_LAST_NAME_ASC = "USER_LAST_NAME_ASC"
    USER_LAST_NAME_DESC = "USER_LAST_NAME_DESC"


class RoleSort(StrEnum):
    """How assignable roles may be sorted."""

    ROLE_TITLE_ASC = "ROLE_TITLE_ASC"
    ROLE_TITLE_DESC = "ROLE_TITLE_DESC"


def _each_field_once(sort: tuple[StrEnum, ...]) -> tuple[StrEnum, ...]:
    fields = [value.rpartition("_")[0] for value in sort]
    if len(set(fields)) < len(fields):
        raise PydanticCustomError("twice", "a field is sorted by twice")
    return sort


_EMBED = Field(default=(), description="`ACTIONS`: what the caller may do with the assignment.")
_PAGE_NUMBER = Field(default=1, ge=1, le=LARGEST, description="The page, from 1.")
_PAGE_LIMIT = Field(default=25, ge=1, le=100, description="Items per page.")


class SingleRead(ReadQuery):
    """Parameters of reading one assignment."""

    embed: tuple[AssignmentEmbed, ...] = _EMBED


class SingleWrite(WriteQuery):
    """Parameters of creating one assignment."""

    embed: tuple[AssignmentEmbed, ...] = _EMBED


class BatchCreate(WriteQuery):
    """Parameters of a batch of assignments."""

    embed: tuple[AssignmentEmbed, ...] = _EMBED
    dry_run: Flag = Field(default=False, description="Answer as if, and change nothing.")


class BatchDelete(WriteQuery):
    """Parameters of a batch of deletions."""

    dry_run: Flag = Field(default=False, description="Answer as if, and change nothing.")


class AssignmentList(ReadQuery):
    """Parameters of a group's assignments."""

    search_term: Text | None = Field(
        default=None, description="Found in first name, last name or department, without case; no wildcards."
    )
    role_ids: tuple[Text, ...] | None = Field(default=None, description="Only these roles; unknown ones match nothing.")
    sort: Annotated[tuple[PersonSort, ...], AfterValidator(_each_field_once)] = Field(
        default=(), description="In this order; without it, by creation."
    )
    page_number: Whole = _PAGE_NUMBER
    page_limit: Whole = _PAGE_LIMIT
    embed: tuple[AssignmentEmbed, ...] = _EMBED


class AssignableRoleList(ReadQuery):
    """Parameters of the roles a caller may give."""

    sort: Annotated[tuple[RoleSort, ...], AfterValidator(_each_field_once)] = Field(
        default=(), description="By title in the caller's language; without it, by id."
    )
    page_number: Whole = _PAGE_NUMBER
    page_limit: Whole = _PAGE_LIMIT
    embed: tuple[RoleEmbed, ...] = Field(default=(), description="`ROLE`: the role's title and description.")


class AssignmentCreate(BodyModel):
    """Who gets which role."""

    role_id: Id
    user_id: Id


class AssignmentCreateItem(BodyModel):
    """One assignment of a batch."""

    group_id: Id
    body: AssignmentCreate


class AssignmentDeleteItem(BodyModel):
    """One deletion of a batch."""

    group_id: Id
    user_id: Id
    role_id: Id


class AssignmentCreateBatch(BodyModel):
    """A batch of assignments."""

    items: Annotated[list[AssignmentCreateItem], Field(min_length=1, max_length=MOST_ITEMS)]


class AssignmentDeleteBatch(BodyModel):
    """A batch of deletions."""

    items: Annotated[list[AssignmentDeleteItem], Field(min_length=1, max_length=MOST_ITEMS)]


class AssignedUser(BaseModel):
    """The person of an assignment."""

    id: str
    first_name: str
    last_name: str
    department: str
    status: Literal["ACTIVE", "INACTIVE"]


class AssignedRole(BaseModel):
    """The role of an assignment, its title in the caller's language."""

    id: str
    title: str


class Assignment(BaseModel):
    """One role of one person in one group."""

    group_id: str
    user: AssignedUser
    role: AssignedRole
    source: Literal["MANUAL", "RULE", "PRIMARY", "SCIM"] = Field(description="The strongest of its sources.")
    created_at: str
    actions: list[Literal["DELETE"]] | None = None


class ItemError(BaseModel):
    """Why an item was refused."""

    code: str
    message: str
    field: str | None = Field(default=None, description="Of an INVALID_ITEM: what is wrong with it.")


class BatchResultItem(BaseModel):
    """What became of one item: 201 or 200, or 4xx with the reason. An id that could not be read is null."""

    status: int
    group_id: str | None
    user_id: str | None
    role_id: str | None
    body: Assignment | None = None
    error: ItemError | None = None


class BatchResult(BaseModel):
    """The results, in the order of the items."""

    items: list[BatchResultItem]


class Pagination(BaseModel):
    """Where a page stands among all."""

    page_number: int
    page_limit: int
    total_count: int
    total_pages: int


class AssignmentPage(BaseModel):
    """A page of a group's assignments."""

    assignments: list[Assignment]
    pagination: Pagination
    actions: list[Literal["CREATE"]] | None = None


class Role(BaseModel):
    """A role in the caller's language."""

    id: str
    title: str
    description: str


class AssignableRole(BaseModel):
    """A role the caller may give."""

    role_id: str
    role: Role | None = None


class AssignableRolePage(BaseModel):
    """A page of the roles the caller may give."""

    assignable_roles: list[AssignableRole]
    pagination: Pagination
