"""Every SQL block is explained, is used, is given the binds it names, and is understood by the migrated schema."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from infra.postgres.database import plain_dsn
from infra.postgres.statements import Statement, load

POSTGRES = Path(__file__).resolve().parents[2] / "infra" / "postgres"
FILES = sorted(path.stem for path in (POSTGRES / "sql").glob("*.sql"))
MODULES = sorted(path for path in POSTGRES.rglob("*.py") if "migrations" not in path.parts)
BLOCK = re.compile(r"^-- name: (?P<name>\w+)\n(?P<comment>(?:--.*\n)*)", re.MULTILINE)
SENTENCE_END = re.compile(r"[.!?](?=\s+[A-Z]|$)")
MOST_SENTENCES = 3
RUNNING = {"fetch", "execute"}


@dataclass(frozen=True)
class Use:
    """One call that runs blocks of a file: their names, the binds it gives by name, and those it offers by `**`.

    What is offered may serve several calls; None where it is not written down in the same module.
    """

    place: str
    file: str
    names: tuple[str, ...]
    given: frozenset[str]
    offered: frozenset[str] | None


@pytest.mark.parametrize("file", FILES)
async def test_postgres_understands_every_block(file, database_url):
    connection = await asyncpg.connect(plain_dsn(database_url))
    try:
        for statement in load(file).values():
            prepared = await connection.prepare(statement.sql)
            assert len(prepared.get_parameters()) == len(statement.binds), statement.name
    finally:
        await connection.close()


@pytest.mark.parametrize("file", FILES)
def test_every_block_is_explained_in_a_few_sentences(file):
    text = (POSTGRES / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    explained = {match["name"]: match["comment"] for match in BLOCK.finditer(text)}
    assert explained.keys() == load(file).keys()
    for name, comment in explained.items():
        words = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
        assert words.endswith("."), name
        assert 1 <= len(SENTENCE_END.findall(words)) <= MOST_SENTENCES, f"{name}: {words}"


def test_every_block_is_run_by_somebody():
    run = {(use.file, name) for use in uses() for name in use.names}
    assert run == {(file, name) for file in FILES for name in load(file)}


def test_every_call_gives_the_binds_that_its_block_names():
    for use in uses():
        named = {name: set(load(use.file)[name].binds) for name in use.names}
        unasked = use.given - set().union(*named.values())
        assert not unasked, f"{use.place} gives {use.names} what none of them asks for: {unasked}"
        for name, binds in named.items():
            missing = set() if use.offered is None else binds - use.given - use.offered
            assert not missing, f"{use.place} does not give {name}: {missing}"


def test_a_bind_stands_where_its_name_is_and_nowhere_else():
    for file in FILES:
        for statement in load(file).values():
            assert len(set(statement.binds)) == len(statement.binds)
            assert _places(statement) == list(range(1, len(statement.binds) + 1)), statement.name


def _places(statement: Statement) -> list[int]:
    return sorted({int(place) for place in re.findall(r"\$(\d+)", statement.sql)})


def uses() -> list[Use]:
    """Every call of the package that runs a block."""
    return [use for module in MODULES for use in _uses_of(module)]


def _uses_of(module: Path) -> Iterator[Use]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    file = _loaded_file(tree)
    if file is None:
        return
    named = {node.slice.value for node in _blocks(tree) if isinstance(node.slice, ast.Constant)}
    dynamic = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in load(file).keys() - named
    }
    for function in _functions(tree):
        for call in _running_calls(function):
            block = _block_of(call.args[0], function)
            if block is not None:
                names = _names(block.slice, file, dynamic)
                given = frozenset(keyword.arg for keyword in call.keywords if keyword.arg is not None)
                yield Use(f"{module.name}:{call.lineno}", file, names, given, _offered(call, function, tree))


def _loaded_file(tree: ast.Module) -> str | None:
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id="_SQL")],
                value=ast.Call(func=ast.Name(id="load"), args=[ast.Constant(value=str() as file)]),
            ):
                return file
    return None


def _functions(tree: ast.Module) -> Iterator[ast.AsyncFunctionDef | ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef))


def _blocks(tree: ast.AST) -> Iterator[ast.Subscript]:
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id="_SQL")):
                yield node


def _running_calls(function: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Attribute(attr=attribute), args=[_]) if attribute in RUNNING:
                yield node


def _block_of(given: ast.expr, function: ast.AST) -> ast.Subscript | None:
    """The `_SQL[…]` that is given, by itself or by way of a name of the same function."""
    match given:
        case ast.Subscript(value=ast.Name(id="_SQL")):
            return given
        case ast.Name(id=name):
            for node in ast.walk(function):
                match node:
                    case ast.Assign(targets=[ast.Name(id=target)], value=ast.Subscript() as block) if target == name:
                        return block
    return None


def _names(index: ast.expr, file: str, dynamic: set[str]) -> tuple[str, ...]:
    """The blocks that an index may mean: a name, names to choose from, a pattern, or whatever else the module names."""
    match index:
        case ast.Constant(value=str() as name):
            return (name,)
        case ast.IfExp(body=ast.Constant(value=first), orelse=ast.Constant(value=second)):
            return (first, second)
        case ast.JoinedStr(values=parts):
            pattern = "".join(re.escape(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in parts)
            return tuple(name for name in load(file) if re.fullmatch(pattern, name))
    return tuple(sorted(dynamic))


def _offered(call: ast.Call, function: ast.AST, tree: ast.Module) -> frozenset[str] | None:
    written = [_written_down(keyword.value, function, tree) for keyword in call.keywords if keyword.arg is None]
    return None if None in written else frozenset().union(*(binds for binds in written if binds is not None))


def _written_down(value: ast.expr, function: ast.AST, tree: ast.Module) -> set[str] | None:
    match value:
        case ast.Dict(keys=keys, values=values):
            spread = [_written_down(one, function, tree) for key, one in zip(keys, values, strict=True) if key is None]
            named = {key.value for key in keys if isinstance(key, ast.Constant)}
            return None if None in spread else named.union(*(binds for binds in spread if binds is not None))
        case ast.Name(id=name):
            assigned = [
                node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign) and [getattr(t, "id", None) for t in node.targets] == [name]
            ]
            return _written_down(assigned[0], function, tree) if len(assigned) == 1 else None
        case ast.Call(func=ast.Name(id=name)):
            returned = [
                node.value
                for made in _functions(tree)
                if made.name == name
                for node in ast.walk(made)
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict)
            ]
            return _written_down(returned[0], function, tree) if len(returned) == 1 else None
    return None
