"""What the calls say about themselves in the OpenAPI document.

One rule: the examples are real answers; a test validates each against its schema.
"""

from typing import Any

from api.dialects.account import schemas
from api.documents.bodies import Shown
from api.documents.describing import described
from api.documents.links import Link, asked, link, shown
from api.errors.families import ACCOUNT
from domain.errors import JSON
from domain.errors import ErrorCode as Code

# The published page's own example.
_CODES: list[JSON] = ["RPADEVPRONU", "IDU", "CTZDEVCU"]
_ALLOCATION: JSON = {"userBundleCodes": _CODES, "useExternalLicense": False}
_NAMED: dict[str, JSON] = {"groupId": "group-01", "organizationId": "song-one"}
_BUNDLES: JSON = {**_NAMED, "useExternalLicense": False, "userBundleCodes": _CODES}
_EMPTY: JSON = {**_NAMED, "useExternalLicense": False, "userBundleCodes": []}
_QUOTA_ASKED: JSON = {"userBundleCode": "RPADEVPRONU", "limit": 10}
_QUOTA: JSON = {"userBundleCode": "RPADEVPRONU", "limit": 10, "currentUsage": 3}
_WITH_QUOTAS: JSON = {"groupRule": {**_NAMED, "userBundleCodes": ["RPADEVPRONU", "IDU"]}, "quotas": [_QUOTA]}
_USERS: list[JSON] = ["singer-77", "singer-88", "singer-111"]
_USER_CODES: list[JSON] = ["RPADEVNU", "ATTUNU", "TSTNU"]

_GROUP = (Code.ACCOUNT_DOES_NOT_EXIST, Code.USER_GROUP_DOES_NOT_EXIST)
_CODES_REFUSED = (Code.UNKNOWN_BUNDLE_CODE, Code.QUANTITIES_EXCEEDED)
_ACCOUNT = {"organizationName": asked("organizationName"), "accountId": asked("accountId")}
_TO_ACCOUNT = (link("list_quantities", **_ACCOUNT), link("list_licensed_groups", **_ACCOUNT))


def _to_group(key: str) -> tuple[Link, ...]:
    """From where a group's key is shown."""
    address = {**_ACCOUNT, "groupId": key}
    names = ("get_group_bundles", "get_group_with_quotas", "list_licensed_members", "withdraw_from_group")
    return (*_TO_ACCOUNT, *(link(name, **address) for name in names))


QUANTITIES: dict[str, Any] = described(
    summary="List the account's bundles",
    family=ACCOUNT,
    answers={
        200: Shown(
            model=schemas.BundleQuantities,
            example=[
                {"code": "IDU", "total": None, "allocated": 3, "inUse": 3},
                {"code": "RPADEVPRONU", "total": 100, "allocated": 42, "inUse": 40},
            ],
            description="One entry for each bundle licence, by code.",
        )
    },
    refusals=(Code.ACCOUNT_DOES_NOT_EXIST,),
    links=_TO_ACCOUNT,
)

ALLOCATE_TO_USERS: dict[str, Any] = described(
    summary="Allocate licenses to users",
    family=ACCOUNT,
    query=schemas.Allocation,
    body=Shown(
        model=schemas.UserAllocation,
        example={"userIds": _USERS, "userBundleCodes": _USER_CODES, "useExternalLicense": True},
    ),
    answers={
        200: Shown(
            model=schemas.UserBundlesList,
            example=[
                {
                    "userId": user,
                    "organizationId": "song-one",
                    "useExternalLicense": True,
                    "userBundleCodes": _USER_CODES,
                }
                for user in _USERS
            ],
            description="What each has of their own now; what they have through groups is not shown.",
        )
    },
    refusals=(
        Code.ACCOUNT_DOES_NOT_EXIST,
        Code.USER_DOES_NOT_EXIST,
        *_CODES_REFUSED,
        Code.USER_IS_NOT_ACTIVE,
    ),
    is_write=True,
    links=_TO_ACCOUNT,
)

LICENSED_GROUPS: dict[str, Any] = described(
    summary="Get groups' rules with quotas",
    family=ACCOUNT,
    query=schemas.GroupList,
    answers={
        200: Shown(
            model=schemas.LicensedGroupPage,
            example={
                "results": [
                    {
                        "groupRule": {
                            "id": "group-01",
                            "name": "Automation developers",
                            "userBundleLicenses": ["RPADEVPRONU", "IDU"],
                            "useExternalLicense": False,
                        },
                        "quotas": [_QUOTA],
                    }
                ],
                "totalCount": 1,
            },
        )
    },
    refusals=(Code.ACCOUNT_DOES_NOT_EXIST,),
    links=_to_group(shown("results/0/groupRule/id")),
)

GROUP_BUNDLES: dict[str, Any] = described(
    summary="Get a group's license allocation",
    family=ACCOUNT,
    answers={200: Shown(model=schemas.GroupBundles, example=_BUNDLES)},
    refusals=_GROUP,
    links=_to_group(asked("groupId")),
)

ALLOCATE_TO_GROUP: dict[str, Any] = described(
    summary="Allocate licenses to a group",
    family=ACCOUNT,
    query=schemas.Allocation,
    body=Shown(model=schemas.GroupAllocation, example=_ALLOCATION),
    answers={200: Shown(model=schemas.GroupBundles, example=_BUNDLES)},
    refusals=(*_GROUP, *_CODES_REFUSED),
    is_write=True,
    links=_to_group(asked("groupId")),
)

WITHDRAW_FROM_GROUP: dict[str, Any] = described(
    summary="Withdraw a group's licenses",
    family=ACCOUNT,
    query=schemas.Allocation,
    answers={200: Shown(model=schemas.GroupBundles, example=_EMPTY, description="The empty set.")},
    refusals=_GROUP,
    is_write=True,
    links=_to_group(asked("groupId")),
)

GROUP_WITH_QUOTAS: dict[str, Any] = described(
    summary="Get a group's license allocation with quota",
    family=ACCOUNT,
    answers={200: Shown(model=schemas.GroupBundlesWithQuotas, example=_WITH_QUOTAS)},
    refusals=_GROUP,
    links=_to_group(asked("groupId")),
)

ALLOCATE_WITH_QUOTAS: dict[str, Any] = described(
    summary="Allocate licenses to a group with quota",
    family=ACCOUNT,
    query=schemas.Allocation,
    body=Shown(
        model=schemas.QuotaAllocation,
        example={"userBundleCodes": ["RPADEVPRONU", "IDU"], "quotas": [_QUOTA_ASKED]},
    ),
    answers={200: Shown(model=schemas.GroupBundlesWithQuotas, example=_WITH_QUOTAS)},
    refusals=(*_GROUP, *_CODES_REFUSED, Code.QUOTA_WITHOUT_BUNDLE, Code.QUOTA_BELOW_USAGE),
    is_write=True,
    links=_to_group(asked("groupId")),
)

LICENSED_MEMBERS: dict[str, Any] = described(
    summary="Get bulk user allocations from a group",
    family=ACCOUNT,
    query=schemas.UserList,
    answers={
        200: Shown(
            model=schemas.LicensedUserPage,
            example={
                "results": [
                    {
                        "id": "singer-77",
                        "email": "ada@example.org",
                        "name": "Ada",
                        "surname": "Brandt",
                        "displayName": "Ada Brandt",
                        "userBundleLicenses": ["RPADEVPRONU"],
                    }
                ],
                "totalCount": 1,
            },
        )
    },
    refusals=_GROUP,
)
