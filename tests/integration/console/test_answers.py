"""Every answer of the console: its headers, its failures in HTML, and files that may be kept for ever."""

import gzip

import pytest

from api.console.assets import assets

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("path", ["/console/sign-in", "/console", "/console/audit", "/console/nothing/here"])
@pytest.mark.parametrize("is_signed_in", [True, False], ids=["signed in", "a stranger"])
async def test_every_page_lets_nothing_act_but_our_own_files(visit, path, is_signed_in):
    if is_signed_in:
        await visit.sign_in()
    answer = await visit.get(path)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"


async def test_an_address_that_means_nothing_is_a_page(visit):
    missing = await visit.get("/console/../console/%2e%2e/x<script>")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<script>" not in missing.text


async def test_the_console_is_not_in_the_document_of_the_api(visit):
    paths = (await visit.get("/openapi.json")).json()["paths"]
    assert [path for path in paths if path.startswith("/console")] == []


@pytest.mark.parametrize("name", sorted(assets()))
async def test_a_file_may_be_kept_for_ever(visit, name):
    asset = assets()[name]
    plain = await visit.get(asset.path, **{"Accept-Encoding": "identity"})
    assert (plain.status_code, plain.content) == (200, asset.content)
    assert "immutable" in plain.headers["cache-control"]
    assert plain.headers["content-type"].partition(";")[0] == asset.media_type
    packed = await visit.get(asset.path, **{"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == asset.content
    assert int(packed.headers["content-length"]) == len(gzip.compress(asset.content, mtime=0))


@pytest.mark.parametrize("path", ["0000000000000000/console.css", "x/../console.css", "x/%2e%2e/%2e%2e/assets.py"])
async def test_no_other_file_is_given(visit, path):
    assert (await visit.get(f"/console/static/{path}")).status_code == 404
