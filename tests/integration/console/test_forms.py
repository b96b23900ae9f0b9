"""Forms that our own page has not sent change nothing, and who may only look cannot act."""

import pytest

from tests.integration.console.conftest import SIGN_IN

SIGN_OUT = "/console/sign-out"
FORM = "application/x-www-form-urlencoded"
ACTIONS = ("/console/dead-letters/redrive", "/console/dead-letters/discard", "/console/dead-letters/unreadable/discard",
           "/console/operations/01a1fc3b-3171-7280-aef9-e545eb965a10/cancel")  # fmt: skip


@pytest.mark.parametrize("form_token", [None, "", "0" * 64, "é" * 64], ids=["none", "empty", "another", "no token"])
@pytest.mark.parametrize("path", [SIGN_OUT, "/console/theme", *ACTIONS])
async def test_a_form_without_this_sessions_token_is_refused(visit, path, form_token):
    await visit.sign_in()
    fields = {"other": "x"} if form_token is None else {"form_token": form_token}
    refused = await visit.post(path, **fields)
    assert refused.status_code == 403
    assert "no longer valid" in refused.text
    assert (await visit.get("/console/audit")).status_code == 200


async def test_the_token_of_another_session_is_refused(visit):
    await visit.sign_in()
    of_before = await visit.form_token()
    await visit.sign_in()
    assert await visit.form_token() != of_before
    assert (await visit.post(SIGN_OUT, form_token=of_before)).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
     {"Origin": "https://evil.example"}, {"Origin": "null"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("path", [SIGN_IN, SIGN_OUT])
async def test_a_form_of_another_site_is_refused(visit, path, headers):
    token = await visit.sign_in()
    refused = await visit.post(path, headers=headers, token=token, form_token=await visit.form_token())
    assert refused.status_code == 403
    assert (await visit.get("/console/audit")).status_code == 200


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(b"\xff\xfe=1", FORM), (b"{}", "application/json"), (b"a=%00", FORM), (b"&".join([b"a=1"] * 1200), FORM)],
    ids=["not UTF-8", "JSON", "NUL", "too many fields"],
)
async def test_what_is_no_form_is_refused(visit, content, content_type):
    await visit.sign_in()
    refused = await visit.client.post(SIGN_OUT, content=content, headers={"Content-Type": content_type})
    assert refused.status_code in {400, 403}
    assert "Nothing has changed" in refused.text


@pytest.mark.parametrize("path", ACTIONS)
async def test_who_may_only_look_cannot_act(visit, path):
    await visit.sign_in("ops:read")
    refused = await visit.post(path, form_token=await visit.form_token(), reason="r", id="x")
    assert refused.status_code == 403
    assert "lacks the scope ops:write" in refused.text


async def test_nobody_acts_by_opening_an_address(visit):
    await visit.sign_in()
    assert (await visit.get(SIGN_OUT)).status_code == 404
    assert (await visit.get("/console/audit")).status_code == 200
