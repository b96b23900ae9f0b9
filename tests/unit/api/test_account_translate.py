"""The account API's words: bodies to commands, stored outcomes to answers. Reviewed as golden files."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic_core import to_json

from api.dialects.account import schemas, translate
from api.errors.api_error import ApiError
from api.errors.texts import CATALOGUES
from api.http.bodies import read_model
from api.http.json_reading import read_json
from domain.codec import encode, kind_of, size_of
from domain.errors import ErrorCode, Refusal
from domain.license_commands import ReplaceGroupBundles, ReplaceUserBundles
from domain.outcomes import OperationStatus, Reported, Result, document
from infra.postgres.operations import OperationView, Presentation

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
# The published page's own example.
CODES = ("RPADEVPRONU", "IDU", "CTZDEVCU")
PAGE_BODY = b'{"userBundleCodes": ["RPADEVPRONU", "IDU", "CTZDEVCU"], "useExternalLicense": false}'
GROUP_COMMAND = ReplaceGroupBundles(group="group-01", codes=CODES)
USERS_COMMAND = ReplaceUserBundles(
    users=("singer-77", "singer-88"), codes=("ATTUNU", "TSTNU"), use_external_license=True
)


def bundles(codes=CODES, *, external=False, quotas=(), **demand):
    return Reported(
        "group_bundles",
        {
            "group": {"id": 7, "key": "group-01", "name": "Developers"},
            "codes": list(codes),
            "use_external_license": external,
            "quotas": [{"code": code, "limit": limit, "current_usage": usage} for code, limit, usage in quotas],
            "demand": demand,
        },
    )


def user_bundles(**more):
    body = {
        "users": [{"id": 1, "key": "singer-77"}, {"id": 2, "key": "singer-88"}],
        "codes": ["ATTUNU", "TSTNU"],
        "use_external_license": True,
    }
    return Reported("user_bundles", body | more)


def demand(requested, available, would_wait=0):
    return {"requested": requested, "available": available, "would_wait": would_wait}


def view(form, command, outcome, *, language="en", dry_run=False):
    """The stored operation after this outcome, its documents as they come back from the database."""
    return OperationView(
        tenant_id=1,
        id=UUID(int=7),
        seq=1,
        kind=kind_of(command).value,
        status=OperationStatus.SUCCEEDED,
        dry_run=dry_run,
        request=json.loads(json.dumps(encode(command))),
        presentation=Presentation(form=form, language=language, options=translate.options("song-one")),
        response=json.loads(json.dumps(document(Result(outcomes=[outcome], titles={})))),
        error=None,
        attempts=0,
        done=1,
        total=size_of(command),
        accepted_at=AT,
        started_at=AT,
        finished_at=AT,
        superseded_by=None,
        request_id="import-2025-11-21.7",
    )


def render(seen):
    answer = translate.FORMS[seen.presentation.form](seen)
    return to_json({"status": answer.status, "body": answer.body}, indent=2) + b"\n"


def refused(code, *, form=translate.GROUP, command=GROUP_COMMAND, language="en", **facts):
    return view(form, command, Refusal(code=code, **facts), language=language)


ANSWERS = {
    "group": view(translate.GROUP, GROUP_COMMAND, bundles()),
    "group_external": view(translate.GROUP, GROUP_COMMAND, bundles(external=True)),
    "group_emptied": view(translate.GROUP, translate.withdrawal("group-01"), bundles(())),
    "group_dry_run": view(
        translate.GROUP,
        GROUP_COMMAND,
        bundles(RPADEVPRONU=demand(3, 10), IDU=demand(3, None), CTZDEVCU=demand(0, 0)),
        dry_run=True,
    ),
    "group_with_quotas": view(
        translate.GROUP_WITH_QUOTAS, GROUP_COMMAND, bundles(quotas=[("RPADEVPRONU", 10, 3), ("IDU", 2, 2)])
    ),
    "group_with_quotas_dry_run": view(
        translate.GROUP_WITH_QUOTAS,
        GROUP_COMMAND,
        bundles(quotas=[("RPADEVPRONU", 2, 2)], RPADEVPRONU=demand(2, 10, 1)),
        dry_run=True,
    ),
    "users": view(translate.USERS, USERS_COMMAND, user_bundles()),
    "users_dry_run": view(
        translate.USERS,
        USERS_COMMAND,
        user_bundles(demand={"ATTUNU": demand(2, 5), "TSTNU": demand(1, None)}),
        dry_run=True,
    ),
}
REFUSED = {
    "account_does_not_exist": refused(ErrorCode.ACCOUNT_DOES_NOT_EXIST),
    "user_group_does_not_exist": refused(ErrorCode.USER_GROUP_DOES_NOT_EXIST, field="group"),
    "user_does_not_exist": refused(
        ErrorCode.USER_DOES_NOT_EXIST,
        form=translate.USERS,
        command=USERS_COMMAND,
        field="users",
        details={"user": "singer-88"},
    ),
    "unknown_bundle_code": refused(
        ErrorCode.UNKNOWN_BUNDLE_CODE, field="codes", details={"code": "XYZ"}, language="de"
    ),
    "quantities_exceeded": refused(
        ErrorCode.QUANTITIES_EXCEEDED,
        details={"codes": {"IDU": {"requested": 3, "available": 2}, "CTZDEVCU": {"requested": 3, "available": 0}}},
    ),
    "quota_below_usage": refused(
        ErrorCode.QUOTA_BELOW_USAGE,
        form=translate.GROUP_WITH_QUOTAS,
        field="quotas",
        details={"codes": {"IDU": {"limit": 1, "current_usage": 2}}},
        language="fr",
    ),
    "quota_without_bundle": refused(
        ErrorCode.QUOTA_WITHOUT_BUNDLE, form=translate.GROUP_WITH_QUOTAS, field="quotas", details={"code": "ATTUNU"}
    ),
    "user_is_not_active": refused(
        ErrorCode.USER_IS_NOT_ACTIVE, form=translate.USERS, command=USERS_COMMAND, details={"user": "singer-77"}
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_is_as_reviewed(name, golden):
    golden(f"account/{name}.json", render(ANSWERS[name]))


@pytest.mark.parametrize("name", REFUSED)
def test_every_refusal_is_as_reviewed(name, golden):
    golden(f"account/refused/{name}.json", render(REFUSED[name]))


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("group", schemas.GroupBundles),
        ("group_dry_run", schemas.GroupBundles),
        ("group_with_quotas", schemas.GroupBundlesWithQuotas),
        ("group_with_quotas_dry_run", schemas.GroupBundlesWithQuotas),
        ("users", schemas.UserBundlesList),
        ("users_dry_run", schemas.UserBundlesList),
    ],
)
def test_answers_are_what_the_document_says(name, model):
    body = json.loads(render(ANSWERS[name]))["body"]
    assert model.model_validate(body, strict=True).model_dump(by_alias=True, exclude_unset=True) == body


def test_a_refusal_is_told_in_every_language():
    told = [render(refused(ErrorCode.QUANTITIES_EXCEEDED, language=language)) for language in CATALOGUES]
    for answer, catalogue in zip(told, CATALOGUES.values(), strict=True):
        assert json.loads(answer)["body"]["message"] == catalogue["codes"]["QUANTITIES_EXCEEDED"]


def body(model, raw):
    return read_model(model, read_json(raw))


def test_the_page_s_body_asks_for_its_codes_without_quotas():
    asked = translate.group_allocation("group-01", body(schemas.GroupAllocation, PAGE_BODY))
    assert asked == ReplaceGroupBundles(group="group-01", codes=CODES, use_external_license=False, quotas={})


def test_what_is_absent_is_false_and_empty_withdraws_all():
    asked = translate.group_allocation("g", body(schemas.GroupAllocation, b'{"userBundleCodes": []}'))
    assert asked == translate.withdrawal("g") == ReplaceGroupBundles(group="g", codes=())


def test_quotas_become_limits_by_code():
    raw = b'{"userBundleCodes": ["IDU", "PMD"], "quotas": [{"userBundleCode": "IDU", "limit": 10}]}'
    asked = translate.quota_allocation("g", body(schemas.QuotaAllocation, raw))
    assert asked == ReplaceGroupBundles(group="g", codes=("IDU", "PMD"), quotas={"IDU": 10})


def test_a_set_counts_each_once_in_the_order_sent():
    raw = b'{"userIds": ["b", "a", "b"], "userBundleCodes": ["PMD", "IDU", "PMD"], "useExternalLicense": true}'
    asked = translate.user_allocation(body(schemas.UserAllocation, raw))
    assert asked == ReplaceUserBundles(users=("b", "a"), codes=("PMD", "IDU"), use_external_license=True)


MALFORMED = [
    (schemas.GroupAllocation, b"{}", "userBundleCodes"),
    (schemas.GroupAllocation, b'{"user_bundle_codes": []}', "userBundleCodes"),
    (schemas.GroupAllocation, b'{"userBundleCodes": "IDU"}', "userBundleCodes"),
    (schemas.GroupAllocation, b'{"userBundleCodes": [""]}', "userBundleCodes.0"),
    (schemas.GroupAllocation, b'{"userBundleCodes": [7]}', "userBundleCodes.0"),
    (schemas.GroupAllocation, b'{"userBundleCodes": ["a\\u0000"]}', "userBundleCodes.0"),
    (schemas.GroupAllocation, b'{"userBundleCodes": [], "useExternalLicense": null}', "useExternalLicense"),
    (schemas.GroupAllocation, b'{"userBundleCodes": [], "useExternalLicense": "false"}', "useExternalLicense"),
    (schemas.GroupAllocation, b'{"userBundleCodes": [], "quotas": []}', "quotas"),
    (schemas.GroupAllocation, b"[]", ""),
    (schemas.QuotaAllocation, b'{"userBundleCodes": [], "quotas": null}', "quotas"),
    (schemas.QuotaAllocation, b'{"userBundleCodes": [], "quotas": [{"limit": 1}]}', "quotas.0.userBundleCode"),
    (schemas.QuotaAllocation, b'{"userBundleCodes": [], "quotas": [{"userBundleCode": "A"}]}', "quotas.0.limit"),
    (
        schemas.QuotaAllocation,
        b'{"userBundleCodes": [], "quotas": [{"userBundleCode": "A", "limit": 0}]}',
        "quotas.0.limit",
    ),
    (
        schemas.QuotaAllocation,
        b'{"userBundleCodes": [], "quotas": [{"userBundleCode": "A", "limit": 1.5}]}',
        "quotas.0.limit",
    ),
    (
        schemas.QuotaAllocation,
        (
            b'{"userBundleCodes": ["A"], "quotas": ['
            b'{"userBundleCode": "A", "limit": 1}, {"userBundleCode": "A", "limit": 1}]}'
        ),
        "quotas",
    ),
    (schemas.UserAllocation, b'{"userBundleCodes": []}', "userIds"),
    (schemas.UserAllocation, b'{"userBundleCodes": [], "userIds": []}', "userIds"),
    (schemas.UserAllocation, b'{"userBundleCodes": [], "userIds": [1]}', "userIds.0"),
    (
        schemas.UserAllocation,
        json.dumps({"userBundleCodes": [], "userIds": [f"u{n}" for n in range(1001)]}).encode(),
        "userIds",
    ),
]


@pytest.mark.parametrize(("model", "raw", "field"), MALFORMED)
def test_what_is_malformed_is_named(model, raw, field):
    with pytest.raises(ApiError) as error:
        body(model, raw)
    assert error.value.code is ErrorCode.VALIDATION_FAILED
    assert field in [problem.field for problem in error.value.problems]


def test_a_thousand_users_are_not_too_many():
    raw = json.dumps({"userBundleCodes": ["IDU"], "userIds": [f"u{n}" for n in range(1000)]}).encode()
    assert len(translate.user_allocation(body(schemas.UserAllocation, raw)).users) == 1000
