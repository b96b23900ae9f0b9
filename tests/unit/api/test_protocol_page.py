"""docs/protocol.md is held against the tables it describes."""

import re
from pathlib import Path

import pytest

from api.app import FAMILIES
from api.documents.headers import WRITE_HEADERS
from api.errors.api_error import ApiError, FieldProblem
from api.errors.families import ACCOUNT, CATALOG, NATIVE, USERS
from domain.errors import ErrorCode

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_every_code_stands_once_with_its_statuses():
    rows = re.findall(r"^\| `([A-Z_]+)` \|((?: \d{3} \|){4}) .+ \|$", PAGE, flags=re.MULTILINE)
    families = (NATIVE, USERS, CATALOG, ACCOUNT)
    assert {code: [int(status) for status in re.findall(r"\d+", columns)] for code, columns in rows} == {
        code.value: [int(family.statuses[code]) for family in families] for code in ErrorCode
    }
    assert len(rows) == len(ErrorCode)


def test_every_documented_header_is_described():
    assert all(f"| `{header['name']}" in PAGE for header in WRITE_HEADERS)


def test_every_family_s_paths_are_described():
    doors = re.findall(r"^\| `(/[^`]+)` \|", PAGE, flags=re.MULTILINE)
    for pattern, _ in FAMILIES[:-1]:
        assert any(pattern.match(door) for door in doors), pattern.pattern


@pytest.mark.parametrize(
    ("family", "field"),
    [(NATIVE, "username"), (USERS, "role_id"), (CATALOG, "license_id"), (ACCOUNT, "userBundleCodes")],
)
def test_the_examples_are_what_is_answered(family, field):
    error = ApiError(ErrorCode.VALIDATION_FAILED, problems=[FieldProblem(field=field, problem="required")])
    _, body = family.render(error, "en")
    shown = " ".join(PAGE.split())
    for value in (error.code, body.get("detail") or body.get("error") or body["message"], f'"field": "{field}"'):
        assert value in shown
