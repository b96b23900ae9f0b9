"""Where a person is sent after signing in: to a page of the console, whatever an address says."""

import pytest

from api.console.rendering import HOME, safe_target


@pytest.mark.parametrize("target", ["/console", "/console/operations?tenant=a%2Fb", "/console/events"])
def test_a_page_of_the_console_is_gone_to(target):
    assert safe_target(target) == target


@pytest.mark.parametrize(
    "target",
    ["", "//evil.example/console/", "https://evil.example/console/", "/consolex", "/v1/users", "javascript:alert(1)",
     "/console/\\..\\", "/console/\r\nSet-Cookie: a=b", "console/overview", "http:/console/"],
)  # fmt: skip
def test_nobody_is_sent_anywhere_else(target):
    assert safe_target(target) == HOME
