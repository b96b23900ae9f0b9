"""What `up` remembers between two runs, ports, passwords and how far it got, in one private file."""

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True, kw_only=True)
class State:
    """Remembered values of one set of servers; `save` after changing them."""

    path: Path
    ports: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "State":
        """The state in a file; an empty one where there is none."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                path=path,
                ports=dict(values["ports"]),
                secrets=dict(values["secrets"]),
                facts=dict(values["facts"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path=path)

    def secret(self, name: str) -> str:
        """The generated password of that name, made on first use."""
        if name not in self.secrets:
            self.secrets[name] = secrets.token_hex(16)
            self.save()
        return self.secrets[name]

    def note(self, name: str, fact: str) -> None:
        """Remember a fact."""
        self.facts[name] = fact
        self.save()

    def save(self) -> None:
        """Write the file in one step, readable by nobody else."""
        text = json.dumps({"ports": self.ports, "secrets": self.secrets, "facts": self.facts}, indent=2)
        write_private(self.path, text)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step by one with mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
