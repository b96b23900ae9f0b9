"""The documents are held against what they describe: settings, commands, files, tests, error codes, libraries."""

import html
import re
import tomllib
from pathlib import Path

import click
import pytest

from domain.errors import ErrorCode
from infra.settings import PREFIX, Settings
from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks import pictures, report
from tests.chaos import __main__ as chaos
from workers.cli.check import markdown_table
from workers.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
ADRS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
GLOSSARY = ROOT / "docs" / "glossary.md"
DOCUMENTS = sorted(
    [path for path in ROOT.glob("*.md") if path.name != "CHANGELOG.md"] + list((ROOT / "docs").rglob("*.md"))
)
MOST_LINES = 60
FURTHER_VARIABLES = {
    # What scripts find in .dev/env, what ./dev itself reads, and what a test run hands to its tests.
    f"{PREFIX}{name}"
    for name in ("URL", "TOKEN", "ADMIN_TOKEN", "PYTHON", "TEST_SEED", "TEST_EXAMPLES", "TEST_DATABASE_URL",
                 "TEST_AMQP_URL", "TEST_MANAGEMENT_URL", "TEST_BROWSER")
}  # fmt: skip
MADE_WHILE_RUNNING = (".venv/", ".dev/", ".env")

by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def test_the_readme_holds_the_table_of_the_settings():
    _, _, rest = README.read_text(encoding="utf-8").partition("<!-- settings -->\n")
    table, found, _ = rest.partition("\n<!-- end -->")
    assert found
    assert table == markdown_table()


@by_name
def test_every_command_that_is_named_exists(document):
    for line in re.findall(r"(?:\./dev|\bseatline) ((?:-{0,2}[a-z][a-z-]* ?)+)", code_of(document)):
        assert_is_command(line.split())


@by_name
def test_every_variable_that_is_named_exists(document):
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | FURTHER_VARIABLES
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", document.read_text(encoding="utf-8"))) <= known


@by_name
def test_every_file_that_is_named_exists(document):
    text = document.read_text(encoding="utf-8")
    linked = {document.parent / target for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)}
    spelled = {ROOT / path for path in re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.\w+|[\w.-]+\.(?:md|yml|toml))`", text)}
    folders = {ROOT / path for path in re.findall(r"`((?:api|workers|domain|infra|tests|docs|deploy)/[\w./-]*)`", text)}
    missing = {path for path in linked | spelled | folders if not path.exists()}
    assert {path for path in missing if not str(path.relative_to(ROOT)).startswith(MADE_WHILE_RUNNING)} == set()


@by_name
def test_every_anchor_that_is_linked_exists(document):
    text = document.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)]+)\)", text):
        page = document.parent / target if target else document
        headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("decision", ADRS, ids=lambda path: path.name)
def test_a_decision_is_short_and_says_what_holds_it(decision):
    text = decision.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    for part in ("## Context", "## Decision", "## Consequences"):
        assert part in text
    held_by = text.partition("Held by:")[2]
    named = re.findall(r"`([^`]+)`", held_by)
    assert named
    for place in named:
        path, _, test = place.partition("::")
        assert (ROOT / path).exists(), place
        assert not test or re.search(rf"def {test}\b", (ROOT / path).read_text(encoding="utf-8")), place


def test_the_index_names_every_decision_by_its_title():
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \[\d{4}\]\(([^)]+)\) \| (.+) \|$", index, flags=re.MULTILINE))
    titles = {path.name: path.read_text(encoding="utf-8").split("\n", 1)[0] for path in ADRS}
    del titles["0000-template.md"]
    assert {name: f"# {name[:4]} {title}" for name, title in rows.items()} == titles


def test_every_library_has_a_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["local"]
    names = {re.match(r"[\w-]+", requirement)[0] for requirement in asked + project["dependency-groups"]["dev"]}
    text = next(path for path in ADRS if path.name.startswith("0007")).read_text(encoding="utf-8").lower()
    assert {name for name in names if not name.startswith("types-") and name.lower() not in text} == set()


def test_a_term_of_the_glossary_stands_once():
    terms = re.findall(r"^\| ([^|]+?) \|", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE)
    terms = [term for term in terms if term != "term" and not term.startswith("---")]
    assert sorted(terms) == sorted(set(terms))
    assert terms


def test_every_name_in_the_glossary_is_found_in_the_sources():
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("api", "workers", "domain", "infra")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in {".py", ".sql"}
    )
    for row in re.findall(r"^\| .+? \| .+? \| (.+?) \|", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE):
        if not row.startswith("later"):
            for name in re.findall(r"`([\w.]+)`", row):
                assert all(re.search(rf"\b{part}\b", sources) for part in name.split(".")), name


def test_every_error_code_is_described():
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert {code.value for code in ErrorCode if not re.search(rf"`?\b{code.value}\b`?", text)} == set()


def test_the_benchmarks_page_has_a_section_for_every_figure():
    text = report.PAGE.read_text(encoding="utf-8")
    for section in ("figures", *benchmarks.FURTHER):
        assert text.count(f"<!-- {section}: written by the benchmark -->") == 1


def test_the_benchmarks_page_shows_a_picture_of_every_table():
    text = report.PAGE.read_text(encoding="utf-8")
    drawn = [section for section, _ in pictures.pictures(text)]
    assert drawn == [section for section in drawn if pictures.link(section) in text]
    assert {path.stem for path in pictures.FOLDER.iterdir()} == set(drawn)


@pytest.mark.parametrize("picture", sorted(pictures.FOLDER.iterdir()), ids=lambda path: path.name)
def test_a_picture_of_figures_shows_those_of_the_page(picture):
    text = picture.read_text(encoding="utf-8")
    [panels] = [
        found for section, found in pictures.pictures(report.PAGE.read_text("utf-8")) if section == picture.stem
    ]
    names = {html.escape(bar.name, quote=False) for panel in panels for bar in panel.bars}
    assert {name for name in names if f">{name}</text>" not in text} == set()
    assert not re.search(r"\b20\d\d-\d\d-\d\d", text)


def test_the_reliability_page_has_a_row_for_every_fault():
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    described, _, _ = text.partition("## What it has found")
    assert {name for name in chaos.FAULTS if f"`{name}`" not in described} == set()


def code_of(document):
    """What stands in code: indented, fenced or between backticks."""
    text = document.read_text(encoding="utf-8")
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^ {4}(.+)$", text, flags=re.MULTILINE)
    return "\n".join([*fenced, *indented, *re.findall(r"`([^`\n]+)`", text)])


def assert_is_command(words):
    """The words lead to a command, and every option among them is one of its."""
    command, context = cli, click.Context(cli)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        command = command.get_command(context, name)
        assert command is not None, name
    command = {"bench": benchmarks.main, "chaos": chaos.main}.get(command.name, command)
    if command.name != "test":  # whose arguments are pytest's
        options = {name for parameter in command.get_params(context) for name in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options
