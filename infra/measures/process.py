"""Every metric of an API process and of a worker, by name: the one list of them.

One rule: a metric that is not in docs/operations.md does not exist, and the other way round; a test holds the two
together. Labels are words of closed sets, never anything that a caller wrote.
"""

from typing import Literal

from infra.measures.instruments import LATENCIES, REQUESTS, SIZES, STATEMENTS, Counter, Gauge, Histogram
from infra.version import VERSION

ProcessKind = Literal["api", "worker"]
AnyInstrument = Counter | Gauge | Histogram


class Measures:
    """The measures of one process. `kind` None, for tools: all of them, and nobody looks."""

    def __init__(self, kind: ProcessKind | None = None) -> None:
        self.kind = kind
        self.requests = Requests()
        self.acceptance = Acceptance()
        self.applying = Applying()
        self.relaying = Relaying()
        self.verifying = Verifying()
        self.database = DatabaseUse()
        self.sampled = Sampled()
        self.broker_up = Gauge("seatline_broker_up", "1 while claims and replies can be relied upon, else 0.")
        self.build = Gauge("seatline_build_info", "1, with the version and the kind of process.", ("version", "kind"))
        self.build.set(1, VERSION, kind or "tool")

    @property
    def instruments(self) -> list[AnyInstrument]:
        """Those that this kind of process has."""
        api: list[object] = [self.requests, self.acceptance]
        worker: list[object] = [self.applying, self.relaying, self.verifying]
        groups = {"api": api, "worker": worker, None: api + worker}[self.kind]
        mine = [one for group in (*groups, self.database, self.sampled) for one in vars(group).values()]
        return [*(one for one in mine if isinstance(one, AnyInstrument)), self.broker_up, self.build]


class Requests:
    """HTTP: rate, errors and duration, by route and by dialect."""

    def __init__(self) -> None:
        labels = ("dialect", "method", "route")
        self.answered = Counter("seatline_http_requests", "Requests answered.", (*labels, "status"))
        self.seconds = Histogram(
            "seatline_http_request_duration_seconds",
            "From a request's first byte to the last of its answer.",
            labels,
            bounds=REQUESTS,
        )
        self.open = Gauge("seatline_http_requests_in_progress", "Requests being answered now, open streams included.")
        self.open.set(0)


class Acceptance:
    """Commands that become committed rows, and the claims that go out for them."""

    def __init__(self) -> None:
        self.accepted = Counter("seatline_operations_accepted", "Operations accepted: their rows are committed.")
        self.seconds = Histogram(
            "seatline_accept_duration_seconds", "From a command to the commit of its row.", bounds=LATENCIES
        )
        self.batch = Histogram("seatline_accept_batch_operations", "Operations accepted by one insert.", bounds=SIZES)
        self.claims = Counter(
            "seatline_claims",
            "Claims sent, and whether the broker confirmed them in time.",
            ("result",),
            known=[("confirmed",), ("unconfirmed",)],
        )


class Applying:
    """Passes and chunks."""

    def __init__(self) -> None:
        self.applied = Counter(
            "seatline_operations_applied", "Operations applied, by the status they had then.", ("status",)
        )
        self.seconds = Histogram(
            "seatline_apply_duration_seconds",
            "From the commit that accepted to the one that applied.",
            bounds=LATENCIES,
        )
        self.claim_seconds = Histogram(
            "seatline_claim_to_apply_seconds",
            "From a claim's arrival to the end of its tenant's pass.",
            bounds=LATENCIES,
        )
        self.events = Counter("seatline_events_written", "Events written to the outbox.")
        self.passes = Counter(
            "seatline_passes",
            "Passes by how they ended; an empty one found nothing open.",
            ("outcome",),
            known=[("committed",), ("empty",), ("failed",), ("repeated",)],
        )
        self.pass_seconds = Histogram("seatline_pass_duration_seconds", "Time of a pass.", bounds=LATENCIES)
        self.pass_operations = Histogram("seatline_pass_operations", "Operations of a pass.", bounds=SIZES)
        self.pass_items = Histogram("seatline_pass_items", "Items of a pass.", bounds=SIZES)
        self.tenants = Counter(
            "seatline_pass_tenants",
            "Tenants that a pass applied something of, by what had made them ready.",
            ("found_by",),
            known=[("claim",), ("poll",), ("reread",)],
        )
        self.chunk_seconds = Histogram(
            "seatline_chunk_duration_seconds", "Time of a chunk.", ("kind",), bounds=LATENCIES
        )
        self.chunk_rows = Histogram("seatline_chunk_rows", "People that a chunk came to.", ("kind",), bounds=SIZES)
        self.ready = Gauge("seatline_ready_tenants", "Tenants that wait for a pass of this worker.")
        self.reaped = Counter("seatline_workers_reaped", "Dead workers that this one has found.")


