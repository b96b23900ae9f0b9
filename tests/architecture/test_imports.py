"""The layers are what pyproject.toml says they are, and a breach of any contract is caught."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "workers", "infra", "domain")
# Of each contract: a file, and a line that breaks the contract when it is added there.
BREACHES = {
    "api | workers over infra over domain": ("infra/settings.py", "import workers.supervisor"),
    "domain is standard library only": ("domain/ids.py", "import structlog"),
    "drivers stay in infra": ("workers/supervisor.py", "import asyncpg"),
    "dialects do not know each other": ("api/dialects/account/shapes.py", "import api.dialects.user_groups.shapes"),
    "adapters do not know each other": ("infra/rabbitmq/topology.py", "import infra.postgres.faults"),
    "no cycles": ("domain/errors.py", "import domain.outcomes"),
}


def lint(folder):
    """What import-linter says of the packages in this folder."""
    command = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept():
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_contract_catches_its_breach(copy):
    for file, line in BREACHES.values():
        with (copy / file).open("a", encoding="utf-8") as module:
            module.write(f"\n{line}\n")
    result = lint(copy)
    broken = set(re.findall(r"^(.+) BROKEN", result.stdout, re.MULTILINE))
    assert broken == BREACHES.keys(), result.stdout + result.stderr


def test_every_contract_has_its_breach():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert {contract["name"] for contract in contracts["contracts"]} == BREACHES.keys()
