"""Private servers as they are started for `up` and `test`: closed to others, and unharmed by a crash."""

import asyncio

import asyncpg
import psutil
import pytest

from infra.local import databases, probes
from infra.local.postgres import _end_leftover
from infra.local.processes import Record, command_line
from tests.support.servers import private_postgres, private_rabbitmq


def query(url, statement):
    async def ask():
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def listening_addresses(pid):
    """Where a process accepts connections."""
    sockets = psutil.Process(pid).net_connections(kind="tcp")
    return {socket.laddr.ip for socket in sockets if socket.status == psutil.CONN_LISTEN}


@pytest.fixture(scope="module")
def postgres():
    with private_postgres({}) as running:
        yield running


def test_postgres_keeps_what_was_committed_when_it_is_killed(postgres):
    query(postgres.server.url, "CREATE TABLE kept AS SELECT 7 AS number")
    postgres.kill()
    postgres.start()
    assert query(postgres.server.url, "SELECT number FROM kept") == 7


def test_postgres_keeps_its_address_over_a_restart(postgres):
    url = postgres.server.url
    postgres.stop()
    postgres.start()
    assert postgres.server.url == url


def test_postgres_does_not_trust_a_login_without_the_password(postgres):
    wrong = postgres.server.url.replace(postgres.server.state.secret("postgres"), "wrong")
    with pytest.raises(asyncpg.InvalidPasswordError):
        query(wrong, "SELECT 1")


def test_postgres_does_not_run_as_root(postgres):
    assert psutil.Process(postgres.children[-1].process.pid).uids().effective != 0


def test_postgres_folds_the_case_of_all_letters(postgres):
    assert query(postgres.server.url, "SELECT lower('ÄÉØ') = 'äéø' AND 'JÜRGEN' ILIKE 'jürgen'")


def test_a_pid_file_that_names_somebody_elses_process_is_removed(tmp_path):
    (tmp_path / "postmaster.pid").write_text("1\n")
    assert str(tmp_path) not in command_line(1)
    _end_leftover(tmp_path)
    assert not (tmp_path / "postmaster.pid").exists()


def test_a_server_that_outlived_its_supervisor_is_ended(postgres):
    pid = postgres.children[-1].process.pid
    record = Record.of("postgres", pid)
    data = postgres.server.folder.resolve() / "data"
    _end_leftover(data)
    assert not record.is_alive()
    postgres.stop()
    postgres.start()


def test_a_test_database_is_a_copy_of_its_own(database_server_url):
    first, second = databases.create(database_server_url), databases.create(database_server_url)
    try:
        query(first, "CREATE TABLE only_here (id int)")
        assert query(first, "SELECT to_regclass('only_here') IS NOT NULL")
        assert query(second, "SELECT to_regclass('only_here') IS NULL")
        assert query(second, "SELECT to_regclass('operation') IS NOT NULL")
    finally:
        databases.drop(first)
        databases.drop(second)


def test_rabbitmq_comes_back_at_the_same_address_and_every_port_is_on_the_loopback():
    with private_rabbitmq() as rabbitmq:
        version = probes.rabbitmq_version(rabbitmq.server.url)
        addresses = set().union(*(listening_addresses(child.process.pid) for child in rabbitmq.children))
        assert addresses <= {"127.0.0.1", "::1"}
        assert "127.0.0.1" in addresses
        rabbitmq.kill()
        rabbitmq.start()
        assert probes.rabbitmq_version(rabbitmq.server.url) == version
