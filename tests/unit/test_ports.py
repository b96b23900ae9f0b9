import socket

from infra.local.ports import HOST, is_free, remembered_port
from infra.local.state import State


def test_a_port_is_the_same_again():
    ports = {}
    assert remembered_port(ports, "postgres") == remembered_port(ports, "postgres")


def test_a_port_that_was_taken_meanwhile_is_exchanged():
    ports = {}
    first = remembered_port(ports, "api")
    with socket.socket() as other:
        other.bind((HOST, first))
        other.listen()
        assert not is_free(first)
        assert remembered_port(ports, "api") != first


def test_two_names_never_share_a_port():
    ports = {}
    first = remembered_port(ports, "amqp")
    assert remembered_port(ports, "management", wish=first) != first


def test_a_wish_is_granted_where_the_port_is_free():
    wish = remembered_port({}, "any")
    assert remembered_port({}, "api", wish=wish) == wish


def test_state_survives_in_a_private_file(tmp_path):
    state = State.load(tmp_path / "state.json")
    password = state.secret("postgres")
    state.note("sample", "loaded")
    again = State.load(tmp_path / "state.json")
    assert again.secret("postgres") == password
    assert again.facts == {"sample": "loaded"}
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600


def test_a_broken_state_file_counts_as_none(tmp_path):
    (tmp_path / "state.json").write_text("{")
    assert State.load(tmp_path / "state.json").ports == {}
