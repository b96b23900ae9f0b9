import io
import json
import logging as standard_logging

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from infra import logging
from infra.settings import LogFormat, LogLevel, Settings

SECRET = "hunter2"


@pytest.fixture
def lines():
    """A stream to configure logging with; what that changes for the whole process is put back afterwards."""
    root = standard_logging.getLogger()
    handlers, level, structured = root.handlers[:], root.level, structlog.get_config()
    yield io.StringIO()
    structlog.configure(**structured)
    root.handlers[:] = handlers
    root.setLevel(level)


def configured(stream, *, log_format=LogFormat.AUTO, log_level=LogLevel.INFO):
    settings = Settings(database_url="postgresql://db/x", log_format=log_format, log_level=log_level)
    logging.configure(settings, process="worker", stream=stream)
    return structlog.get_logger("tests")


def test_what_is_no_terminal_gets_one_json_document_a_line(lines):
    configured(lines).info("pass ended", operations=3)
    line = json.loads(lines.getvalue())
    assert line["message"] == "pass ended"
    assert (line["operations"], line["level"], line["process"]) == (3, "info", "worker")
    assert line["timestamp"].endswith("Z")


def test_bound_ids_stand_on_every_line_inside_the_block(lines):
    log = configured(lines)
    with bound_contextvars(request_id="r-1", operation_id="o-1"):
        log.info("first")
        standard_logging.getLogger("elsewhere").warning("second")
    log.info("third")
    first, second, third = map(json.loads, lines.getvalue().splitlines())
    assert first["request_id"] == second["request_id"] == "r-1"
    assert second["operation_id"] == "o-1"
    assert "request_id" not in third


@pytest.mark.parametrize("name", ["password", "token", "Authorization", "database_url", "client_secret"])
def test_what_is_named_like_a_secret_is_not_written(lines, name):
    configured(lines).info("seen", **{name: SECRET})
    assert SECRET not in lines.getvalue()


def test_the_id_of_a_token_is_written(lines):
    configured(lines).info("seen", token_id="t-1")
    assert json.loads(lines.getvalue())["token_id"] == "t-1"


def test_an_exception_is_named_and_placed_on_its_line(lines):
    log = configured(lines)
    try:
        int("broken")
    except ValueError:
        log.exception("failed")
    (line,) = lines.getvalue().splitlines()
    assert json.loads(line)["exception"].startswith("ValueError at test_logging.test_an_exception_is_")


@pytest.mark.parametrize("form", [LogFormat.JSON, LogFormat.TEXT])
def test_an_exception_does_not_quote_what_it_met(lines, form):
    log = configured(lines, log_format=form)
    secret = "broken"
    try:
        int(secret)
    except ValueError:
        log.exception("failed")
    assert "broken" not in lines.getvalue()
    assert "ValueError" in lines.getvalue()


def test_lines_below_the_level_are_left_out(lines):
    configured(lines, log_level=LogLevel.WARNING).info("quiet")
    assert lines.getvalue() == ""


def test_a_reader_gets_text(lines):
    configured(lines, log_format=LogFormat.TEXT).info("pass ended", operations=3)
    assert "pass ended" in lines.getvalue()
    assert not lines.getvalue().startswith("{")


def test_the_broker_library_says_nothing_about_an_absent_broker(lines):
    configured(lines)
    standard_logging.getLogger("aiormq.connection").error("error when creating transport")
    assert lines.getvalue() == ""
