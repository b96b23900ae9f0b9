"""The account API's objects, made of stored outcomes and of rows alike, so that both always look the same."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from domain.errors import JSON
from infra.postgres.reads.account import LicensedGroup, LicensedMember, Quantity


class Quota(NamedTuple):
    """A bundle's limit in a group, and how many members are within it."""

    code: str
    limit: int
    current_usage: int


def group_bundles(group: str, organization: str, *, external: bool, codes: Sequence[str]) -> dict[str, JSON]:
    """The set of a group."""
    return {
        "groupId": group,
        "organizationId": organization,
        "useExternalLicense": external,
        "userBundleCodes": list(codes),
    }


def group_with_quotas(
    group: str, organization: str, *, codes: Sequence[str], quotas: Iterable[Quota]
) -> dict[str, JSON]:
    """The set of a group with its quotas."""
    return {
        "groupRule": {"groupId": group, "organizationId": organization, "userBundleCodes": list(codes)},
        "quotas": _quotas(quotas),
    }


def user_bundles(user: str, organization: str, *, external: bool, codes: Sequence[str]) -> dict[str, JSON]:
    """The set that a person has of their own."""
    return {
        "userId": user,
        "organizationId": organization,
        "useExternalLicense": external,
        "userBundleCodes": list(codes),
    }


def licensed_group(group: LicensedGroup) -> dict[str, JSON]:
    """A group in the list of those that have bundles."""
    return {
        "groupRule": {
            "id": group.key,
            "name": group.name,
            "userBundleLicenses": [bundle.code for bundle in group.bundles],
            "useExternalLicense": group.use_external_license,
        },
        "quotas": _quotas(quotas_of(group)),
    }


def quotas_of(group: LicensedGroup) -> list[Quota]:
    """Those of the group's bundles that have a quota."""
    return [Quota(bundle.code, bundle.quota, bundle.in_quota) for bundle in group.bundles if bundle.quota is not None]


def licensed_member(member: LicensedMember) -> dict[str, JSON]:
    """A member in the list of those who hold seats through the group."""
    full_name = f"{member.first_name} {member.last_name}".strip()
    return {
        "id": member.key,
        "email": member.email,
        "name": member.first_name,
        "surname": member.last_name,
        "displayName": full_name or member.username,
        "userBundleLicenses": list(member.codes),
    }


def quantity(pool: Quantity) -> dict[str, JSON]:
    """What the account has of a bundle."""
    return {
        "code": pool.code,
        "total": pool.capacity,
        "allocated": pool.used + pool.reserved,
        "inUse": pool.used,
    }


def page(results: Iterable[JSON], *, total: int) -> dict[str, JSON]:
    """A page of a list by offset."""
    return {"results": list(results), "totalCount": total}


def _quotas(quotas: Iterable[Quota]) -> list[JSON]:
    return [
        {"userBundleCode": quota.code, "limit": quota.limit, "currentUsage": quota.current_usage} for quota in quotas
    ]
