"""Requests of the account API to commands, and stored outcomes to its answers. Pure; golden-tested.

One rule: an answer is made of the stored operation alone, so that a replay is the same to the byte.
"""

from collections.abc import Callable, Iterable, Mapping

from api.dialects.account import shapes
from api.dialects.account.schemas import GroupAllocation, QuotaAllocation, UserAllocation
from api.errors.families import ACCOUNT
from api.http.operation import Forms, Rendered
from api.http.single import Outcome, answer_of_single, facts_of
from domain.errors import JSON
from domain.license_commands import ReplaceGroupBundles, ReplaceUserBundles
from infra.postgres.operations import OperationView

GROUP = "account.group"
GROUP_WITH_QUOTAS = "account.group_with_quotas"
USERS = "account.users"

# What the engine calls the fields of its commands, in the words of this API.
_FIELDS = {"group": "groupId", "users": "userIds", "codes": "userBundleCodes", "quotas": "quotas"}


def group_allocation(group: str, body: GroupAllocation) -> ReplaceGroupBundles:
    """What a plain allocation asks for: it clears the quotas."""
    return ReplaceGroupBundles(
        group=group, codes=_once(body.user_bundle_codes), use_external_license=body.use_external_license
    )


def quota_allocation(group: str, body: QuotaAllocation) -> ReplaceGroupBundles:
    """What an allocation with quotas asks for."""
    return ReplaceGroupBundles(
        group=group,
        codes=_once(body.user_bundle_codes),
        use_external_license=body.use_external_license,
        quotas={quota.user_bundle_code: quota.limit for quota in body.quotas},
    )


def withdrawal(group: str) -> ReplaceGroupBundles:
    """What a deletion asks for."""
    return ReplaceGroupBundles(group=group, codes=())


def user_allocation(body: UserAllocation) -> ReplaceUserBundles:
    """What an allocation to people asks for."""
    return ReplaceUserBundles(
        users=_once(body.user_ids),
        codes=_once(body.user_bundle_codes),
        use_external_license=body.use_external_license,
    )


def options(account: str) -> dict[str, JSON]:
    """What an answer needs to know of the request."""
    return {"organizationId": account}


def _once(names: Iterable[str]) -> tuple[str, ...]:
    """A set, in the order in which it was sent."""
    return tuple(dict.fromkeys(names))


def group(view: OperationView) -> Rendered:
    """200 and the group's set, or the refusal."""
    return _answered(
        view,
        lambda outcome: {
            **shapes.group_bundles(
                outcome["group"]["key"],
                _organization(view),
                external=outcome["use_external_license"],
                codes=outcome["codes"],
            ),
            **_demand(view, outcome),
        },
    )


def group_with_quotas(view: OperationView) -> Rendered:
    """200 and the group's set with its quotas, or the refusal."""
    return _answered(
        view,
        lambda outcome: {
            **shapes.group_with_quotas(
                outcome["group"]["key"],
                _organization(view),
                codes=outcome["codes"],
                quotas=[shapes.Quota(**quota) for quota in outcome["quotas"]],
            ),
            **_demand(view, outcome),
        },
    )


def users(view: OperationView) -> Rendered:
    """200 and each person's own set, in the order of the request, or the refusal."""
    return _answered(
        view,
        lambda outcome: [
            {
                **shapes.user_bundles(
                    user["key"],
                    _organization(view),
                    external=outcome["use_external_license"],
                    codes=outcome["codes"],
                ),
                **_demand(view, outcome),
            }
            for user in outcome["users"]
        ],
    )


FORMS: Forms = {GROUP: group, GROUP_WITH_QUOTAS: group_with_quotas, USERS: users}


def _answered(view: OperationView, succeeded: Callable[[Outcome], JSON]) -> Rendered:
    return answer_of_single(view, ACCOUNT, lambda outcome: Rendered(200, succeeded(outcome)), facts=_facts)


def _organization(view: OperationView) -> str:
    return str(view.presentation.options["organizationId"])


def _demand(view: OperationView, outcome: Outcome) -> dict[str, JSON]:
    """What a dry run tells in addition."""
    if not view.dry_run:
        return {}
    asked = outcome.get("demand", {})
    return {"demand": {code: _renamed(of_code) for code, of_code in asked.items()}}


def _facts(outcome: Outcome) -> dict[str, JSON]:
    facts = facts_of(outcome, _FIELDS)
    by_code = facts.get("codes")
    if isinstance(by_code, dict):
        facts["codes"] = {code: _renamed(of_code) for code, of_code in by_code.items() if isinstance(of_code, dict)}
    return facts


def _renamed(facts: Mapping[str, JSON]) -> dict[str, JSON]:
    """The facts of a code in this API's spelling."""
    names = {"current_usage": "currentUsage", "would_wait": "wouldWait"}
    return {names.get(name, name): fact for name, fact in facts.items()}
