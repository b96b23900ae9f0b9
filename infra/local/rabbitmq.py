"""A private RabbitMQ node: every port on 127.0.0.1, a generated user, its own home, cookie and port mapper.

Its one rule: nothing of it is shared with a broker of the distribution, so both can run side by side.
"""

import hashlib
import os
import re
import shutil
import tempfile
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infra.local import probes
from infra.local.ports import HOST, remembered_port
from infra.local.processes import Command
from infra.local.server import ServerError
from infra.local.state import State, write_private

USER = "seatline"
# The name is also the data's: it must not change with the ports. Two nodes never meet, each has its own port mapper.
NODE = "seatline@localhost"
# The wrapper in /usr/sbin changes the user and the folders; the script behind it does neither.
SCRIPTS = ("usr/lib/rabbitmq/bin/rabbitmq-server", "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server")
PORT_MAPPERS = (
    "usr/lib/erlang/bin/epmd",
    "usr/lib*/erlang/erts-*/bin/epmd",
    "opt/homebrew/opt/erlang/lib/erlang/bin/epmd",
)
PLAIN = re.compile(r"[A-Za-z0-9_./+@,=-]+")
PLUGINS = "[rabbitmq_management].\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The two programs of a node: the broker's start script and Erlang's port mapper."""

    server: Path
    port_mapper: Path


def find() -> Programs | None:
    """The installed broker's programs; None when it is not installed."""
    server = _first(SCRIPTS) or _on_path("rabbitmq-server")
    port_mapper = _on_path("epmd") or _first(PORT_MAPPERS)
    if server is None or port_mapper is None or shutil.which("erl") is None:
        return None
    return Programs(server=server, port_mapper=port_mapper)


def _first(patterns: tuple[str, ...]) -> Path | None:
    return next((path for pattern in patterns for path in sorted(Path("/").glob(pattern), reverse=True)), None)


def _on_path(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found).resolve() if found else None


def _plain(folder: Path) -> Path:
    """The folder under a name without spaces: the broker hands its data directory to a shell, to ask for free space."""
    if PLAIN.fullmatch(str(folder)):
        return folder
    mark = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    link = Path(tempfile.gettempdir()) / f"seatline-{os.getuid()}" / mark
    link.parent.mkdir(mode=0o700, exist_ok=True)
    if link.parent.stat().st_uid != os.getuid():
        raise ServerError(f"{link.parent} belongs to somebody else")
    if not link.is_symlink():
        link.symlink_to(folder)
    return link


@dataclass(slots=True, kw_only=True)
class PrivateRabbitmq:
    """One node below `folder`; `state` remembers its ports and password."""

    folder: Path
    logs: Path
    state: State
    programs: Programs
    name: str = "rabbitmq"

    @property
    def url(self) -> str:
        """Where it speaks AMQP, with the password."""
        return f"amqp://{USER}:{self.state.secret('rabbitmq')}@{HOST}:{self.state.ports['amqp']}/%2F"

    @property
    def management_url(self) -> str:
        """Where its management API is, with the password."""
        return f"http://{USER}:{self.state.secret('rabbitmq')}@{HOST}:{self.state.ports['management']}"

    def prepare(self) -> tuple[Command, ...]:
        """Write the node's files and choose its ports; first the port mapper, then the broker."""
        for name in ("amqp", "management", "distribution", "epmd"):
            remembered_port(self.state.ports, name)
        self.state.save()
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = _plain(self.folder)
        home = folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        write_private(folder / "rabbitmq.conf", self._configuration())
        (folder / "plugins").write_text(PLUGINS, encoding="utf-8")
        (folder / "environment").touch()
        environment = self._environment(folder, home)
        mapper = Command(
            name="epmd",
            argv=(str(self.programs.port_mapper), "-address", HOST, "-port", str(self.state.ports["epmd"])),
            environment=environment,
            log=self.logs / "epmd.log",
            folder=home,
            patience=timedelta(seconds=2),
        )
        broker = Command(
            name=self.name,
            argv=(str(self.programs.server),),
            environment=environment,
            log=self.logs / f"{self.name}.log",
            folder=home,
            patience=timedelta(seconds=20),
        )
        return (mapper, broker)

    def recover(self) -> None:
        """Nothing: the node finds its data by itself."""

    def probe(self) -> None:
        """An AMQP handshake, then a request to the management API, which comes up last."""
        probes.rabbitmq_version(self.url)
        credentials = b64encode(f"{USER}:{self.state.secret('rabbitmq')}".encode()).decode()
        request = urllib.request.Request(  # our own loopback address
            f"http://{HOST}:{self.state.ports['management']}/api/overview",
            headers={"Authorization": f"Basic {credentials}"},
        )
        with urllib.request.urlopen(request, timeout=probes.BOUND_SECONDS):  # noqa: S310
            pass

    def settle(self) -> None:
        """Nothing: the service declares its own topology."""

    def _configuration(self) -> str:
        ports = self.state.ports
        return "\n".join(
            (
                f"listeners.tcp.1 = {HOST}:{ports['amqp']}",
                f"management.tcp.ip = {HOST}",
                f"management.tcp.port = {ports['management']}",
                f"default_user = {USER}",
                f"default_pass = {self.state.secret('rabbitmq')}",
                "default_user_tags.administrator = true",
                "disk_free_limit.absolute = 50MB",
                "vm_memory_high_watermark.absolute = 1GB",
                "log.console = true",
                "log.console.level = warning",
                "",
            )
        )

    def _environment(self, folder: Path, home: Path) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(self.state.ports["epmd"]),
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_DIST_PORT": str(self.state.ports["distribution"]),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            # The script then becomes the broker instead of waiting for it, so that signals reach it.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
            ),
        }
