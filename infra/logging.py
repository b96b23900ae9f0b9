"""Log lines: JSON for machines, readable ones on a terminal; ids and counts only, never content or credentials.

Its one rule: who works on something binds its ids as structlog's context variables, and every line carries them.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.contextvars import merge_contextvars

from infra.settings import LogFormat, LogLevel, Settings
from infra.traces import trace

LEVELS = {
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.INFO: logging.INFO,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.ERROR: logging.ERROR,
}
# A value under a name that ends so (`database_url`, `token`; not `token_id`) is not written, whoever passes it.
SECRET_NAMES = ("password", "token", "secret", "authorization", "credentials", "jwt", "url")
# Their own lines repeat ours, or carry connection strings.
QUIET_LIBRARIES = (
    "asyncio",
    "httpx",
    "httpcore",
    "sqlalchemy.engine",
    "uvicorn.access",
    "alembic",
)
# They write an error at each attempt and a long trace at each loss; infra.rabbitmq says once that the broker is missed.
MUTE_LIBRARIES = ("aio_pika", "aiormq")


def configure(settings: Settings, *, process: str, stream: TextIO | None = None) -> None:
    """Set up logging for this process; a second call replaces the first.

    Args:
        settings: format and level.
        process: `api`, `worker`, … stands on every line.
        stream: where lines go; standard error unless told.
    """
    target = stream if stream is not None else sys.stderr
    readable = settings.log_format is LogFormat.TEXT or (settings.log_format is LogFormat.AUTO and target.isatty())
    level = LEVELS[settings.log_level]
    shared: list[structlog.typing.Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=_rendering(readable=readable, colors=target.isatty(), process=process)
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in MUTE_LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _rendering(*, readable: bool, colors: bool, process: str) -> list[structlog.typing.Processor]:
    def name_process(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    shared = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, name_process, _trace_exceptions]
    if readable:
        return [*shared, structlog.dev.ConsoleRenderer(pad_event_to=32, colors=colors)]
    return [
        *shared,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(sort_keys=True, default=str),
    ]


def _trace_exceptions(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Where it was raised, in place of a traceback that would quote the values it met."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["exception"] = trace(error)
    return event


def _hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if name.lower().rpartition("_")[2] in SECRET_NAMES:
            event[name] = "***"
    return event
