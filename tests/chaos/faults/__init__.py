"""Every fault of a run by its name: what strikes, and what a run may do meanwhile.

One rule: `strike` returns when the fault is over, and says in a few words what it did; the runner times the recovery.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tests.chaos.faults import broker, clock, database, failpoints, links, poison, processes
from tests.chaos.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. A guest may strike while a host lasts, so that both go wrong at once."""

    name: str
    strike: Callable[[Scene], Awaitable[str]]
    is_guest: bool = False
    is_host: bool = False


_ALL = (
    Fault(name="api-killed", strike=processes.api_killed, is_guest=True),
    Fault(name="worker-killed", strike=processes.worker_killed, is_guest=True),
    Fault(name="relay-leader-killed", strike=processes.relay_leader_killed),
    Fault(name="rolling-restart", strike=processes.rolling_restart, is_guest=True),
    Fault(name="broker-killed", strike=broker.killed),
    Fault(name="broker-restarted", strike=broker.restarted),
    Fault(name="broker-stopped", strike=broker.stopped, is_host=True),
    Fault(name="memory-alarm", strike=broker.memory_alarm),
    Fault(name="disk-alarm", strike=broker.disk_alarm),
    Fault(name="queue-purged", strike=broker.queue_purged),
    Fault(name="queue-deleted", strike=broker.queue_deleted),
    Fault(name="claims-tripled", strike=broker.claims_tripled),
    Fault(name="postgres-restarted", strike=database.restarted),
    Fault(name="postgres-stopped", strike=database.stopped),
    Fault(name="connections-terminated", strike=database.connections_terminated, is_guest=True),
    Fault(name="links-cut", strike=links.cut),
    Fault(name="links-silent", strike=links.silent),
    Fault(name="links-reset", strike=links.reset),
    Fault(name="bad-envelopes", strike=poison.bad_envelopes),
    Fault(name="unknown-kind", strike=poison.unknown_kind),
    Fault(name="poison-raises", strike=poison.raises),
    Fault(name="poison-kills", strike=poison.kills),
    Fault(name="poison-crashes", strike=poison.crashes),
    Fault(name="clock-jumps", strike=clock.jumps, is_guest=True),
    Fault(name="failpoints-accept", strike=failpoints.around("accept"), is_guest=True),
    Fault(name="failpoints-pass", strike=failpoints.around("pass"), is_guest=True),
    Fault(name="failpoints-chunk", strike=failpoints.around("chunk"), is_guest=True),
    Fault(name="failpoints-relay", strike=failpoints.around("relay")),
)
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
