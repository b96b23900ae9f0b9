"""`import` and `export` beside a running service: what comes out goes in again, and a kill loses nothing."""

import asyncio
import csv
import json
import signal
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.waiting import eventually

PEOPLE = 20_000
FILES = {
    "groups": 'key,name\nsales,Sales\nlab,"Research, development"\n',
    "roles": 'key,permission_scope,titles,descriptions\nlead,USER_GROUPS,"{""en"":""Lead"",""de"":""Leitung""}",\n',
    "users": "key,username,email,first_name,last_name,department,active,attributes,primary_group\n"
    'u1,ann,ann@example.org,Ann,"O\'Brien, ""Annie""",Sales,true,"{""n"":1}",sales\n'
    "u2,ben,,Bén,Ünal,,false,,\n",
    "assignments": "group_id,user_id,role_id,source\nlab,u1,lead,RULE\n",
    "licenses": "key,name,kind,capacity,code,program_key,program_name,starts_at,expires_at,active\n"
    "crm,CRM,bundle,5,CRMU,,,,,true\nsql,SQL,program,,,sql-101,SQL 101,,2031-01-01T00:00:00.000000Z,true\n",
    "license-assignments": "license,user,email\ncrm,u1,\nsql,,somebody@example.org\n",
}  # fmt: skip


@pytest.fixture
def tenant(service):
    return new_tenant(service)


def new_tenant(service):
    key = f"t-{uuid4().hex[:12]}"
    assert service.call("tenants", "create", key, "--org", "o", "--name", "n").exit_code == 0
    return key


def imported(service, tenant, kind, file, *options):
    told = service.call("import", kind, str(file), "--tenant", tenant, "--json", *options)
    return told.exit_code, json.loads(told.stdout) if told.stdout else told.stderr


def exported(service, tenant, kind):
    told = service.call("export", kind, "--tenant", tenant)
    assert told.exit_code == 0, told.stderr
    return told.stdout


def test_what_is_imported_is_exported_and_goes_into_another_tenant(service, tenant, tmp_path):
    other = new_tenant(service)
    for kind, text in FILES.items():
        (tmp_path / f"{kind}.csv").write_text(text, encoding="utf-8")
        code, summary = imported(service, tenant, kind, tmp_path / f"{kind}.csv")
        assert (code, summary["failed"]) == (0, 0), (kind, summary)
    for kind, text in FILES.items():
        out = exported(service, tenant, kind)
        assert set(text.splitlines()) <= set(out.splitlines()), kind
        (tmp_path / "out.csv").write_text(out, encoding="utf-8")
        code, summary = imported(service, other, kind, tmp_path / "out.csv", "--results", str(tmp_path / f"{kind}.r"))
        assert (code, summary["failed"]) == (0, 0), (kind, summary)
        assert exported(service, other, kind) == out, kind
    verified = service.call("verify", "--tenant", other)
    assert verified.exit_code == 0, verified.stdout


def test_a_row_that_is_refused_says_why_and_the_others_are_there(service, tenant, tmp_path):
    file = tmp_path / "users.csv"
    file.write_text("key,username,email\na,ann,ann\nb,ben,\nc,BEN,\n", encoding="utf-8")
    code, summary = imported(service, tenant, "users", file)
    assert (code, summary["outcomes"]) == (1, {"refused": 2, "created": 1})
    results = Path(summary["results"]).read_text(encoding="utf-8")
    rows = {row["subject"]: row for row in csv.DictReader(results.splitlines())}
    assert (rows["a"]["row"], rows["a"]["code"], rows["a"]["column"]) == ("2", "INVALID_ITEM", "email")
    assert rows["c"]["code"] == "USERNAME_TAKEN"
    file.write_text("key,username,email\na,ann,ann@example.org\nb,ben,\nc,cay,\n", encoding="utf-8")
    code, summary = imported(service, tenant, "users", file)
    assert (code, summary["outcomes"]) == (0, {"created": 2, "replaced": 1})


def test_a_kill_in_the_middle_loses_nothing_and_does_nothing_twice(service, tenant, tmp_path):
    file, results = tmp_path / "people.csv", tmp_path / "people.csv.results.csv"
    rows = "".join(f"k{n},name{n}\n" for n in range(PEOPLE))
    file.write_text(f"key,username\n{rows}", encoding="utf-8")
    running = service.start("import", "users", str(file), "--tenant", tenant)
    asyncio.run(eventually(lambda: results.exists() and results.stat().st_size > 100_000))
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=20)
    assert running.returncode == -signal.SIGKILL
    code, summary = imported(service, tenant, "users", file)
    assert (code, summary["outcomes"]) == (0, {"created": PEOPLE})
    assert 0 < summary["resumed"] < PEOPLE
    assert len(exported(service, tenant, "users").splitlines()) == PEOPLE + 1
    code, summary = imported(service, tenant, "users", file)
    assert (code, summary["resumed"]) == (0, PEOPLE)


def test_an_export_appears_when_it_is_complete(service, tmp_path):
    told = service.run("export", "groups", str(tmp_path / "groups.csv"), "--json")
    assert json.loads(told.stdout)["rows"] >= 40
    assert [path.name for path in tmp_path.iterdir()] == ["groups.csv"]
    assert (tmp_path / "groups.csv").read_bytes().startswith(b"key,name\r\n")


def test_a_tenant_that_does_not_exist_and_a_token_of_another_are_said(service, tenant, tmp_path):
    told = service.run("export", "groups", "--tenant", "nobody")
    assert (told.returncode, told.stdout) == (1, "")
    assert "there is no tenant 'nobody'" in told.stderr
    told = service.call("export", "groups", "--tenant", tenant, "--token", service.env()["SEATLINE_TOKEN"])
    assert told.exit_code == 1
    assert f"the token is of tenant demo, not of {tenant}" in told.stderr
