"""The locked packages, and the licence that each declares, as an SPDX expression.

One rule: what a package does not declare in a form that is known here is an error and not a guess.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from infra.local.place import ROOT

LOCKS = ("runtime", "local", "dev")
_PACKAGE = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?P<rest>(?:.*\\\n)*.*)$", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# How packages without a License-Expression (PEP 639) put it, by `License` or by their classifier.
_SPELLED = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "MIT License OR Apache Software License": "MIT OR Apache-2.0",
    "Apache Software License OR MIT License": "Apache-2.0 OR MIT",
}
_SPDX = re.compile(r"[A-Za-z0-9.+-]+(?:-[A-Za-z0-9.+-]+)*(?: (?:AND|OR) [A-Za-z0-9.+-]+)*")
# Those that declare nothing, by their own licence file; and what other systems than this one install.
_READ_BY_HAND = {"axe-playwright-python": "MIT", "colorama": "BSD-3-Clause", "promql-parser": "Apache-2.0"}


class UnknownLicenceError(Exception):
    """A package declares its licence in no way that is known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A package of a lock: name, version, and the SHA-256 of every file that may be installed."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def licence(self) -> str:
        """Its SPDX expression.

        Raises:
            UnknownLicenceError: the package says nothing that is known here, or is not installed.
        """
        if self.name in _READ_BY_HAND:
            return _READ_BY_HAND[self.name]
        try:
            told = metadata(self.name)
        except PackageNotFoundError:
            raise UnknownLicenceError(f"{self.name} is not installed") from None
        for text in (*(told.get_all("License-Expression") or ()), *(told.get_all("License") or ())):
            if text in _SPELLED or (_SPDX.fullmatch(text) and "License" not in text):
                return str(_SPELLED.get(text, text))
        kinds = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or () if line.startswith("License")]
        if " OR ".join(kinds) in _SPELLED:
            return _SPELLED[" OR ".join(kinds)]
        raise UnknownLicenceError(f"{self.name} declares {kinds or 'nothing'}")


def locked(lock: str, folder: Path = ROOT / "requirements") -> Iterator[Locked]:
    """The packages of `requirements/<lock>.txt`, in its order."""
    text = (folder / f"{lock}.txt").read_text(encoding="utf-8")
    for found in _PACKAGE.finditer(text):
        yield Locked(name=found["name"], version=found["version"], hashes=tuple(_HASH.findall(found["rest"])))
