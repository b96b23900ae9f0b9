"""Where `up` and `test` keep what they make: everything below `.dev/` of the clone, which git ignores."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The files of one set of servers below `folder`."""

    folder: Path

    @property
    def lock(self) -> Path:
        """Held by whoever supervises, for as long as it lives."""
        return self.folder / "up.lock"

    @property
    def state(self) -> Path:
        """Ports and passwords, kept from one `up` to the next."""
        return self.folder / "state.json"

    @property
    def environment(self) -> Path:
        """Lines KEY='value' for scripts, there while everything is up."""
        return self.folder / "env"

    @property
    def ready(self) -> Path:
        """Written when a request has gone all the way through, removed when the servers stop."""
        return self.folder / "ready.json"

    @property
    def records(self) -> Path:
        """One file for each running process."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        """One file for each process."""
        return self.folder / "log"

    @property
    def postgres(self) -> Path:
        """The private Postgres (a link, where its account cannot reach the clone)."""
        return self.folder / "postgres"

    @property
    def rabbitmq(self) -> Path:
        """The private RabbitMQ node."""
        return self.folder / "rabbitmq"


def of_clone() -> Place:
    """The place of `up` in this clone."""
    return Place(folder=ROOT / ".dev")
