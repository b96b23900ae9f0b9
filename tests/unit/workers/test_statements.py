"""Named SQL blocks become asyncpg's numbered form: each bind one place, casts and literals left alone."""

import pytest

from infra.postgres import statements
from infra.postgres.statements import compile_block


def test_each_bind_has_one_place_however_often_it_stands():
    statement = compile_block("a_block", "\nSELECT :b, :a, :b;\n")
    assert statement.sql == "SELECT $1, $2, $1"
    assert statement.binds == ("b", "a")


def test_casts_literals_and_comments_hold_no_binds():
    statement = compile_block("a_block", "SELECT x::text, ':no', 'it''s :not' -- :nor here\n  FROM t WHERE a = :a")
    assert statement.binds == ("a",)
    assert statement.sql == "SELECT x::text, ':no', 'it''s :not' \n  FROM t WHERE a = $1"


def test_a_name_that_stands_twice_in_a_file_is_refused(tmp_path, monkeypatch):
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "twice.sql").write_text("-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;\n")
    monkeypatch.setattr(statements, "__file__", str(tmp_path / "statements.py"))
    with pytest.raises(ValueError, match="twice"):
        statements.load.__wrapped__("twice")
