import os
from unittest.mock import patch

import click
import pytest
from click.testing import CliRunner

from infra.local import commit_message, environment_file
from infra.settings import PREFIX, Settings
from workers.cli import main
from workers.cli.check import markdown_table
from workers.cli.first_request import FirstRequest, curl_lines

# Their arguments, `--help` too, go to another program.
PASSED_ON = {"test", "bench", "chaos"}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command as on a machine where nothing is configured and nothing is up."""
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.setattr(main, "use_running_servers", lambda _path: None)
    return lambda *words: CliRunner().invoke(main.cli, words)


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_is_there(name):
    context = click.Context(main.cli)
    assert main.cli.get_command(context, name) is not None


@pytest.mark.parametrize("name", sorted(set(main.COMMANDS) - PASSED_ON))
def test_every_command_can_be_asked_for_help(run, name):
    asked = run(name, "--help")
    assert asked.exit_code == 0
    assert name in asked.output


def test_the_table_of_contents_names_every_command(run):
    told = run("--help").output
    assert all(f"  {name} " in told for name in main.COMMANDS)


def test_an_unknown_command_is_a_usage_error(run):
    assert run("fly").exit_code == 2


@pytest.mark.parametrize("name", ["api", "worker", "migrate", "check"])
def test_without_a_database_url_a_service_says_which_setting_is_missing(run, name):
    refused = run(name)
    assert refused.exit_code == 1
    assert "SEATLINE_DATABASE_URL" in refused.output


def test_check_masks_passwords_and_fails_when_a_server_is_not_reached(run, monkeypatch):
    monkeypatch.setenv("SEATLINE_DATABASE_URL", "postgresql://seatline:hunter2@127.0.0.1:1/seatline")
    checked = run("check")
    assert checked.exit_code == 1
    assert "hunter2" not in checked.output
    assert "Postgres is NOT reached at 127.0.0.1:1" in checked.output
    assert "RabbitMQ: none is configured" in checked.output


def test_the_settings_table_has_one_row_for_each_setting():
    rows = markdown_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_command(run, shell):
    script = run("completion", shell)
    assert script.exit_code == 0
    assert "_SEATLINE_COMPLETE" in script.output


def test_commands_find_the_servers_of_a_running_up_but_what_is_set_wins(tmp_path):
    environment_file.write(tmp_path / "env", {"SEATLINE_DATABASE_URL": "a", "SEATLINE_AMQP_URL": "b"})
    with patch.dict(os.environ, {"SEATLINE_DATABASE_URL": "mine"}, clear=True):
        main.use_running_servers(tmp_path / "env")
        assert dict(os.environ) == {"SEATLINE_DATABASE_URL": "mine", "SEATLINE_AMQP_URL": "b"}


def test_each_printed_line_is_one_line_and_carries_its_own_credentials():
    first = FirstRequest(key="k", operation="o", after="0" * 19)
    lines = curl_lines("http://127.0.0.1:8000", "t" * 64, first)
    assert len(lines) == 3
    for line in lines:
        assert line.startswith("curl ")
        assert "\n" not in line
        assert "t" * 64 in line


@pytest.mark.parametrize("message", ["feat(api): what it does", "fix!: why\n\nbody", "Merge branch 'x'"])
def test_conventional_commit_messages_pass(message):
    assert commit_message.is_conventional(message)


@pytest.mark.parametrize("message", ["", "update", "Feat: x", "feat(api):x", "feat(API): x", "chore: "])
def test_other_commit_messages_do_not(message):
    assert not commit_message.is_conventional(message)
