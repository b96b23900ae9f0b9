"""Program licences, created and updated by the catalogue API and seen by the native one."""

import pytest

PROGRAM = "/api/catalog/licenses/program/"
CREATE = f"{PROGRAM}create/"
UPDATE = f"{PROGRAM}update/"
USERS = f"{PROGRAM}assignment/"
LEAST = {"program_key": "data", "name": "Data 2026", "count": None, "started": "2026-01-01T00:00:00Z"}
FULL = {
    "platform_key": "acme", "platform_org": "acme-org", "program_key": "data", "program_name": "Data Science",
    "name": "Data 2026", "count": 5, "started": "2026-01-01T02:00:00+02:00", "expired": "2099-01-01T00:00:00Z",
    "external_id": "o-1", "active": True, "metadata": {"b": [1, 2.5, None], "a": "ü"},
    "enrollment_config": {"mode": "x"}, "source": "crm", "transaction_id": "t-1",
}  # fmt: skip


async def created(api, **fields):
    response = await api.call("POST", CREATE, LEAST | fields)
    assert response.status_code == 200, response.text
    return response.json()


async def refused(api, path, body, code):
    response = await api.call("POST", path, body)
    assert response.status_code == (404 if code.endswith("NOT_EXIST") else 400), response.text
    assert set(response.json()) == {"error", "code", "details"}
    assert response.json()["code"] == code
    assert "seatline-operation" in response.headers
    return response.json()


async def test_a_licence_is_created_with_every_field(api):
    response = await api.call("POST", CREATE, FULL)
    assert response.status_code == 200
    assert "seatline-operation" in response.headers
    shown = response.json()
    assert list(shown) == [
        "id", "name", "count", "usage_count", "active", "created", "started", "expired", "metadata", "source",
        "external_id", "platform_key", "program_id", "program_key", "program_name",
    ]  # fmt: skip
    assert shown["id"] > 0 < shown["program_id"]
    assert shown | {"id": 0, "program_id": 0, "created": ""} == {
        "id": 0, "name": "Data 2026", "count": 5, "usage_count": 0, "active": True, "created": "",
        "started": "2026-01-01T00:00:00.000000Z", "expired": "2099-01-01T00:00:00.000000Z",
        "metadata": {"b": [1, 2.5, None], "a": "ü"}, "source": "crm", "external_id": "o-1", "platform_key": "acme",
        "program_id": 0, "program_key": "data", "program_name": "Data Science",
    }  # fmt: skip
    listed = (await api.call("GET", PROGRAM)).json()
    assert listed["results"] == [shown]


async def test_a_licence_takes_defaults_for_what_is_not_sent(api):
    shown = await created(api)
    assert (shown["program_name"], shown["active"], shown["source"], shown["count"]) == ("data", True, "", None)
    assert (shown["metadata"], shown["external_id"], shown["expired"]) == (None, None, None)
    native = (await api.call("GET", f"/v1/licenses/program-{shown['id']}")).json()
    assert (native["id"], native["kind"], native["capacity"]) == (shown["id"], "program", None)


async def test_a_program_has_one_id_for_all_its_licences(api):
    first, second = await created(api), await created(api, name="Data 2027")
    other = await created(api, program_key="art")
    assert first["program_id"] == second["program_id"] != other["program_id"]
    stranger = await api.other_tenant("stranger")
    assert (await created(stranger))["program_id"] not in {first["program_id"], other["program_id"]}


async def test_an_external_id_belongs_to_one_licence(api):
    await created(api, external_id="o-1")
    body = await refused(api, CREATE, LEAST | {"external_id": "o-1"}, "EXTERNAL_ID_TAKEN")
    assert body["details"] == {"field": "external_id"}
    other = await created(api, external_id="o-2")
    await refused(api, UPDATE, {"license_id": other["id"], "external_id": "o-1"}, "EXTERNAL_ID_TAKEN")
    stranger = await api.other_tenant("stranger")
    assert (await created(stranger, external_id="o-1"))["external_id"] == "o-1"


