"""Golden files: what a wire format looked like when somebody last reviewed it.

`pytest --update-golden` writes them anew; the difference is then read in the commit, not taken on trust.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """Compare bytes with the golden file of that path below tests/golden, or write it with --update-golden."""

    def compare(path: str, actual: bytes) -> None:
        file = GOLDEN / path
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(actual)
        assert file.is_file(), f"{file} does not exist; pytest --update-golden writes it"
        assert actual.decode() == file.read_bytes().decode()

    return compare
