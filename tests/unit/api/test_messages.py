"""Messages: every code and every problem, in every language, with the same places."""

import re

import pytest
from pydantic_core import PydanticCustomError

from api.errors import problems
from api.errors.api_error import ApiError, FieldProblem
from api.errors.families import MOST_PROBLEMS, NATIVE, USERS
from api.errors.languages import SPOKEN, Languages
from api.errors.problems import dotted, problem_at, reason_of, told
from api.errors.statuses import ACCOUNT, CATALOG, DIALECT
from api.errors.statuses import NATIVE as NATIVE_STATUSES
from api.errors.statuses import USERS as USERS_STATUSES
from api.errors.texts import CATALOGUES, PROBLEMS, message
from domain.errors import ErrorCode

PLACES = re.compile(r"\{[a-z_]+\}")


@pytest.mark.parametrize("language", SPOKEN)
def test_every_code_has_a_message(language):
    assert set(CATALOGUES[language]["codes"]) == set(ErrorCode)


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("part", ["codes", "problems"])
def test_the_languages_say_the_same_with_the_same_places(language, part):
    english, spoken = CATALOGUES["en"][part], CATALOGUES[language][part]
    assert set(spoken) == set(english)
    assert all(PLACES.findall(spoken[name]) == PLACES.findall(english[name]) for name in english)
    assert all(text.strip() and text.endswith(".") for text in spoken.values())


def test_no_two_languages_share_their_texts():
    for one, other in (("en", "de"), ("en", "fr"), ("de", "fr")):
        for part in ("codes", "problems"):
            shared = [name for name, text in CATALOGUES[one][part].items() if CATALOGUES[other][part][name] == text]
            assert shared == []


@pytest.mark.parametrize("statuses", [NATIVE_STATUSES, DIALECT, USERS_STATUSES, ACCOUNT, CATALOG])
def test_every_code_has_an_error_status_in_every_family(statuses):
    assert set(statuses) == set(ErrorCode)
    assert all(400 <= status < 600 for status in statuses.values())


def test_the_statuses_of_the_account_api_are_those_of_its_contract():
    expected = {
        ErrorCode.VALIDATION_FAILED: 400,
        ErrorCode.ACCOUNT_DOES_NOT_EXIST: 404,
        ErrorCode.USER_GROUP_DOES_NOT_EXIST: 404,
        ErrorCode.USER_DOES_NOT_EXIST: 404,
        ErrorCode.UNKNOWN_BUNDLE_CODE: 400,
        ErrorCode.QUOTA_WITHOUT_BUNDLE: 400,
        ErrorCode.USER_IS_NOT_ACTIVE: 409,
        ErrorCode.QUANTITIES_EXCEEDED: 409,
        ErrorCode.QUOTA_BELOW_USAGE: 409,
    }
    assert {code: int(ACCOUNT[code]) for code in expected} == expected


def test_the_statuses_of_the_users_api_are_those_of_its_contract():
    ours = {code: int(USERS_STATUSES[code]) for code in ErrorCode}
    assert {
        ours[ErrorCode.ROLE_DOES_NOT_EXIST],
        ours[ErrorCode.ROLE_HAS_WRONG_PERMISSION_SCOPE],
        ours[ErrorCode.USER_GROUP_ASSIGNMENT_ALREADY_EXISTS],
        ours[ErrorCode.DERIVED_ASSIGNMENT_DELETION_FORBIDDEN],
        ours[ErrorCode.USER_IS_NOT_ACTIVE],
        ours[ErrorCode.VALIDATION_FAILED],
        ours[ErrorCode.INVALID_ITEM],
        ours[ErrorCode.BATCH_EMPTY],
        ours[ErrorCode.BATCH_TOO_LARGE],
    } == {400}
    assert {
        ours[ErrorCode.USER_DOES_NOT_EXIST],
        ours[ErrorCode.USER_GROUP_DOES_NOT_EXIST],
        ours[ErrorCode.USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST],
    } == {404}
    assert ours[ErrorCode.ROLE_NOT_ASSIGNABLE] == 403
    assert ours[ErrorCode.IDEMPOTENCY_KEY_REUSED] == 422


def test_validation_is_422_in_v1_and_400_in_the_dialects():
    assert int(NATIVE_STATUSES[ErrorCode.VALIDATION_FAILED]) == 422
    assert int(DIALECT[ErrorCode.VALIDATION_FAILED]) == 400
    assert int(NATIVE_STATUSES[ErrorCode.INVALID_PARAMETER]) == int(DIALECT[ErrorCode.INVALID_PARAMETER]) == 400


