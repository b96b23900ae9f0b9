"""`seatline import` against a service that remembers what it was sent: chunks, results, and going on after a stop."""

import csv
import tracemalloc
from http import HTTPStatus

import click
import pytest

from workers.cli import chunks_of_rows
from workers.cli.chunks_of_rows import chunks
from workers.cli.importing import import_rows
from workers.cli.public_api import Answered, CallError
from workers.cli.results import COLUMNS
from workers.cli.tables import TABLES

USERS = TABLES["users"]


class Service:
    """Creates whatever it is sent; what is sent again under its key is answered again."""

    def __init__(self):
        self.calls = []
        self.answers = {}
        self.refused = {}
        self.most_items = 1_000
        self.calls_left = None
        self.status = HTTPStatus.CREATED

    @property
    def items(self):
        return [item for _, _, items in self.calls for item in items]

    def call(self, method, path, body, headers):
        if self.calls_left == 0:
            raise CallError("POST: no answer")
        self.calls_left = None if self.calls_left is None else self.calls_left - 1
        key, items = headers["Idempotency-Key"], body["items"]
        if len(items) > self.most_items:
            return Answered(status=413, body={"code": "BODY_TOO_LARGE", "detail": "too large"}, operation=None)
        self.calls.append((path, key, items))
        replayed = key in self.answers
        answer = self.answers.setdefault(key, [self.answer(item) for item in items])
        return Answered(status=HTTPStatus.OK, body={"items": answer}, operation=None, replayed=replayed)

    def answer(self, item):
        name = item.get("key") or item.get("user_id") or item["user"]
        if name in self.refused:
            return {"status": 400, "error": {"message": "no", **self.refused[name]}}
        return {"key": name, "id": 7, "status": self.status}


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def run(service, tmp_path):
    """Import text as a file of this kind; returns the summary and the rows of the results file."""

    def import_text(text, kind="users", run_name=""):
        file, results = tmp_path / "in.csv", tmp_path / "results.csv"
        file.write_text(text, encoding="utf-8", newline="")
        summary = import_rows(service, TABLES[kind], file, results, salt=kind + run_name)
        return summary, read(results)

    return import_text


def read(results):
    with results.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not rows or tuple(rows[0]) == COLUMNS
    return rows


def people(count, begin=0):
    return "key,username\n" + "".join(f"u{n},user{n}\n" for n in range(begin, begin + count))


def test_each_row_has_its_result_by_its_place_in_a_spreadsheet(run, service):
    service.refused["u1"] = {"code": "USERNAME_TAKEN", "field": "username"}
    summary, rows = run(people(3))
    assert [(row["row"], row["subject"], row["outcome"]) for row in rows] == [
        ("2", "u0", "created"),
        ("3", "u1", "refused"),
        ("4", "u2", "created"),
    ]
    assert (rows[1]["code"], rows[1]["column"], rows[0]["id"]) == ("USERNAME_TAKEN", "username", "7")
    assert (summary.failed, summary.outcomes.total()) == (1, 3)


def test_cells_become_what_their_columns_hold_and_an_empty_one_is_not_sent(run, service):
    run('key,username,email,active,attributes\na,A,,no,"{""n"": [1]}"\nb,B,b@x.org,TRUE,\n')
    assert service.items == [
        {"key": "a", "username": "A", "active": False, "attributes": {"n": [1]}},
        {"key": "b", "username": "B", "email": "b@x.org", "active": True},
    ]


def test_a_licence_without_a_capacity_is_without_limit(run, service):
    run("key,name,kind,code,capacity\na,A,bundle,X,\nb,B,bundle,Y,0\n", "licenses")
    assert [item["capacity"] for item in service.items] == [None, 0]


def test_what_is_assigned_already_is_unchanged_and_no_failure(run, service):
    service.refused["ann"] = {"code": "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS"}
    summary, rows = run("group_id,user_id,role_id\nsales,ann,lead\n", "assignments")
    assert service.items == [{"op": "assign", "group_id": "sales", "user_id": "ann", "role_id": "lead"}]
    assert (rows[0]["outcome"], rows[0]["subject"], summary.failed) == ("unchanged", "sales/ann/lead", 0)


@pytest.mark.parametrize(
    ("kind", "text", "outcome"),
    [("users", "key,username\na,A\n", "replaced"), ("license-assignments", "license,user\ncrm,a\n", "unchanged")],
)
def test_what_was_there_before_is_replaced_or_unchanged(run, service, kind, text, outcome):
    service.status = HTTPStatus.OK
    assert run(text, kind)[1][0]["outcome"] == outcome


