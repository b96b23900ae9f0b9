"""Pieces of work as tracing is told of them: when they began and ended, which statements ran, and for whom.

One rule: the standard library alone; whoever is traced imports this, and OpenTelemetry only where traces are wanted.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Protocol, Self

Attributes = Mapping[str, str | int]
"""What a span says of its work: ids, counts and words from closed sets; never a key, a name or an address."""

# W3C trace context, version 00; an id of zeros says that there is none.
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SAMPLED = 0x01
# A stream that stays open for hours, or a page over many chunks, must not fill the memory with its statements.
_MOST_STATEMENTS = 500


class Kind(Enum):
    """Which side of a call a span is."""

    INTERNAL = "internal"
    PRODUCER = "producer"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One statement that has run: its name in the .sql files, its times in nanoseconds, and its error's type."""

    name: str
    began: int
    ended: int
    error: str | None = None
    sqlstate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span whose work is over. `parent` is the traceparent of the span below which it stands."""

    name: str
    parent: str
    began: int
    ended: int
    kind: Kind = Kind.INTERNAL
    attributes: Attributes = field(default_factory=dict)
    error: str | None = None


def now() -> int:
    """The time of a span's beginning or end: nanoseconds of this machine's clock."""
    return time.time_ns()


class Work:
    """A piece of work under way: within its block it collects what `timed` is told in the same task."""

    def __init__(self, parent: str | None = None) -> None:
        self.parent = parent
        self.began = self.ended = now()
        self.statements: list[Timed] = []
        self.dropped = 0
        self.error: str | None = None
        self._token: Token[Work | None] | None = None

    def __enter__(self) -> Self:
        self.began = now()
        self._token = _CURRENT.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended = now()
        self.error = None if kind is None else kind.__name__
        if self._token is not None:
            _CURRENT.reset(self._token)
            self._token = None

    def add(self, statement: Timed) -> None:
        """Keep a statement, as long as the work goes on: a task that outlives it tells of its own work."""
        if self._token is None or len(self.statements) >= _MOST_STATEMENTS:
            self.dropped += 1
        else:
            self.statements.append(statement)


_CURRENT: ContextVar[Work | None] = ContextVar("seatline_recording", default=None)


class Request(Protocol):
    """The span of a request that is being answered."""

    @property
    def traceparent(self) -> str:
        """What everything that the request causes stands below."""

    def end(self, recording: Work, *, name: str, attributes: Attributes, failed: bool) -> None:
        """It is answered. Its statements become spans below it."""


class Sending(Protocol):
    """The span of a message that is on its way to the broker."""

    @property
    def traceparent(self) -> str:
        """What the message carries, for whoever takes it."""

    def end(self, *, confirmed: bool) -> None:
        """The broker has it, or nobody knows."""


class Tracer(Protocol):
    """Makes spans of work that is told to it. Whatever stands below an unsampled parent is dropped."""

    def request(self, traceparent: str | None, *, method: str) -> Request:
        """A request has come in, with its caller's trace where it sent a good one."""

    def sending(self, name: str, parent: str, attributes: Attributes) -> Sending:
        """A message is about to be published."""

    def add(self, span: Span) -> str:
        """A span that is over; its traceparent for what stands below it, or its parent's where that is not sampled."""

    def work(self, name: str, recording: Work, served: Sequence[Span], attributes: Attributes) -> None:
        """Work that was done for these, with its statements: below the one that it served, or linked to the many."""

    def close(self) -> None:
        """Send what is left, within seconds. Blocks."""


def good_traceparent(text: str | None) -> str | None:
    """The text where it is a traceparent that can be built upon."""
    sent = (text or "").strip()
    return sent if _TRACEPARENT.fullmatch(sent) else None


def is_sampled(traceparent: str) -> bool:
    """Whether whoever began this trace wants it recorded."""
    return bool(int(traceparent[-2:], 16) & _SAMPLED)


def current_parent() -> str | None:
    """The span below which this task's work stands, where it is recorded at all."""
    recording = _CURRENT.get()
    return None if recording is None else recording.parent


@contextmanager
def timed(name: str) -> Iterator[None]:
    """A statement that runs within the block, told to the recording of this task, if there is one."""
    recording = _CURRENT.get()
    if recording is None:
        yield
        return
    began = now()
    try:
        yield
    except BaseException as error:
        sqlstate = getattr(error, "sqlstate", None)
        kind = type(error).__name__
        recording.add(Timed(name=name, began=began, ended=now(), error=kind, sqlstate=sqlstate))
        raise
    recording.add(Timed(name=name, began=began, ended=now()))


@contextmanager
def told(tracer: Tracer, name: str, served: Callable[[Work], Sequence[Span]]) -> Iterator[Work]:
    """Work within the block, told to the tracer at its end; `served` says then for whom it was done."""
    recording = Work()
    try:
        with recording:
            yield recording
    finally:
        tracer.work(name, recording, served(recording), {})
