"""Fetches the key set that signs accepted JWTs, from a file or an http(s) address.

One rule: a fetch is bounded in time and size, follows no redirect and uses no proxy; what it brings is only bytes.
"""

import asyncio
from pathlib import Path

import httpx

# A set of a hundred RSA keys takes about 50 kB.
LARGEST_SET = 256 * 1024
FETCH_SECONDS = 5.0


class JwksUnavailableError(Exception):
    """The key set cannot be fetched now."""


async def fetch(location: str) -> bytes:
    """The document at a file path or an http(s) URL.

    Raises:
        JwksUnavailableError: it cannot be read, takes too long, is too large, or is answered with anything but 200.
    """
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            if location.startswith(("http://", "https://")):
                return await _fetch_url(location)
            return await asyncio.to_thread(_read_file, Path(location))
    except (OSError, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise JwksUnavailableError(f"the key set cannot be read: {type(error).__name__}") from error


async def _fetch_url(url: str) -> bytes:
    async with (
        httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=FETCH_SECONDS) as client,
        client.stream("GET", url, headers={"Accept": "application/json"}) as response,
    ):
        if response.status_code != httpx.codes.OK:
            raise JwksUnavailableError(f"the key set is answered with {response.status_code}")
        document = bytearray()
        async for chunk in response.aiter_bytes():
            document += chunk
            if len(document) > LARGEST_SET:
                raise JwksUnavailableError("the key set is too large")
        return bytes(document)


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        document = file.read(LARGEST_SET + 1)
    if len(document) > LARGEST_SET:
        raise JwksUnavailableError("the key set is too large")
    return document
