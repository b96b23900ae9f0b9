"""The committed lock: complete, hashed, and free of addresses."""

import re
import tomllib
from pathlib import Path

import pytest

from infra.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, flags=re.MULTILINE))


def names(requirements):
    return {re.match(r"[A-Za-z0-9-]+", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_lock_names_an_address(lock):
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-", text.replace("    --hash", ""), flags=re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_of_a_lock_has_a_hash(lock):
    packages = re.split(r"^(?=\S)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert packages
    assert all("==" in package and "--hash=sha256:" in package for package in packages)


def test_the_locks_hold_what_the_project_asks_for():
    runtime = names(PROJECT["project"]["dependencies"])
    local = names(PROJECT["project"]["optional-dependencies"]["local"])
    traces = names(PROJECT["project"]["optional-dependencies"]["traces"])
    dev = names(PROJECT["dependency-groups"]["dev"])
    assert runtime <= set(locked("runtime"))
    assert runtime | local <= set(locked("local"))
    assert runtime | traces <= set(locked("traces"))
    assert runtime | local | traces | dev <= set(locked("dev"))


def test_the_locks_agree_on_every_version():
    dev = locked("dev")
    for name in ("runtime", "local", "traces"):
        assert locked(name).items() <= dev.items()


def test_the_peers_run_on_the_same_versions_of_what_both_use():
    assert names(PROJECT["dependency-groups"]["peers"]) <= set(locked("peers"))
    dev = locked("dev")
    assert {name: version for name, version in locked("peers").items() if version != dev.get(name, version)} == {}


def test_what_draws_pictures_is_in_no_other_lock():
    assert names(PROJECT["dependency-groups"]["plots"]) <= set(locked("plots"))
    for name in ("runtime", "traces", "local", "dev"):
        assert not names(PROJECT["dependency-groups"]["plots"]) & set(locked(name))


@pytest.mark.parametrize("name", ["runtime", "traces"])
def test_the_image_holds_no_development_package(name):
    assert not names(PROJECT["dependency-groups"]["dev"]) & set(locked(name))


def test_the_code_knows_its_version():
    assert PROJECT["project"]["version"] == VERSION
