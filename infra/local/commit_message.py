"""The commit-msg hook: the first line follows Conventional Commits."""

import re
import sys
from pathlib import Path

TYPES = ("build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test")
FIRST_LINE = re.compile(rf"({'|'.join(TYPES)})(\([a-z0-9-]+\))?!?: \S.*")
MERGES = ("Merge ", "Revert ", "fixup! ", "squash! ")


def is_conventional(message: str) -> bool:
    """Whether a commit message begins as agreed: `feat(api): what it does now`."""
    first = message.split("\n", 1)[0]
    return FIRST_LINE.fullmatch(first) is not None or first.startswith(MERGES)


def main() -> int:
    """Read the file git names; 1 when its message does not conform."""
    if is_conventional(Path(sys.argv[1]).read_text(encoding="utf-8")):
        return 0
    sys.stderr.write(f"the first line must read TYPE(scope): text, TYPE one of {', '.join(TYPES)}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
