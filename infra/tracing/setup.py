"""A process's tracer, where its settings ask for one; nothing of OpenTelemetry is imported where they do not.

One rule: what is not set here is set by OpenTelemetry's own variables, and theirs win over our resource attributes.
"""

import asyncio
import contextlib
import os
import socket
from importlib.util import find_spec
from urllib.parse import urlsplit

from infra.settings import PREFIX, Settings, SettingsError
from infra.tracing.work import Tracer
from infra.version import VERSION

CLOSE_SECONDS = 2.0
_PATH = "/v1/traces"
_PACKAGES = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter")


def tracer_of(settings: Settings, *, service: str) -> Tracer | None:
    """The tracer of an API or worker process; None where no receiver is set.

    Raises:
        SettingsError: a receiver is set and the packages of the extra are not installed.
    """
    if settings.traces_endpoint is None:
        return None
    check_packages(settings)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    from infra.tracing.otel import OtelTracer, sampler  # noqa: PLC0415
    from infra.tracing.resource import resource  # noqa: PLC0415

    endpoint = receiver(settings.traces_endpoint.get_secret_value())
    provider = TracerProvider(
        sampler=sampler(settings.traces_ratio),
        resource=resource(service, VERSION, f"{socket.gethostname()}-{os.getpid()}"),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return OtelTracer(provider, database_url=settings.database_url.get_secret_value())


def check_packages(settings: Settings) -> None:
    """Say so at the start, where traces are asked for and the packages of the extra are missing.

    Raises:
        SettingsError: they are.
    """
    if settings.traces_endpoint is not None and any(find_spec(package) is None for package in _PACKAGES):
        raise SettingsError(f"{PREFIX}TRACES_ENDPOINT: needs the packages of requirements/traces.txt")


async def close_tracer(tracer: Tracer) -> None:
    """Send what is left, as far as it goes within the seconds that a stopping process has."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await asyncio.to_thread(tracer.close)


def receiver(url: str) -> str:
    """Where spans are sent: the receiver's address with the path that OTLP over HTTP gives them."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith(_PATH) else path + _PATH).geturl()
