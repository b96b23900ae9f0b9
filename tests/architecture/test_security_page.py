"""Every threat of docs/security.md names what stands against it, and a test that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"


def test_every_threat_names_a_test_that_exists():
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for _, against, held_by in rows:
        assert against
        path, _, test = re.fullmatch(r"`([^`]+)` \|", held_by)[1].partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"def {test}\b" if test else r"def test_", text), held_by
