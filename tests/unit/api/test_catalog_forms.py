"""What the catalogue API takes: bodies, parameters, redirects, and whose a request is."""

import json

import pytest

from api.authentication import Caller
from api.dialects.catalog.checks import require_agreement, require_own_platform
from api.dialects.catalog.queries import Platform, UserAssignmentWrite
from api.dialects.catalog.redirects import is_allowed
from api.dialects.catalog.schemas import (
    GroupAssignmentBody,
    ProgramLicenseCreate,
    ProgramLicenseUpdate,
    UserAssignmentBody,
)
from api.errors.api_error import ApiError
from api.http.bodies import read_model
from api.http.json_reading import read_json
from domain.errors import ErrorCode

USER = {"license_id": 1, "user_id": 2}
GROUP = {"license_id": 1, "group_id": 2}
CREATE = {"program_key": "p", "name": "n", "count": None, "started": "2026-01-01T00:00:00Z"}
UPDATE = {"license_id": 1}
DEEP = {"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": 1}}}}}}}}


def problems(model, sent):
    with pytest.raises(ApiError) as raised:
        read_model(model, read_json(json.dumps(sent).encode()))
    return [(problem.field, problem.problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"license_id": "1"}, ("license_id", "not_integer")),
        ({"license_id": 0}, ("license_id", "too_small")),
        ({"license_id": 2**63}, ("license_id", "too_large")),
        ({"license_id": True}, ("license_id", "not_integer")),
        ({"user_id": None}, ("user_id", "not_integer")),
        ({"user_id": 5.0}, ("user_id", "not_integer")),
        ({"username": ""}, ("username", "too_short")),
        ({"username": None}, ("username", "not_text")),
        ({"email": "nobody"}, ("email", "not_email")),
        ({"email": None}, ("email", "not_text")),
        ({"active": 1}, ("active", "not_boolean")),
        ({"active": None}, ("active", "not_boolean")),
        ({"fulfilled": "no"}, ("fulfilled", "not_boolean")),
        ({"direct": None}, ("direct", "not_boolean")),
        ({"redirect_to": 5}, ("redirect_to", "not_text")),
        ({"redirect_to": "https://a.example/" + "x" * 2048}, ("redirect_to", "too_long")),
        ({"metadata": []}, ("metadata", "not_object")),
        ({"metadata": {"x": "y" * 16 * 1024}}, ("metadata", "too_many_bytes")),
        ({"metadata": {"0": DEEP}}, ("metadata", "too_deep")),
        ({"platform_key": None}, ("platform_key", "not_text")),
        ({"platform_org": 1}, ("platform_org", "not_text")),
        ({"group_id": 3}, ("group_id", "unknown_field")),
        ({"shortage": "waitlist"}, ("shortage", "unknown_field")),
    ],
)
def test_a_user_assignment_is_refused_by_the_field_at_fault(more, problem):
    assert problems(UserAssignmentBody, USER | more) == [problem]


def test_a_user_assignment_names_a_licence_and_somebody():
    assert problems(UserAssignmentBody, {"user_id": 1}) == [("license_id", "required")]
    assert problems(UserAssignmentBody, {"license_id": 1}) == [("", "one_of")]


@pytest.mark.parametrize("metadata", [{}, DEEP, {"x": "y" * (16 * 1024 - 8)}, None])
def test_metadata_up_to_the_limits_passes(metadata):
    body = read_model(UserAssignmentBody, read_json(json.dumps(USER | {"metadata": metadata}).encode()))
    assert body.metadata == metadata


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"group_id": "2"}, ("group_id", "not_integer")),
        ({"shortage": "wait"}, ("shortage", "unknown_value")),
        ({"shortage": None}, ("shortage", "unknown_value")),
        ({"hold": "true"}, ("hold", "not_boolean")),
        ({"direct": True}, ("direct", "unknown_field")),
        ({"user_id": 2}, ("user_id", "unknown_field")),
    ],
)
def test_a_group_assignment_is_refused_by_the_field_at_fault(more, problem):
    assert problems(GroupAssignmentBody, GROUP | more) == [problem]


@pytest.mark.parametrize(
    ("model", "least", "more", "problem"),
    [
        (ProgramLicenseCreate, CREATE, {"count": -1}, ("count", "too_small")),
        (ProgramLicenseCreate, CREATE, {"count": 2**31}, ("count", "too_large")),
        (ProgramLicenseCreate, CREATE, {"started": None}, ("started", "not_instant")),
        (ProgramLicenseCreate, CREATE, {"started": "2026-01-01"}, ("started", "not_instant")),
        (ProgramLicenseCreate, CREATE, {"started": "2026-01-01T00:00:00"}, ("started", "not_instant")),
        (ProgramLicenseCreate, CREATE, {"expired": 5}, ("expired", "not_instant")),
        (ProgramLicenseCreate, CREATE, {"name": " "}, ("name", "wrong_form")),
        (ProgramLicenseCreate, CREATE, {"external_id": ""}, ("external_id", "too_short")),
        (ProgramLicenseCreate, CREATE, {"source": None}, ("source", "not_text")),
        (ProgramLicenseCreate, CREATE, {"change_type": "x"}, ("change_type", "unknown_field")),
        (ProgramLicenseCreate, CREATE, {"code": "x"}, ("code", "unknown_field")),
        (ProgramLicenseCreate, CREATE, {"metadata": {"0": DEEP}}, ("metadata", "too_deep")),
        (ProgramLicenseCreate, CREATE, {"enrollment_config": {"0": DEEP}}, ("enrollment_config", "too_deep")),
        (ProgramLicenseUpdate, UPDATE, {"program_key": "p"}, ("program_key", "unknown_field")),
        (ProgramLicenseUpdate, UPDATE, {"program_name": "p"}, ("program_name", "unknown_field")),
        (ProgramLicenseUpdate, UPDATE, {"name": None}, ("name", "not_text")),
        (ProgramLicenseUpdate, UPDATE, {"started": None}, ("started", "not_instant")),
        (ProgramLicenseUpdate, UPDATE, {"active": None}, ("active", "not_boolean")),
    ],
)
def test_a_licence_is_refused_by_the_field_at_fault(model, least, more, problem):
    assert problems(model, least | more) == [problem]


