"""What `status` says of a server that does not answer."""

from workers.cli.status import _asked


def test_a_server_that_does_not_answer_says_why():
    def silent():
        raise TimeoutError

    def refusing():
        raise ConnectionRefusedError("nobody listens")

    url = "amqp://seatline:secret@127.0.0.1:5672/%2F"
    shown = [_asked("rabbitmq", url, ask) for ask in (silent, refusing, lambda: "3.10.8")]
    assert [line.up for line in shown] == [False, False, True]
    assert [line.detail.rpartition(": ")[2] for line in shown[:2]] == ["TimeoutError", "nobody listens"]
    assert shown[2].detail == "3.10.8 at amqp://seatline:***@127.0.0.1:5672/%2F"