async def test_an_update_changes_what_is_sent_and_nothing_else(api):
    before = (await api.call("POST", CREATE, FULL)).json()
    response = await api.call("POST", UPDATE, {"license_id": before["id"], "name": "New", "change_type": "upsell"})
    assert (response.status_code, response.json()) == (200, before | {"name": "New"})
    cleared = {"count": None, "expired": None, "metadata": None, "external_id": None, "transaction_id": None}
    response = await api.call("POST", UPDATE, {"license_id": before["id"], "active": False, **cleared})
    shown = {name: None for name in cleared if name in before}
    assert response.json() == before | {"name": "New", "active": False} | shown
    assert (await api.call("GET", PROGRAM)).json()["results"] == [response.json()]


async def test_an_update_finds_the_licence_by_either_id(api):
    before = await created(api, external_id="o-1")
    by_external_id = await api.call("POST", UPDATE, {"external_id": "o-1", "source": "erp"})
    assert by_external_id.json() == before | {"source": "erp"}
    by_id = await api.call("POST", UPDATE, {"license_id": before["id"], "external_id": "o-9"})
    assert by_id.json()["external_id"] == "o-9"
    body = await refused(api, UPDATE, {"external_id": "o-1", "source": "x"}, "LICENSE_DOES_NOT_EXIST")
    assert body["details"] == {"field": "external_id"}


async def test_licences_of_others_and_bundles_cannot_be_updated(api):
    stranger = await api.other_tenant("stranger")
    foreign = await created(stranger, external_id="o-1")
    await api.call("PUT", "/v1/licenses/b", {"name": "B", "kind": "bundle", "code": "IDU", "capacity": 5})
    bundle = (await api.call("GET", "/v1/licenses/b")).json()["id"]
    for license_id in (foreign["id"], bundle, 10**9, 2**63 - 1):
        body = await refused(api, UPDATE, {"license_id": license_id, "name": "x"}, "LICENSE_DOES_NOT_EXIST")
        assert body["details"] == {"field": "license_id"}
    await refused(api, UPDATE, {"external_id": "o-1", "name": "x"}, "LICENSE_DOES_NOT_EXIST")


async def test_the_count_stays_above_the_seats_in_use(api):
    license_id = (await created(api, count=3))["id"]
    for user in ("ada.user", "bo.user"):
        assert (await api.call("POST", USERS, {"license_id": license_id, "username": user})).status_code == 200
    body = await refused(api, UPDATE, {"license_id": license_id, "count": 1}, "COUNT_BELOW_USAGE")
    assert body["details"] == {"used": 2, "field": "count"}
    assert body["error"] == "The count is below the 2 seats in use."
    shown = (await api.call("POST", UPDATE, {"license_id": license_id, "count": 2})).json()
    assert (shown["count"], shown["usage_count"]) == (2, 2)


async def test_the_same_key_is_the_same_licence(api):
    answers = [await api.call("POST", CREATE, LEAST, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert (await api.call("GET", PROGRAM)).json()["count"] == 1
    reused = await api.call("POST", CREATE, LEAST | {"name": "x"}, headers={"Idempotency-Key": "k"})
    assert (reused.status_code, reused.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_caller_who_does_not_wait_finds_the_answer_with_the_operation(api):
    accepted = await api.call("POST", CREATE, LEAST, headers={"Prefer": "respond-async"})
    assert accepted.status_code == 202
    waited = await api.call("POST", CREATE, LEAST | {"name": "second"})
    operation = (await api.call("GET", accepted.headers["location"])).json()
    assert operation["kind"] == "program_licenses.create"
    assert operation["response"]["status"] == 200
    assert set(operation["response"]["body"]) == set(waited.json())


@pytest.mark.parametrize("language", ["de", "fr"])
async def test_refusals_of_the_worker_are_in_the_caller_s_language(api, language):
    response = await api.call("POST", UPDATE, {"license_id": 10**9}, headers={"Accept-Language": language})
    assert response.headers["content-language"] == language
    assert response.json()["error"] != "The licence does not exist."
