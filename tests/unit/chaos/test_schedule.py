"""A seed repeats a run's faults and its requests."""

import random

from infra.failpoints import Failpoint
from tests.chaos.faults import FAULTS
from tests.chaos.requests import _KINDS, Caller
from tests.chaos.runner import RECOVERY_SECONDS, Struck, schedule
from tests.chaos.tenants import PLANS, PROGRAMS, Tenant, group_keys

TENANT = Tenant(
    plan=PLANS[0],
    token="t",
    programs={name: place for place, name in enumerate(PROGRAMS, start=1)},
    groups={name: place for place, name in enumerate(group_keys(), start=1)},
    crowd=(90, 91),
)


def names(seed):
    return [fault.name for fault in schedule(random.Random(seed), tuple(FAULTS))]


def test_a_round_holds_every_fault_once_in_an_order_of_its_seed():
    assert sorted(names(1)) == sorted(FAULTS)
    assert names(1) == names(1)
    assert names(1) != names(2)


def test_there_are_guests_left_when_a_host_strikes():
    for seed in range(50):
        order = names(seed)
        host = order.index("broker-stopped")
        assert sum(FAULTS[name].is_guest for name in order[host:]) >= 3


def test_every_failpoint_belongs_to_a_fault():
    families = {name.removeprefix("failpoints-") for name in FAULTS if name.startswith("failpoints-")}
    assert {point.partition("-")[0] for point in Failpoint} == families


def test_a_caller_asks_the_same_again_and_every_kind_of_request():
    callers = [Caller(tenant=TENANT, rng=random.Random("one")) for _ in range(2)]
    asked = [[caller.next() for _ in range(400)] for caller in callers]
    assert asked[0] == asked[1]
    assert {request.dialect for request in asked[0]} == {"users", "catalog", "account", "native"}
    assert len({(request.method, request.path.split("/")[1]) for request in asked[0]}) >= 6
    assert len(_KINDS) == 14


def test_a_fault_is_a_problem_when_the_service_is_late_or_never_back():
    values = {"name": "x", "began": 0.0, "lasted": 0.0, "note": ""}
    assert Struck(**values, recovered=RECOVERY_SECONDS).problem == ""
    assert "31.0 s" in Struck(**values, recovered=RECOVERY_SECONDS + 1).problem
    assert "not recovered" in Struck(**values, recovered=None).problem
