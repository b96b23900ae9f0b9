"""The locked packages: their licences are allowed, and the bill of materials names them all."""

import json
import re

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from infra.local.locked import LOCKS, Locked, UnknownLicenceError, locked
from workers.cli.sbom import document

# What runs in production: permissive, and MPL-2.0, whose duties end at the file's edge.
IN_PRODUCTION = {"MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "PSF-2.0", "MPL-2.0"}
ALLOWED = {"runtime": IN_PRODUCTION, "local": IN_PRODUCTION, "dev": IN_PRODUCTION}


def licences(package):
    return set(re.split(r" (?:AND|OR) ", package.licence))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_licence_that_is_allowed(lock):
    packages = list(locked(lock))
    assert len(packages) > 40
    assert {package.name: package.licence for package in packages if not licences(package) <= ALLOWED[lock]} == {}


def test_a_licence_that_nobody_knows_is_no_licence():
    with pytest.raises(UnknownLicenceError, match="not installed"):
        _ = Locked(name="no-such-package", version="1", hashes=()).licence


@pytest.mark.parametrize("lock", LOCKS)
def test_the_bill_of_materials_names_the_lock_and_is_valid(lock):
    text = document(lock)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    told = {(one["name"], one["version"], len(one["hashes"])) for one in json.loads(text)["components"]}
    assert told == {(one.name, one.version, len(one.hashes)) for one in locked(lock)}
    assert all(one["purl"].startswith("pkg:pypi/") and one["licenses"] for one in json.loads(text)["components"])
    assert document(lock) == text
