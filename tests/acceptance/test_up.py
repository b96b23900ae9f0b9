"""`up`, `status`, `down` as a person uses them, with real servers and processes."""

import signal
from datetime import timedelta
from http import HTTPStatus

import httpx
import pytest

from tests.support.waiting import eventually
from workers.cli.sample import sample
from workers.cli.sample_licenses import sample_licenses

PROCESSES = ("postgres", "rabbitmq", "epmd", "api", "worker-1", "worker-2")


def get(clone, path):
    values = clone.env()
    headers = {"Authorization": f"Bearer {values['SEATLINE_TOKEN']}"}
    return httpx.get(values["SEATLINE_URL"] + path, headers=headers, timeout=30)


def send(curl):
    return httpx.request(curl.method, curl.url, headers=curl.headers, content=curl.body, timeout=30)


def test_everything_is_up_and_a_second_up_says_so(service):
    assert all(service.status().values())
    again = service.run("up", "-d")
    assert again.returncode == 0
    assert "it is already up" in again.stdout
    assert service.env()["SEATLINE_TOKEN"] in again.stdout


def test_the_three_printed_lines_work_as_they_stand_and_again(service):
    batch, operation, events = service.printed_curls(service.run("up").stdout)
    for _ in range(2):
        answered = send(batch)
        assert answered.status_code == HTTPStatus.OK
        (item,) = answered.json()["items"]
        assert item["status"] == HTTPStatus.CREATED
        shown = send(operation).json()
        assert shown["id"] == answered.headers["Seatline-Operation"]
        assert shown["status"] == "succeeded"
        found = send(events).json()["events"]
        assert "seatline.group_assignment.created.v1" in {
            event["type"] for event in found if event["operationid"] == shown["id"]
        }


def test_the_sample_data_are_there(service):
    licenses = sample_licenses([person["key"] for person in sample().people if person["active"]]).licenses
    expected = {"users": sample().people, "groups": sample().groups, "roles": sample().roles, "licenses": licenses}
    for kind, items in expected.items():
        keys, cursor = set(), ""
        while cursor is not None:
            page = get(service, f"/v1/{kind}?limit=500{cursor and f'&cursor={cursor}'}").json()
            keys |= {item["key"] for item in page["items"]}
            cursor = page["next_cursor"]
        assert {item["key"] for item in items} <= keys


def test_the_first_look_shows_groups_that_are_fulfilled_in_part_and_not_at_all(service):
    page = get(service, "/api/catalog/licenses/program/?page_size=100").json()
    grants = [
        grant
        for one in page["results"]
        for grant in get(service, f"/api/catalog/licenses/program/assignment/group/?license_id={one['id']}").json()[
            "results"
        ]
    ]
    assert any(grant["fulfilled"] and grant["user_count"] for grant in grants)
    assert any(grant["assigned_count"] and grant["waiting_count"] for grant in grants)
    assert any(not grant["assigned_count"] and grant["waiting_count"] for grant in grants)
    verified = service.run("verify", "--tenant", "demo")
    assert verified.returncode == 0, verified.stdout


def test_the_commands_of_a_clone_find_its_servers(service):
    checked = service.run("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Postgres 1" in checked.stdout
    assert "***" in checked.stdout
    issued = service.run("tokens", "create", "--tenant", "demo", "--scope", "groups:read", "--json")
    assert issued.returncode == 0, issued.stderr


def test_the_file_for_scripts_has_every_value(service):
    values = service.env()
    assert list(values) == [
        "SEATLINE_URL",
        "SEATLINE_TOKEN",
        "SEATLINE_ADMIN_TOKEN",
        "SEATLINE_DATABASE_URL",
        "SEATLINE_AMQP_URL",
        "SEATLINE_MANAGEMENT_URL",
    ]
    assert not [name for name, value in values.items() if value.endswith("/")]
    assert all(values.values())


def test_what_is_written_is_shown_by_logs(service):
    shown = service.run("logs", "api")
    assert shown.returncode == 0
    assert shown.stdout
    assert service.run("logs", "nothing").returncode == 1


async def test_whatever_is_killed_comes_back_and_nothing_is_lost(own_clone):
    assert own_clone.run("up", "-d").returncode == 0
    token, before = own_clone.env()["SEATLINE_TOKEN"], own_clone.env()
    for name in PROCESSES:
        old = own_clone.process(name)
        old.send(signal.SIGKILL)
        assert old.wait(timedelta(seconds=10))
        await eventually(lambda name=name, old=old: own_clone.process(name) != old)
    await eventually(lambda: all(own_clone.status().values()))

    supervisor = own_clone.process("supervisor")
    supervisor.send(signal.SIGKILL)
    assert supervisor.wait(timedelta(seconds=10))
    assert own_clone.run("status").returncode == 1
    assert own_clone.run("up", "-d").returncode == 0
    assert own_clone.env() == before
    assert get(own_clone, "/v1/users/p2000").json()["key"] == "p2000"

    assert own_clone.run("down").returncode == 0
    assert own_clone.run("status").returncode == 1
    assert not own_clone.place.environment.exists()
    assert list(own_clone.place.records.iterdir()) == []
    assert own_clone.run("up", "-d").returncode == 0
    assert own_clone.env()["SEATLINE_TOKEN"] == token


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_everything_also_while_it_is_starting(own_clone, number):
    foreground = own_clone.start("up")
    for line in foreground.stdout:
        if "starting RabbitMQ" in line:
            break
    postgres = own_clone.process("postgres")
    foreground.send_signal(number)
    told = foreground.stdout.read()
    assert foreground.wait(60) == 0
    foreground.stdout.close()
    assert "stopped" in told
    assert not postgres.is_alive()
    assert list(own_clone.place.records.iterdir()) == []


def test_two_ups_at_once_make_one(own_clone):
    together = [own_clone.start("up", "-d") for _ in range(2)]
    told = [one.communicate(timeout=240)[0] for one in together]
    assert [one.returncode for one in together] == [0, 0], told
    assert all("Seatline is up" in text for text in told)
    assert all(own_clone.status().values())


def test_servers_that_are_named_are_used_and_left_alone(
    own_clone, database_url, amqp_url, management_url, broker_prefix
):
    own_clone.settings = {
        "SEATLINE_DATABASE_URL": database_url,
        "SEATLINE_AMQP_URL": amqp_url,
        "SEATLINE_MANAGEMENT_URL": management_url,
        "SEATLINE_NAME_PREFIX": broker_prefix,
    }
    started = own_clone.run("up", "-d")
    assert started.returncode == 0, started.stdout + started.stderr
    assert own_clone.env()["SEATLINE_DATABASE_URL"] == database_url
    assert not own_clone.place.postgres.exists()
    assert not own_clone.place.rabbitmq.exists()
    assert own_clone.run("down", "--wipe").returncode == 0
    assert own_clone.run("check").returncode == 0

    again = own_clone.run("up", "-d")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "loading" not in again.stdout
    assert get(own_clone, "/v1/users/p2000").json()["key"] == "p2000"
