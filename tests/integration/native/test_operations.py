"""/v1/operations over HTTP: what was answered, and what became of what was not."""

from uuid import uuid4

from domain.outcomes import OperationStatus
from tests.support.api import groups


async def ids(api, parameters=""):
    response = await api.call("GET", f"/v1/operations{parameters}")
    assert response.status_code == 200, response.text
    return [operation["id"] for operation in response.json()["items"]]


async def test_an_operation_tells_what_was_answered(api):
    response = await api.call("PUT", "/v1/groups/g", {"name": "G"})
    operation = (await api.call("GET", f"/v1/operations/{response.headers['Seatline-Operation']}")).json()
    assert operation["response"] == {"status": 201, "body": response.json()}
    assert (operation["kind"], operation["status"]) == ("groups.put", "succeeded")
    assert operation["progress"] == {"done": 1, "total": 1}
    assert [moment["event"] for moment in operation["timeline"]] == ["accepted", "started", "succeeded"]
    moments = [moment["at"] for moment in operation["timeline"]]
    assert moments == sorted(moments)
    assert "error" not in operation


async def test_the_answer_keeps_the_language_of_the_call(api):
    refused = await api.call("DELETE", "/v1/groups/none", headers={"Accept-Language": "de"})
    path = f"/v1/operations/{refused.headers['Seatline-Operation']}"
    operation = (await api.call("GET", path, headers={"Accept-Language": "fr"})).json()
    assert (operation["status"], operation["response"]) == ("rejected", {"status": 404, "body": refused.json()})


async def test_operations_are_listed_newest_first_and_filtered(api):
    created = [(await api.call("PUT", f"/v1/groups/g{n}", {"name": "G"})).headers["Seatline-Operation"] for n in (1, 2)]
    refused = (await api.call("DELETE", "/v1/groups/none")).headers["Seatline-Operation"]
    newest_first = [refused, *reversed(created)]
    assert await ids(api) == newest_first
    assert await ids(api, "?status=rejected") == [refused]
    assert await ids(api, "?status=succeeded,rejected") == newest_first
    assert await ids(api, "?status=succeeded&status=rejected") == newest_first
    assert await ids(api, "?kind=groups.put") == newest_first[1:]
    assert await ids(api, "?kind=users.put") == []
    assert await ids(api, "?since=2000-01-01T00:00:00Z") == newest_first
    assert await ids(api, "?since=2999-01-01") == []
    page = (await api.call("GET", "/v1/operations?limit=2")).json()
    rest = (await api.call("GET", f"/v1/operations?limit=2&cursor={page['next_cursor']}")).json()
    assert [operation["id"] for operation in (*page["items"], *rest["items"])] == newest_first
    assert all("response" not in operation for operation in page["items"])


async def test_a_failed_operation_says_why_and_not_with_what(api, sql):
    await api.arrange(groups("g"))
    await sql.execute(
        "UPDATE operation SET status = 'failed', response = NULL, error = $1",
        '{"code": "OPERATION_RAISED", "message": "value of ann@example.org"}',
    )
    (operation_id,) = await ids(api, f"?status={OperationStatus.FAILED}")
    operation = (await api.call("GET", f"/v1/operations/{operation_id}")).json()
    (listed,) = (await api.call("GET", "/v1/operations")).json()["items"]
    assert operation["error"] == listed["error"]
    assert operation["error"]["code"] == "OPERATION_RAISED"
    assert "ann@example.org" not in str((operation, listed))
    assert operation["response"] is None


async def test_what_is_no_operation_does_not_exist(api):
    for operation_id in (uuid4(), "7", "x" * 500, "%00"):
        response = await api.call("GET", f"/v1/operations/{operation_id}")
        assert (response.status_code, response.json()["code"]) == (404, "OPERATION_DOES_NOT_EXIST")
