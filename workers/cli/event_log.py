"""The log of events over HTTP, a page at a time, with patience for a service that is away."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import click
import httpx

PAGE_EVENTS = 1000
TIMEOUT_SECONDS = 15.0
BACKOFF_FIRST_SECONDS = 0.2
BACKOFF_MOST_SECONDS = 5.0
RETRIED = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """The log begins only at `earliest`; what was before is gone."""

    earliest: int


class EventLog:
    """Reads `/v1/events` with a tenant's token; `say` tells the person who waits why it takes long."""

    def __init__(
        self,
        *,
        url: str,
        token: str,
        tenant: str,
        say: Callable[[str], None],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._say = say
        self._tenant = tenant
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            transport=transport,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def page(self, *, after: int, types: Sequence[str]) -> list[dict[str, Any]] | Expired:
        """The next events after a sequence, at most a page of them; none when the log has no more.

        Raises:
            click.ClickException: the service refuses the request, and would again.
        """
        parameters: dict[str, str | int] = {"after": after, "limit": PAGE_EVENTS}
        if types:
            parameters["types"] = ",".join(types)
        response = await self._answered(parameters)
        if response.status_code == HTTPStatus.GONE:
            return Expired(earliest=int(response.json()["earliest"]))
        if response.status_code != HTTPStatus.OK:
            raise click.ClickException(f"GET /v1/events answered {response.status_code}: {response.text[:300]}")
        events: list[dict[str, Any]] = response.json()["events"]
        for event in events[:1]:
            if event["tenantid"] != self._tenant:
                raise click.ClickException(f"the token is of tenant {event['tenantid']}, not of {self._tenant}")
        return events

    async def _answered(self, parameters: dict[str, str | int]) -> httpx.Response:
        delay = BACKOFF_FIRST_SECONDS
        while True:
            try:
                response = await self._client.get("/v1/events", params=parameters)
                if response.status_code not in RETRIED:
                    return response
                reason = f"answered {response.status_code}"
            except httpx.TransportError as error:
                reason = f"is not reached ({type(error).__name__})"
            self._say(f"the log {reason}; trying again")
            await asyncio.sleep(delay)
            delay = min(delay * 2, BACKOFF_MOST_SECONDS)
