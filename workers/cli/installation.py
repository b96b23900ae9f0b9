"""What `up` does, step by step: servers, schema, tenant, processes, sample data, one real request.

Its one rule: every step can be repeated, so that an interrupted `up` is simply run again.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.local import environment_file, ports, probes, servers
from infra.local.place import ROOT, Place
from infra.local.processes import Command
from infra.local.server import ServerError, log_end
from infra.local.servers import NO_BROKER, Urls
from infra.local.state import State
from infra.local.supervisor import Supervisor
from infra.postgres import migrate
from workers.cli import demo, first_request, loading
from workers.cli.demo import Tokens
from workers.cli.public_api import GLANCE, PublicApi

READY_SECONDS = 60.0
DEFAULT_API_PORT = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the person asked for."""

    api_port: int | None
    workers: int
    install: bool


@dataclass(slots=True, kw_only=True)
class Installation:
    """One `up`, from nothing to a request that went all the way through."""

    place: Place
    state: State
    supervisor: Supervisor
    wishes: Wishes
    say: Callable[[str], None]

    def bring_up(self) -> None:
        """Do all the steps; returns when everything serves."""
        urls = Urls(database=self._database(), amqp="", management="")
        urls = self._with_broker(urls)
        self.say("bringing the database to this version's schema")
        asyncio.run(migrate.upgrade(urls.database))
        demo.ensure_tenant(urls.database, self.state)
        api_url = self._start_processes(urls)
        tokens = demo.ensure_tokens(urls.database, api_url, self.state, self.supervisor.look_once)
        self._write_environment(urls, api_url, tokens)
        api = PublicApi(url=api_url, token=tokens.tenant, look=self.supervisor.look_once)
        try:
            self._load_sample(api)
            self._send_first_request(api, urls)
        finally:
            api.close()

    def _database(self) -> str:
        named = servers.named("SEATLINE_DATABASE_URL")
        if named:
            self.say(f"using the Postgres that SEATLINE_DATABASE_URL names: {probes.postgres_version(named)}")
            return named
        server = servers.private_postgres(self.place, self.state)
        self.say(f"starting Postgres {server.programs.origin}")
        self.supervisor.start_server(server)
        return server.url

    def _with_broker(self, urls: Urls) -> Urls:
        named = servers.named("SEATLINE_AMQP_URL")
        if named:
            self.say(f"using the RabbitMQ that SEATLINE_AMQP_URL names: {probes.rabbitmq_version(named)}")
            return Urls(database=urls.database, amqp=named, management=servers.named("SEATLINE_MANAGEMENT_URL"))
        server = servers.private_rabbitmq(self.place, self.state, install=self.wishes.install, say=self.say)
        if server is None:
            self.say(NO_BROKER)
            return urls
        self.say("starting RabbitMQ (about 6 seconds)")
        self.supervisor.start_server(server)
        return Urls(database=urls.database, amqp=server.url, management=server.management_url)

    def _start_processes(self, urls: Urls) -> str:
        port = self._api_port()
        api_url = f"http://{ports.HOST}:{port}"
        variables = {
            **os.environ,
            **urls.variables(),
            "SEATLINE_API_HOST": ports.HOST,
            "SEATLINE_API_PORT": str(port),
            "PYTHONPATH": str(ROOT),
        }
        variables.setdefault("SEATLINE_LOG_FORMAT", "text")
        self.say(f"starting the API and {self.wishes.workers} workers")
        self.supervisor.start_process(self._command("api", "api", variables))
        for number in range(1, self.wishes.workers + 1):
            self.supervisor.start_process(self._command(f"worker-{number}", "worker", variables))
        self._await_ready(api_url)
        return api_url

    def _api_port(self) -> int:
        if self.wishes.api_port is not None:
            if not ports.is_free(self.wishes.api_port):
                raise ServerError(f"port {self.wishes.api_port} is taken by another program")
            self.state.ports["api"] = self.wishes.api_port
        port = ports.remembered_port(self.state.ports, "api", wish=DEFAULT_API_PORT)
        self.state.save()
        return port

    def _command(self, name: str, word: str, variables: Mapping[str, str]) -> Command:
        return Command(
            name=name,
            argv=(sys.executable, "-P", "-m", "workers.cli", word),
            environment=variables,
            log=self.place.logs / f"{name}.log",
            folder=ROOT,
        )

    def _await_ready(self, api_url: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not probes.is_ready(api_url):
            self.supervisor.look_once()
            if time.monotonic() > deadline:
                raise ServerError(
                    f"the API is not ready after {READY_SECONDS:.0f} s:\n{log_end(self.place.logs / 'api.log')}"
                )
            time.sleep(GLANCE)

    def _write_environment(self, urls: Urls, api_url: str, tokens: Tokens) -> None:
        values = {
            "SEATLINE_URL": api_url,
            "SEATLINE_TOKEN": tokens.tenant,
            "SEATLINE_ADMIN_TOKEN": tokens.operator,
            **urls.variables(),
        }
        environment_file.write(self.place.environment, values)

    def _load_sample(self, api: PublicApi) -> None:
        if self.state.facts.get(demo.SAMPLE) == demo.MISSING:
            loading.load(api, say=self.say)
            self.state.note(demo.SAMPLE, demo.LOADED)

    def _send_first_request(self, api: PublicApi, urls: Urls) -> None:
        self.say("sending one request all the way through")
        first = first_request.send(
            api,
            last_sequence=lambda: probes.last_sequence(urls.database, demo.TENANT),
            look=self.supervisor.look_once,
        )
        first.write(self.place.ready)
