"""Files and functions stay readable: none over the limits, most far below them, and every module says what it is."""

import ast
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for package in ("api", "workers", "domain", "infra") for path in (ROOT / package).rglob("*.py"))
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
by_module = pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))


def functions(module):
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


@by_module
def test_a_file_can_be_read_in_one_sitting(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= MOST_LINES_OF_A_FILE


@by_module
def test_a_function_fits_on_a_screen(module):
    if "migrations" in module.parts:  # a migration is a list
        return
    assert [name for name, lines in functions(module) if lines > MOST_LINES_OF_A_FUNCTION] == []


@by_module
def test_a_module_begins_with_its_role(module):
    text = module.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))


def test_the_usual_function_is_short():
    lines = [lines for module in MODULES if "migrations" not in module.parts for _, lines in functions(module)]
    assert median(lines) <= 12
    assert quantiles(lines, n=10)[-1] <= 30
