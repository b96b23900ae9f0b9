"""`events tail` beside a running service: what happens is on the screen, byte for byte as the log has it."""

import json
import signal

import httpx
import pytest

from tests.support.sample_events import assert_documented


@pytest.fixture
def api(service):
    values = service.env()
    headers = {"Authorization": f"Bearer {values['SEATLINE_TOKEN']}"}
    with httpx.Client(base_url=values["SEATLINE_URL"], headers=headers, timeout=30) as client:
        yield client


def put_group(api, key):
    return api.put(f"/v1/groups/{key}", json={"name": "Seen live"}).raise_for_status()


def operation_of(line):
    return json.loads(line)["operationid"]


def test_what_happens_is_shown_live_and_equals_the_log_to_the_byte(service, api):
    tail = service.start("events", "tail", "--json", "--type", "group.updated", "--type", "group.deleted")
    try:
        assert tail.stdout.readline() == "# connected\n"
        written = put_group(api, "tail-live").headers["Seatline-Operation"]
        deleted = api.delete("/v1/groups/tail-live").raise_for_status().headers["Seatline-Operation"]
        lines = []
        while [operation_of(line) for line in lines[-1:]] != [deleted]:
            lines.append(tail.stdout.readline().rstrip("\n"))
    finally:
        tail.send_signal(signal.SIGINT)
        rest, _ = tail.communicate(timeout=20)
    assert (tail.returncode, rest) == (0, "")
    own = [line for line in lines if operation_of(line) in {written, deleted}]
    assert [json.loads(line)["type"] for line in own] == ["seatline.group.updated.v1", "seatline.group.deleted.v1"]
    after = int(json.loads(own[0])["sequence"]) - 1
    log = api.get("/v1/events", params={"after": after, "limit": 1000}).text
    assert all(line in log for line in own)


def test_the_log_is_shown_first_and_then_what_follows(service, api):
    before = put_group(api, "tail-before").headers["Seatline-Operation"]
    after = int(api.get(f"/v1/events?after={last_sequence(api) - 10}").json()["events"][0]["sequence"]) - 1
    tail = service.start("events", "tail", "--json", "--after", str(after))
    try:
        assert tail.stdout.readline() == "# connected\n"
        later = put_group(api, "tail-after").headers["Seatline-Operation"]
        shown = []
        while not (shown and shown[-1]["operationid"] == later and shown[-1]["type"].startswith("seatline.operation")):
            shown.append(json.loads(tail.stdout.readline()))
    finally:
        tail.send_signal(signal.SIGINT)
        tail.communicate(timeout=20)
    sequences = [int(event["sequence"]) for event in shown]
    assert sequences == list(range(after + 1, after + 1 + len(sequences)))
    assert before in {event["operationid"] for event in shown}


def last_sequence(api):
    """The sequence of an operation's last event, which is the newest there is when nobody else writes."""
    operation_id = put_group(api, "tail-last").headers["Seatline-Operation"]
    after = 0
    while page := api.get("/v1/events", params={"after": after, "limit": 1000}).json()["events"]:
        after = int(page[-1]["sequence"])
        if any(event["operationid"] == operation_id for event in page):
            break
    return after


def test_every_event_of_the_sample_data_is_as_documented(api):
    after, types = 0, set()
    while page := api.get("/v1/events", params={"after": after, "limit": 1000}).json()["events"]:
        for event in page:
            assert_documented(event)
        types |= {event["type"] for event in page}
        after = int(page[-1]["sequence"])
    assert {"seatline.user.updated.v1", "seatline.group.updated.v1", "seatline.operation.finished.v1"} <= types
