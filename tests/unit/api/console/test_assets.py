"""The console's files are what they are said to be, and none asks for anything from elsewhere."""

import gzip
import hashlib
import json
import re
import tomllib
from pathlib import Path

import pytest

from api.console.assets import FOLDER, asset_url, assets
from api.console.rendering import FOLDER as TEMPLATES

VENDOR = FOLDER / "vendor"
PACKAGES = json.loads((VENDOR / "VENDORED.json").read_text(encoding="utf-8"))["packages"]
TEXTS = sorted([*TEMPLATES.glob("*.html"), *FOLDER.glob("*.css"), *FOLDER.glob("*.js")])


def test_every_file_that_is_carried_is_the_one_that_was_published():
    named = {name: file["sha256"] for package in PACKAGES for name, file in package["files"].items()}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    del found["VENDORED.json"]
    assert found == named


def test_every_package_has_its_version_and_its_licence():
    for package in PACKAGES:
        assert package["source"] == f"npm pack {package['name']}@{package['version']}"
        text = (VENDOR / package["license_file"]).read_text(encoding="utf-8")
        assert {"0BSD": "Zero-Clause BSD", "MIT": "MIT License"}[package["license"]] in text


def test_the_libraries_say_the_version_that_is_noted():
    (htmx,) = [package for package in PACKAGES if package["name"] == "htmx.org"]
    assert f'"{htmx["version"]}"' in (VENDOR / "htmx.min.js").read_text(encoding="utf-8").replace("'", '"')


def test_an_address_changes_with_its_content():
    for name, asset in assets().items():
        digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
        assert asset.path.split("/")[3] == digest[:16]
        assert gzip.decompress(asset.packed) == asset.content
        assert asset_url(name) == asset.path


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_file_of_ours_breaks_the_policy(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"https?://(?!www\.w3\.org/)[\w.]+", text) == []
    if path.suffix == ".html":
        assert re.findall(r"<script(?![^>]*\bsrc=)|\sstyle=|<style|\son\w+=|javascript:|hx-on|\bjs:", text) == []
        assert "| safe" not in text
        assert "autoescape" not in text
    else:
        assert re.findall(r"\beval\(|new Function|innerHTML|@import|url\(", text) == []


def test_an_installed_package_has_every_file():
    project = tomllib.loads((Path(__file__).resolve().parents[4] / "pyproject.toml").read_text(encoding="utf-8"))
    (patterns,) = project["tool"]["setuptools"]["package-data"].values()
    files = [path for path in FOLDER.parent.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}]
    assert [path.name for path in files if not any(path.match(pattern) for pattern in patterns)] == []