def test_a_licence_needs_its_program_name_count_and_start():
    required = [(name, "required") for name in ("program_key", "name", "count", "started")]
    assert problems(ProgramLicenseCreate, {}) == required
    assert problems(ProgramLicenseUpdate, {"external_id": None}) == [("", "one_of")]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org", "https://example.org:8443/a?b=c#d", "HTTPS://Example.ORG/", "https://münchen.example/ü",
        "https://[2001:db8::1]:443/x", "https://example.org?next=1", "https://127.0.0.1/",
    ],
)  # fmt: skip
def test_without_configured_hosts_any_absolute_https_url_is_allowed(url):
    assert is_allowed(url, ())


@pytest.mark.parametrize(
    "url",
    [
        "", "/start", "example.org", "//example.org/x", "http://example.org/", "ftp://example.org/",
        "javascript:alert(1)",
        "https://", "https:///x", "https:example.org", "https://user@example.org/", "https://example.org:99999/",
        "https://example.org:/", "https://a.example\\@example.org/", "https://example.org/a b", "https://example.org/\n",
        " https://example.org/", "https://example.org/\u202e", "https://-.example/", "https://exa mple.org/",
        "https://[::1/", "data:text/html,x",
    ],
)  # fmt: skip
def test_what_is_no_absolute_https_url_is_not_allowed(url):
    assert not is_allowed(url, ())
    assert not is_allowed(url, ("example.org", "a.example")) or url == "http://example.org/"


def test_configured_hosts_alone_are_allowed_and_over_http_too():
    hosts = ("learn.example.org", "localhost:3000")
    for url in ("https://learn.example.org/x", "http://LEARN.example.org:81/", "http://localhost:3000/"):
        assert is_allowed(url, hosts), url
    for url in (
        "https://example.org/", "https://a.learn.example.org/", "https://learn.example.org.evil.example/",
        "http://localhost/", "http://localhost:3001/", "https://evil.example/learn.example.org",
    ):  # fmt: skip
        assert not is_allowed(url, hosts), url


def caller(key="acme", org="acme-org"):
    return Caller(
        tenant_id=1, tenant_key=key, org=org, scopes=frozenset(), roles=None, token_id=None, is_operator=False
    )


@pytest.mark.parametrize("said", [{}, {"platform_key": "acme"}, {"platform_org": "acme-org", "platform_key": "acme"}])
def test_one_s_own_platform_may_be_said_or_not(said):
    require_own_platform(caller(), Platform(**said))


@pytest.mark.parametrize(
    "said",
    [{"platform_key": "other"}, {"platform_key": "ACME"}, {"platform_key": ""}, {"platform_org": "acme"},
     {"platform_key": "acme", "platform_org": "other-org"}],
)  # fmt: skip
def test_any_other_platform_is_forbidden_wherever_it_is_said(said):
    body = read_model(GroupAssignmentBody, read_json(json.dumps(GROUP | said).encode()))
    for parts in ((Platform(**said),), (Platform(), body), (Platform(**said), body)):
        with pytest.raises(ApiError) as raised:
            require_own_platform(caller(), *parts)
        assert raised.value.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize(
    "asked",
    [{}, {"license_id": "1", "user_id": "2", "active": "true", "email": "A@EXAMPLE.org", "fulfilled": "false"},
     {"page": "3", "page_size": "10", "sort": "-created"}],
)  # fmt: skip
def test_parameters_that_say_the_same_or_nothing_agree(asked):
    sent = USER | {"active": True, "email": "a@example.org", "fulfilled": False}
    body = read_model(UserAssignmentBody, read_json(json.dumps(sent).encode()))
    require_agreement(UserAssignmentWrite(**asked), body)


@pytest.mark.parametrize(
    ("name", "value"),
    [("license_id", "2"), ("user_id", "1"), ("active", "false"), ("fulfilled", "true"), ("email", "b@example.org")],
)
def test_a_parameter_that_says_something_else_is_refused(name, value):
    sent = USER | {"active": True, "email": "a@example.org", "fulfilled": False}
    body = read_model(UserAssignmentBody, read_json(json.dumps(sent).encode()))
    with pytest.raises(ApiError) as raised:
        require_agreement(UserAssignmentWrite(**{name: value}), body)
    assert raised.value.code is ErrorCode.INVALID_PARAMETER
    assert [(problem.field, problem.problem) for problem in raised.value.problems] == [(name, "contradicts")]
