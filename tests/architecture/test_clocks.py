"""What becomes of rows is decided by the clock of the database, which all processes share; theirs may be wrong."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The hour of the daily recount, the bits of an operation's id that keep neighbours together, the times of spans, the
# instant of an overview that says that the database is away, when a message was found to be unreadable, and how
# long ago something was on a page. None of them decides anything.
MAY_ASK = {
    "workers/verification.py",
    "infra/postgres/operations.py",
    "infra/rabbitmq/claims.py",
    "infra/tracing/work.py",
    "api/native/ops/overview_documents.py",
    "api/console/wording.py",
}


def test_only_the_database_is_asked_what_time_it_is():
    asking = {
        str(path.relative_to(ROOT))
        for package in ("api", "workers", "domain", "infra")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"\b(?:datetime\.(?:now|utcnow|today)|date\.today|time\.time(?:_ns)?)\(", path.read_text("utf-8"))
    }
    on_one_machine = {path for path in asking if path.startswith(("workers/cli/", "infra/local/"))}
    assert asking - on_one_machine == MAY_ASK