@pytest.mark.parametrize(
    ("row", "column", "told"),
    [
        ("b,B,maybe,", "active", "row 3, column active: 'maybe' is neither true nor false"),
        ("b,B,,{", "attributes", "row 3, column attributes: no JSON: "),
        ("b,,,", "username", "row 3, column username: must not be empty"),
        ("b,B", "", "row 3: 2 cells where the header has 4"),
        ("b,B,true,{},more", "", "row 3: 5 cells where the header has 4"),
    ],
)
def test_a_row_that_makes_no_item_is_named_by_row_and_column_and_its_neighbours_are_sent(
    run, service, row, column, told
):
    summary, rows = run(f"key,username,active,attributes\na,A,,\n{row}\nc,C,,\n")
    assert [item["key"] for item in service.items] == ["a", "c"]
    assert [one["outcome"] for one in rows] == ["created", "invalid", "created"]
    assert rows[1]["message"].startswith(told)
    assert (rows[1]["column"], summary.failed) == (column, 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("key,username,shoe_size\n", "row 1, column 3: 'shoe_size' is none of the columns key, username, email"),
        ("key,email\n", "row 1: the column username is missing"),
        ("key,username,key\n", "row 1: the column key stands twice"),
        ("", "row 1: the column key is missing"),
        ('key,username\na,A\nb,"B\n', "row 3 is no CSV: "),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_row_and_column(run, service, text, told):
    with pytest.raises(click.ClickException) as refused:
        run(text)
    assert refused.value.message.startswith(told)
    assert service.items == []


def test_a_file_that_is_not_utf_8_is_said_to_be_none(service, tmp_path):
    (tmp_path / "in.csv").write_bytes("key,username\na,Jürgen\n".encode("latin-1"))
    with pytest.raises(click.ClickException, match="is not UTF-8"):
        import_rows(service, USERS, tmp_path / "in.csv", tmp_path / "out.csv", salt="")


@pytest.mark.parametrize("text", ["\ufeffkey,username\na,Ä\n", "key;username\r\na;Ä\r\n", "username\tkey\nÄ\ta\n\n"])
def test_what_a_spreadsheet_writes_is_read(run, service, text):
    run(text)
    assert service.items == [{"key": "a", "username": "Ä"}]


def test_a_chunk_is_one_call_of_at_most_a_thousand_rows_under_a_key_of_its_own(run, service):
    run(people(2_500))
    assert [len(items) for _, _, items in service.calls] == [1_000, 1_000, 500]
    assert {path for path, _, _ in service.calls} == {"/v1/users:batch"}
    assert len({key for _, key, _ in service.calls}) == 3


def test_long_rows_make_short_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(chunks_of_rows, "MOST_BYTES", 100)
    (tmp_path / "in.csv").write_text("key,username\n" + "".join(f"k,{'ü' * 30}\n" for _ in range(3)), encoding="utf-8")
    assert [len(chunk.rows) for chunk in chunks(tmp_path / "in.csv", USERS, salt="")] == [1, 1, 1]


def test_a_call_that_is_too_large_is_halved_until_it_is_not(run, service):
    service.most_items = 3
    _, rows = run(people(10))
    assert [row["subject"] for row in rows] == [f"u{n}" for n in range(10)]
    assert [item["key"] for item in service.items] == [f"u{n}" for n in range(10)]
    service.most_items = 0
    summary, rows = run(people(2))
    assert [row["code"] for row in rows] == ["BODY_TOO_LARGE"] * 2
    assert summary.failed == 2


def test_whatever_is_imported_twice_is_sent_once(run, service):
    run(people(1_500))
    summary, rows = run(people(1_500))
    assert len(service.calls) == 2
    assert (summary.resumed, len(rows)) == (1_500, 1_500)


def test_without_its_results_the_same_rows_are_answered_as_before(run, service, tmp_path):
    run(people(3))
    (tmp_path / "results.csv").unlink()
    summary, _ = run(people(3))
    assert (summary.replayed, summary.resumed) == (3, 0)
    assert len(service.answers) == 1
    again, _ = run(people(3), run_name="again")
    assert again.replayed == 0


def test_a_row_that_was_corrected_is_sent_with_its_chunk_and_nothing_before_it(run, service):
    run(people(2_500))
    summary, rows = run(people(2_500).replace("user2400\n", "corrected\n"))
    assert len(service.calls) == 4
    assert service.items[-100]["username"] == "corrected"
    assert (summary.resumed, len(rows)) == (2_000, 2_500)


def test_a_shorter_file_leaves_no_results_of_the_longer_one(run):
    run(people(1_500))
    _, rows = run(people(1_000))
    assert len(rows) == 1_000


@pytest.mark.parametrize("torn", [0, 1, 40, 30_000])
def test_after_a_stop_it_goes_on_with_the_chunk_whose_results_are_not_all_there(run, service, tmp_path, torn):
    whole = run(people(3_000))[1]
    (tmp_path / "results.csv").unlink()
    service.calls.clear()
    service.calls_left = 2
    with pytest.raises(click.ClickException, match=r"no answer\nstopped after row 2001; the same command goes on"):
        run(people(3_000))
    with (tmp_path / "results.csv").open("r+b") as results:
        results.truncate(results.seek(0, 2) - torn)
    service.calls_left = None
    summary, rows = run(people(3_000))
    assert rows == whole
    assert summary.resumed == (2_000 if torn == 0 else 1_000)
    assert len(service.answers) == 3


def test_a_file_that_is_no_results_file_is_left_alone(run, tmp_path):
    (tmp_path / "results.csv").write_text("key,username\n", encoding="utf-8")
    with pytest.raises(click.ClickException, match="is no results file"):
        run(people(1))
    assert (tmp_path / "results.csv").read_text(encoding="utf-8") == "key,username\n"


def test_a_message_of_several_lines_is_one_line_of_the_results(run, service):
    service.refused["u0"] = {"code": "X", "message": 'one\ntwo, "three"'}
    assert run(people(1))[1][0]["message"] == 'one two, "three"'


def test_a_long_file_takes_no_more_memory_than_a_short_one(service, tmp_path):
    service.answers = Forgetting()

    def peak(count):
        (tmp_path / "in.csv").write_text(people(count), encoding="utf-8")
        tracemalloc.start()
        import_rows(service, USERS, tmp_path / "in.csv", tmp_path / f"{count}.csv", salt="")
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        service.calls.clear()
        return highest

    service.calls = Forgetting()
    peak(1_000)
    assert peak(30_000) < 1.2 * peak(3_000)


class Forgetting(dict):
    """Keeps nothing."""

    def setdefault(self, _key, value):
        return value

    def append(self, _call):
        pass