def test_a_fact_that_looks_like_a_place_is_not_one():
    assert message(ErrorCode.BATCH_TOO_LARGE, "en", {"limit": "{limit}"}) == "The batch holds more than {limit} items."


def test_native_refusals_are_problem_details():
    error = ApiError(
        ErrorCode.VALIDATION_FAILED, problems=[FieldProblem(field="items.3.key", problem="too_long", limit=128)]
    )
    assert NATIVE.render(error, "de") == (
        422,
        {
            "type": "urn:seatline:error:validation-failed",
            "title": "Der Inhalt der Anfrage ist ungültig.",
            "status": 422,
            "detail": "Der Inhalt der Anfrage ist ungültig. items.3.key: Dies darf höchstens 128 Zeichen haben.",
            "code": "VALIDATION_FAILED",
            "errors": [{"field": "items.3.key", "message": "Dies darf höchstens 128 Zeichen haben."}],
        },
    )


def test_refusals_of_the_users_api_have_its_three_fields():
    error = ApiError(ErrorCode.BATCH_TOO_LARGE, details={"limit": 100})
    assert USERS.render(error, "fr") == (
        400,
        {
            "code": "BATCH_TOO_LARGE",
            "message": "Le lot contient plus de 100 éléments.",
            "details": {"limit": 100},
        },
    )


def test_details_never_overwrite_what_every_problem_has():
    _, body = NATIVE.render(ApiError(ErrorCode.NOT_FOUND, details={"status": 200, "code": "OK"}), "en")
    assert (body["status"], body["code"]) == (404, "NOT_FOUND")


def test_a_refusal_names_only_so_many_fields():
    many = [FieldProblem(field=str(place), problem="unknown_field") for place in range(1000)]
    _, body = NATIVE.render(ApiError(ErrorCode.VALIDATION_FAILED, problems=many), "en")
    assert len(body["errors"]) == MOST_PROBLEMS


def test_every_word_that_a_pydantic_error_becomes_is_in_the_catalogue():
    assert set(problems._WORDS.values()) <= PROBLEMS


def test_a_custom_error_is_a_word_of_the_catalogue_and_an_unknown_one_is_invalid():
    custom = PydanticCustomError("not_email", "no address")
    assert problem_at("email", custom.type, {}).problem == "not_email"
    assert problem_at("email", "something_new", {}).problem == "invalid"


def test_a_stored_reason_reads_back():
    problem = FieldProblem(field="body.user_id", problem="too_short", limit=1)
    assert told("body.user_id", reason_of(problem)) == FieldProblem(
        field="body.user_id", problem="too_short", limit="1"
    )
    assert told("x", "a word of a later version").problem == "invalid"


def test_a_field_name_that_the_caller_made_up_is_shown_as_far_as_it_can_be():
    assert dotted(["items", 3, "user_id"]) == "items.3.user_id"
    assert dotted(["\ud800\0"]) == r"\ud800\x00"
    assert len(dotted(["x" * 1_000_000])) == 64


@pytest.mark.parametrize(
    ("header", "spoken"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("de-CH", "de"),
        ("DE-ch", "de"),
        ("fr-CA;q=0.7, de;q=0.9", "de"),
        ("es, it;q=0.5", "en"),
        ("es, fr;q=0.1", "fr"),
        ("de;q=0, fr", "fr"),
        ("*", "en"),
        ("de;q=2", "en"),
        (";;;,,,\0", "en"),
        ("x" * 10_000, "en"),
    ],
)
def test_the_language_is_the_best_that_is_spoken(header, spoken):
    assert Languages.accepted(header).spoken == spoken


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("de-CH", "Schweiz"),
        ("de-AT", "Deutsch"),
        ("it", "Italiano"),
        ("es", "English"),
        (None, "English"),
    ],
)
def test_a_title_is_chosen_among_all_languages_it_is_stored_in(header, title):
    titles = {"en": "English", "de": "Deutsch", "de-CH": "Schweiz", "it": "Italiano"}
    assert Languages.accepted(header).choose(titles) == title


def test_a_title_in_no_language_that_is_wanted_is_shown_nevertheless():
    assert Languages.accepted("de").choose({"it": "Ruolo", "fr": "Rôle"}) == "Rôle"
    assert Languages.accepted("de").choose({}) is None


def test_languages_are_stored_as_text():
    wanted = Languages.accepted("de-CH, fr;q=0.5")
    assert Languages.stored(wanted.text) == wanted
    assert Languages.stored("") == Languages()
