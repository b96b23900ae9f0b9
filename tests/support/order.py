"""In which order tests run, and which of them stay in one process: the long ones begin first, and the tail is short.

One rule: it changes when and where a test runs, never whether or with what; within a unit the order stays.
"""

# One browser and one service serve them all, and to start those takes as long as a few of the tests.
TOGETHER = ("tests/browser/",)
# Their tests are long and have processes, servers or a database of their own: none is kept waiting behind another.
APART = (
    "tests/acceptance/test_up.py",
    "tests/faults/",
    "tests/integration/engine/test_statement_counts.py",
    "tests/integration/test_fuzzing.py",
    "tests/integration/test_rabbitmq_faults.py",
    "tests/property/",
    "tests/unit/test_cloudevents.py",
)
# What takes long, the longest first, waiting and working by turns; then the rest, whose units take ten seconds or less.
LONG = (
    "tests/browser/",
    "tests/integration/test_fuzzing.py",
    "tests/acceptance/test_up.py::test_whatever_is_killed_comes_back_and_nothing_is_lost",
    "tests/acceptance/test_events_tail.py",
    "tests/acceptance/test_import.py",
    "tests/acceptance/",
    "tests/property/",
    "tests/integration/test_isolation_matrix.py",
    "tests/integration/test_rabbitmq_restart.py",
    "tests/faults/",
    "tests/unit/test_cloudevents.py",
    "tests/integration/test_rabbitmq_faults.py",
    "tests/integration/engine/test_statement_counts.py",
    "tests/integration/api/catalog/test_group_assignments.py",
    "tests/integration/",
)


def place_of(nodeid: str) -> int:
    """How early the test runs: the lower the earlier."""
    return next((place for place, start in enumerate(LONG) if nodeid.startswith(start)), len(LONG))


def unit_of(nodeid: str) -> str:
    """What runs in one process without a break: a file, a folder, or a single test."""
    for folder in TOGETHER:
        if nodeid.startswith(folder):
            return folder
    return nodeid if nodeid.startswith(APART) else nodeid.partition("::")[0]
