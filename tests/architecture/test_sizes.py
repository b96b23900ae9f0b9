"""Files and functions stay readable: none over the limits, most far below them, and every module says what it is."""

import ast
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for package in ("api", "workers", "domain", "infra") for path in (ROOT / package).rglob("*.py"))
# A migration is a list, however long.
FUNCTIONAL = [path for path in MODULES if "migrations" not in path.parts]
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60


def functions(module):
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{module.relative_to(ROOT)}:{node.name}", node.end_lineno - node.lineno + 1


def test_a_file_can_be_read_in_one_sitting():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE} == {}


def test_a_function_fits_on_a_screen():
    lengths = dict(function for module in FUNCTIONAL for function in functions(module))
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


def test_a_module_begins_with_its_role():
    texts = {path: path.read_text(encoding="utf-8") for path in MODULES}
    assert [path for path, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))] == []


def test_the_usual_function_is_short():
    lines = [lines for module in FUNCTIONAL for _, lines in functions(module)]
    assert median(lines) <= 12
    assert quantiles(lines, n=10)[-1] <= 30
