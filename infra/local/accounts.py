"""Finds who may run a Postgres server when we are root, and where that account can reach its files.

Its one rule: nothing of the person's own folders is opened up. A clone that lies behind a private folder (/root is
0700) gets its data directory under /var/lib/seatline instead, with a link to it from `.dev/`.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

CANDIDATES = ("postgres", "nobody", "daemon")
OUTSIDE = Path("/var/lib/seatline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int


class NoAccountError(Exception):
    """We are root and the machine has no account to run Postgres as."""


def unprivileged() -> Account | None:
    """Who runs Postgres: None when we are not root and run it ourselves.

    Raises:
        NoAccountError: none of the candidates exists.
    """
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise NoAccountError(f"Postgres refuses to run as root, and there is no account {', '.join(CANDIDATES)}")


def own_directory(path: Path, account: Account | None) -> Path:
    """Make `path` a directory that only `account` can use, and return where it really is.

    Idempotent: a second call with the same path returns the same place.
    """
    if account is None:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path
    if path.is_symlink():
        place = path.resolve()
    elif reachable(path.parent, account):
        place = path
    else:
        # Random, not derived from the path: a later clone at the same place must not find old data.
        place = OUTSIDE / secrets.token_hex(8)
        _make_outside()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(place)
    place.mkdir(parents=True, exist_ok=True)
    os.chown(place, account.uid, account.gid)
    place.chmod(0o700)
    return place


def remove_directory(path: Path) -> None:
    """Remove what `own_directory` made, wherever it is; an absent one is no error."""
    place = path.resolve()
    shutil.rmtree(place, ignore_errors=True)
    if path.is_symlink():
        path.unlink()


def reachable_copy(trees: tuple[Path, ...], account: Account | None) -> Path | None:
    """A copy of program folders that `account` can reach: None when it can reach them where they are.

    Siblings stay siblings, because programs find their libraries by relative paths.
    """
    if account is None or reachable(trees[0], account):
        return None
    mark = _fingerprint(trees)
    place = OUTSIDE / f"programs-{mark}"
    if not place.exists():
        _make_outside()
        fresh = OUTSIDE / f".{mark}.{os.getpid()}"
        for tree in trees:
            shutil.copytree(tree, fresh / tree.name, symlinks=True)
        fresh.chmod(0o755)
        try:
            fresh.rename(place)
        except OSError:  # another start was quicker
            shutil.rmtree(fresh)
    return place


def _fingerprint(trees: tuple[Path, ...]) -> str:
    """The same for the same release, however often and wherever it was unpacked."""
    files = (
        f"{path.relative_to(tree.parent)} {path.stat().st_size}"
        for tree in trees
        for path in sorted(tree.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    )
    return hashlib.sha256("\n".join(files).encode()).hexdigest()[:16]


def reachable(path: Path, account: Account) -> bool:
    """Whether the account may pass through every folder down to `path` (which need not exist yet)."""
    real = path.resolve()
    return all(_may_pass(folder, account) for folder in (real, *real.parents) if folder.is_dir())


def _may_pass(folder: Path, account: Account) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _make_outside() -> None:
    OUTSIDE.mkdir(parents=True, exist_ok=True)
    OUTSIDE.chmod(0o755)
