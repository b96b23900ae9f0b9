import subprocess

import pytest

from infra.local import environment_file

VALUES = {"SEATLINE_URL": "http://127.0.0.1:8000", "SEATLINE_AMQP_URL": "amqp://u:p@127.0.0.1:5672/%2F", "EMPTY": ""}


def test_what_is_written_is_read_again(tmp_path):
    environment_file.write(tmp_path / "env", VALUES)
    assert environment_file.read(tmp_path / "env") == VALUES


def test_the_lines_are_quoted_and_private(tmp_path):
    environment_file.write(tmp_path / "env", VALUES)
    assert (tmp_path / "env").read_text().splitlines()[0] == "SEATLINE_URL='http://127.0.0.1:8000'"
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


def test_a_shell_reads_the_same(tmp_path):
    environment_file.write(tmp_path / "env", VALUES)
    script = f'. {tmp_path}/env && printf %s "$SEATLINE_AMQP_URL"'
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == VALUES["SEATLINE_AMQP_URL"]


def test_no_file_holds_no_values(tmp_path):
    assert environment_file.read(tmp_path / "absent") == {}


@pytest.mark.parametrize("value", ["it's", "two\nlines"])
def test_what_a_line_cannot_hold_is_refused(tmp_path, value):
    with pytest.raises(ValueError, match="KEY"):
        environment_file.write(tmp_path / "env", {"KEY": value})
