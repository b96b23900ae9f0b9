"""The domain runs with nothing installed: it imports itself and the standard library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "domain").rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_domain_module_imports_only_the_domain_and_the_standard_library(module):
    imported = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                imported |= {alias.name for alias in names}
            case ast.ImportFrom(level=0, module=str() as name):
                imported.add(name)
            case ast.ImportFrom():
                imported.add("a relative import")
    foreign = {name for name in imported if name.partition(".")[0] not in {"domain", *sys.stdlib_module_names}}
    assert foreign == set()


def test_the_domain_can_be_imported_without_any_installed_package():
    names = ", ".join(f"domain.{module.stem}" for module in MODULES if module.stem != "__init__")
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {names}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_the_domain_does_no_input_and_no_output():
    doing = {"asyncio", "io", "logging", "os", "pathlib", "select", "socket", "sqlite3", "subprocess", "threading"}
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {getattr(node, "module", None) or ""} | {alias.name for alias in node.names}
                assert {name.partition(".")[0] for name in names}.isdisjoint(doing), module.name
            assert not (isinstance(node, ast.Name) and node.id in {"open", "print", "input"}), module.name