class Relaying:
    """The outbox on its way to the broker."""

    def __init__(self) -> None:
        self.leader = Gauge("seatline_relay_leader", "1 on the worker that publishes, else 0.")
        self.leader.set(0)
        self.published = Counter("seatline_events_published", "Events whose message the broker has confirmed.")
        self.messages = Counter(
            "seatline_relay_messages",
            "Messages published, and whether the broker confirmed them.",
            ("result",),
            known=[("confirmed",), ("unconfirmed",)],
        )
        self.seconds = Histogram(
            "seatline_relay_lag_seconds", "From the transaction that wrote a message to its confirm.", bounds=LATENCIES
        )


class Verifying:
    """What the last daily recount of this worker has found; none before it has done one."""

    def __init__(self) -> None:
        self.drift = Gauge(
            "seatline_verify_drift", "Contradictions that the last daily recount found, of all tenants.", ("check",)
        )
        self.tenants = Gauge("seatline_verify_tenants", "Tenants that the last daily recount has read.")
        self.failed = Gauge("seatline_verify_failed_tenants", "Tenants that the last daily recount could not read.")
        self.rows = Gauge("seatline_verify_rows", "Rows that the last daily recount has read.")
        self.seconds = Gauge("seatline_verify_duration_seconds", "How long the last daily recount took.")
        self.finished = Gauge("seatline_verify_finished_timestamp_seconds", "When the last daily recount ended.")


class DatabaseUse:
    """Statements, and the pool of connections."""

    def __init__(self) -> None:
        self.statements = Histogram(
            "seatline_sql_duration_seconds",
            "Time of a named statement, as the client sees it.",
            ("statement",),
            bounds=STATEMENTS,
        )
        self.connections = Gauge(
            "seatline_database_connections", "Connections of the pool that are open, by what they do.", ("state",)
        )
        self.most = Gauge("seatline_database_connections_max", "Connections that the pool may open.")
        self.waits = Histogram(
            "seatline_database_connection_wait_seconds", "Time until the pool gave a connection.", bounds=STATEMENTS
        )
        self.timeouts = Counter(
            "seatline_database_connection_timeouts", "Waits that the pool ended without a connection."
        )


class Sampled:
    """The installation as a whole, of the last sample, which one process takes for all; see `overview_sample`."""

    def __init__(self) -> None:
        self.depth = Gauge("seatline_queue_depth", "Queued operations; counted up to 10,000.")
        self.oldest_age = Gauge("seatline_queue_oldest_age_seconds", "Age of the oldest queued operation; 0: none.")
        self.running = Gauge("seatline_operations_running", "Operations that go on in chunks.")
        self.outbox = Gauge("seatline_outbox_pending", "Messages not published yet; counted up to 10,000.")
        self.outbox_lag = Gauge("seatline_outbox_lag_seconds", "Age of the oldest message not published yet; 0: none.")
        self.waiting = Gauge("seatline_waiting_seats", "Entitlements that wait, of all licences.")
        self.dead_letters = Gauge("seatline_dead_letters", "Dead letters by their error.", ("code",))
        self.workers = Gauge("seatline_workers_alive", "Workers whose session lock stands.")
        self.sampled = Gauge("seatline_sample_timestamp_seconds", "When the sample behind these numbers was taken.")
