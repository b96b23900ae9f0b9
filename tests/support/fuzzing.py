"""Schemathesis as a client of the application: what it is told to do, and what the application answered it."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.support.servers import ROOT

EXAMPLES = int(os.environ.get("SEATLINE_TEST_EXAMPLES", "4"))
# Chains of calls for each case of an operation.
CHAINS = 5
SEED = os.environ.get("SEATLINE_TEST_SEED", "1")
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "bad_data_is_refused",
)  # fmt: skip
# What every server sends, or what the document says as a content type.
_UNSAID = frozenset({"content-type", "content-length"})

# It follows the links of the document and none that it thinks of itself, and takes no other value out of an answer: it
# would soon end the token that it comes with.
_SETTINGS = """\
[parameters]
{parameters}
[generation]
max-examples = {examples}
[checks.negative_data_rejection]
expected-statuses = ["4xx"]
[phases.examples.extra-data-sources]
responses = false
[phases.fuzzing.extra-data-sources]
responses = false
[phases.stateful]
max-steps = 10
[phases.stateful.inference]
algorithms = []
[phases.stateful.generation]
max-examples = {chains}
"""


@dataclass(slots=True)
class Answers:
    """The application, and what it has answered by operation and status."""

    app: ASGIApp
    headers: dict[tuple[str, str, int], set[str]] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and note the answer."""

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and "route" in scope:
                place = (scope["method"].lower(), scope["route"].path, message["status"])
                self.headers.setdefault(place, set()).update(name.decode().lower() for name, _ in message["headers"])
            await send(message)

        await self.app(scope, receive, noting)

    def undocumented(self, document: Mapping[str, Any]) -> Iterator[str]:
        """Headers that were sent and that the document does not know there."""
        for (method, path, status), names in self.headers.items():
            response = document["paths"].get(path, {}).get(method, {}).get("responses", {}).get(str(status))
            if response is not None:
                unknown = names - {name.lower() for name in response["headers"]} - _UNSAID
                yield from (f"{method.upper()} {path} {status}: {name}" for name in sorted(unknown))

    def statuses(self) -> set[int]:
        """Every status that was answered."""
        return {status for _, _, status in self.headers}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a run says of itself: operations that were tested, links of the document, and those that were followed."""

    operations: int
    links: int
    followed: int


async def fuzzed(
    url: str, authorization: str, *, paths: str, folder: Path, parameters: Mapping[str, str] | None = None
) -> Told:
    """Let it send whatever it likes to these paths; `parameters` are those that it need not guess.

    Raises:
        AssertionError: some answer was not as the document says; what repeats it has been printed.
    """
    settings = folder / "schemathesis.toml"
    given = "\n".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in (parameters or {}).items())
    settings.write_text(
        _SETTINGS.format(parameters=given, examples=EXAMPLES, chains=EXAMPLES * CHAINS), encoding="utf-8"
    )
    words = [
        *("--config-file", str(settings), "run", f"{url}/openapi.json", "--include-path-regex", paths),
        *("--header", f"Authorization: {authorization}", "--header", "Prefer: wait=5"),
        *("--checks", ",".join(CHECKS), "--mode", "all", "--seed", SEED, "--no-shrink"),
        *(
            "--phases",
            "examples,fuzzing,stateful",
            "--workers",
            "1",
            "--continue-on-failure",
            "--no-color",
        ),
        *("--suppress-health-check", "all", "--warnings", "off"),
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", *words),
        cwd=folder,
        env={**_environment(), "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.support.fuzzing_checks"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    told = output.decode()
    print(told[-20_000:])  # noqa: T201 - the seed, and what repeats a failure
    assert process.returncode == 0
    operations = re.search(r"Operations:\s+.*?(\d+) selected", told)
    links = re.search(r"API Links:\s+(\d+) covered / (\d+) selected", told)
    assert operations is not None, "it does not say what it has tested"
    assert links is not None, "it does not say which links it followed"
    return Told(operations=int(operations[1]), links=int(links[2]), followed=int(links[1]))


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("SEATLINE_")}
