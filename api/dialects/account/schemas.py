"""The bodies and parameters of the account API's user licences, as its pages and its clients write them."""

from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from api.http.bodies import BodyModel
from api.http.parameters import LARGEST, Flag, ReadQuery, Whole, WriteQuery

MOST_USERS = 1000
"""How many people one call may allocate to."""
MOST_RESULTS = 50
"""How many results a page may hold."""

Named = Annotated[str, Field(min_length=1)]


class CamelBody(BodyModel):
    """A body whose fields are called as the pages call them."""

    model_config = ConfigDict(alias_generator=to_camel)


class GroupAllocation(CamelBody):
    """Which bundles a group is to have; those it has and that are not named are withdrawn."""

    user_bundle_codes: list[Named] = Field(description="The whole set, by codes; empty withdraws all.")
    use_external_license: bool = Field(default=False, description="Stored and echoed; absent is false.")


class Quota(CamelBody):
    """How many members of the group the bundle may serve."""

    user_bundle_code: Named = Field(description="One of userBundleCodes.")
    limit: int = Field(ge=1, le=LARGEST)


def _each_code_once(quotas: list[Quota]) -> list[Quota]:
    if len({quota.user_bundle_code for quota in quotas}) < len(quotas):
        raise PydanticCustomError("twice", "a code has two quotas")
    return quotas


class QuotaAllocation(GroupAllocation):
    """Which bundles a group is to have, and how many members each may serve."""

    quotas: Annotated[list[Quota], AfterValidator(_each_code_once)] = Field(
        default=[], description="A bundle without a quota serves every member."
    )


class UserAllocation(GroupAllocation):
    """Which bundles people are to have of their own; what they have through groups stays."""

    user_ids: Annotated[list[Named], Field(min_length=1, max_length=MOST_USERS)] = Field(
        description="The people, by the upstream's own keys."
    )


class CamelAnswer(BaseModel):
    """An answer whose fields are called as the pages call them."""

    model_config = ConfigDict(alias_generator=to_camel)


class Demand(CamelAnswer):
    """What an allocation asks of one bundle's seats."""

    requested: int = Field(description="Seats that members lack.")
    available: int | None = Field(description="Seats that are free; null: without limit.")
    would_wait: int = Field(description="Members that would wait for a seat.")


_DEMAND = Field(default=None, description="On a dry run only: by code, what the allocation asks of the seats.")


class GroupBundles(CamelAnswer):
    """The bundles that a group has."""

    group_id: str
    organization_id: str
    use_external_license: bool
    user_bundle_codes: list[str]
    demand: dict[str, Demand] | None = _DEMAND


class GroupRule(CamelAnswer):
    """The bundles that a group has."""

    group_id: str
    organization_id: str
    user_bundle_codes: list[str]


class QuotaUsage(CamelAnswer):
    """How many members a bundle may serve, and how many it does."""

    user_bundle_code: str
    limit: int
    current_usage: int = Field(description="Members within the limit, whether they hold a seat or wait for one.")


class GroupBundlesWithQuotas(CamelAnswer):
    """The bundles that a group has, with their quotas."""

    group_rule: GroupRule
    quotas: list[QuotaUsage]
    demand: dict[str, Demand] | None = _DEMAND


class LicensedGroupRule(CamelAnswer):
    """A group that has bundles."""

    id: str
    name: str
    user_bundle_licenses: list[str]
    use_external_license: bool


class LicensedGroup(CamelAnswer):
    """A group that has bundles, with their quotas."""

    group_rule: LicensedGroupRule
    quotas: list[QuotaUsage]


class LicensedGroupPage(CamelAnswer):
    """A page of the groups that have bundles."""

    results: list[LicensedGroup]
    total_count: int


class LicensedUser(CamelAnswer):
    """A member who holds seats through the group."""

    id: str
    email: str | None
    name: str
    surname: str
    display_name: str
    user_bundle_licenses: list[str] = Field(description="What the group gives them.")


class LicensedUserPage(CamelAnswer):
    """A page of the members who hold seats through the group."""

    results: list[LicensedUser]
    total_count: int


class UserBundles(CamelAnswer):
    """The bundles that a person has of their own."""

    user_id: str
    organization_id: str
    use_external_license: bool
    user_bundle_codes: list[str]
    demand: dict[str, Demand] | None = _DEMAND


class UserBundlesList(RootModel[list[UserBundles]]):
    """One entry for each person, in the order of the request."""


class BundleQuantity(CamelAnswer):
    """What the account has of a bundle."""

    code: str
    total: int | None = Field(description="Null: without limit.")
    allocated: int = Field(description="Seats held, and seats held back for members not yet reached.")
    in_use: int = Field(description="Seats held.")


class BundleQuantities(RootModel[list[BundleQuantity]]):
    """One entry for each bundle licence."""


class SortOrder(StrEnum):
    """Which way a list is sorted."""

    ASC = "asc"
    DESC = "desc"


class GroupSort(StrEnum):
    """What groups may be sorted by."""

    ID = "Id"
    NAME = "Name"


class UserSort(StrEnum):
    """What members may be sorted by."""

    ID = "Id"
    EMAIL = "Email"
    NAME = "Name"
    SURNAME = "Surname"
    DISPLAY_NAME = "DisplayName"


Choice = TypeVar("Choice", bound=StrEnum)


def _without_case(choices: type[Choice]) -> BeforeValidator:
    """The pages write `Name` and `asc`, their clients `name` and `Asc`."""
    known = {choice.value.lower(): choice for choice in choices}
    return BeforeValidator(lambda sent: known.get(sent.lower(), sent) if isinstance(sent, str) else sent)


class Allocation(WriteQuery):
    """Parameters of an allocation."""

    dry_run: Flag = Field(default=False, description="Answer as if, and change nothing.")


class Paged(ReadQuery):
    """Which results of a list."""

    skip: Whole = Field(default=0, ge=0, le=LARGEST, description="How many results to pass over.")
    top: Whole = Field(default=MOST_RESULTS, ge=1, le=MOST_RESULTS, description="How many results to show.")
    sortOrder: Annotated[SortOrder, _without_case(SortOrder)] = Field(  # noqa: N815 - the pages' own name
        default=SortOrder.ASC, description="Whichever order it is, this way."
    )


class GroupList(Paged):
    """Parameters of the groups that have bundles."""

    sortBy: Annotated[GroupSort | None, _without_case(GroupSort)] = Field(  # noqa: N815 - the pages' own name
        default=None, description="Without it, by creation."
    )


class UserList(Paged):
    """Parameters of the members who hold seats through a group."""

    sortBy: Annotated[UserSort | None, _without_case(UserSort)] = Field(  # noqa: N815 - the pages' own name
        default=None, description="Without it, by creation."
    )
