"""`seatline dead-letters …`: what failed, listed, looked into, redriven and discarded.

One rule: what is meant by a filter is counted and confirmed first, and done only if that many still match.
"""

from collections.abc import Callable, Iterator
from typing import Any

import click

from workers.cli.operations import line_of, told
from workers.cli.operator_api import Document, OperatorApi, as_json, operator_options, show
from workers.cli.suggesting import tenant_keys


def matching_options(command: Callable[..., None]) -> Callable[..., None]:
    """The filter of dead letters."""
    options = (
        click.option("--tenant", metavar="KEY", shell_complete=tenant_keys, help="Of this tenant."),
        click.option("--fingerprint", help="With this error, as `list --by-error` shows it."),
        click.option("--code", help="Whose error has this code."),
        click.option("--kind", help="Of this kind."),
        click.option("--since", metavar="INSTANT", help="That failed at this instant (ISO 8601, UTC) or later."),
        click.option("--until", metavar="INSTANT", help="That failed before this instant."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def dealing_options(command: Callable[..., None]) -> Callable[..., None]:
    """Which dead letters are dealt with, and whether to ask first."""
    options = (
        click.argument("operation_ids", metavar="[ID]…", nargs=-1),
        click.option("--all", "everything", is_flag=True, help="Every dead letter there is."),
        matching_options,
        click.option("--dry-run", is_flag=True, help="Only count how many match."),
        click.option("--yes", is_flag=True, help="Do not ask."),
        as_json,
        operator_options,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group("dead-letters")
def dead_letters() -> None:
    """List, redrive and discard what failed."""


@dead_letters.command("list")
@click.option("--by-error", is_flag=True, help="Count them by what failed alike.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most.")
@matching_options
@as_json
@operator_options
def list_dead_letters(api: OperatorApi, limit: int, *, by_error: bool, as_json: bool, **matching: str | None) -> None:
    """List dead letters, newest first, or the errors that they have in common."""
    if by_error:
        further = [f"--{name}" for name, value in matching.items() if value is not None and name != "tenant"]
        if further:
            raise click.UsageError(f"--by-error takes --tenant, not {', '.join(further)}")
        found = api.pages("/v1/ops/dead-letters/groups", {"tenant": matching["tenant"]}, limit=limit)
        show(found, as_json=as_json, lines=_errors(found))
        return
    found = api.pages("/v1/ops/dead-letters", matching, limit=limit)
    show(found, as_json=as_json, lines=_listed(found))


@dead_letters.command("show")
@click.argument("operation_id", metavar="ID")
@as_json
@operator_options
def show_dead_letter(api: OperatorApi, operation_id: str, *, as_json: bool) -> None:
    """Tell everything of one dead letter; exit code 1 where it is none."""
    found = api.get(f"/v1/ops/operations/{operation_id}")
    if found["status"] != "failed" or found["discarded_at"] is not None:
        raise click.ClickException(f"operation {operation_id} is no dead letter: {found['status']}")
    show(found, as_json=as_json, lines=told(found))


@dead_letters.command("redrive")
@dealing_options
def redrive(api: OperatorApi, **asked: Any) -> None:
    """Queue dead letters again: these, those that match, or all; exit code 1 where none matches."""
    _deal(api, "redrive", "redriven", {}, **asked)


@dead_letters.command("discard")
@click.option("--reason", required=True, help="Why they are given up.")
@dealing_options
def discard(api: OperatorApi, reason: str, **asked: Any) -> None:
    """Give dead letters up: these, those that match, or all; exit code 1 where none matches."""
    _deal(api, "discard", "discarded", {"reason": reason}, **asked)


def _deal(
    api: OperatorApi,
    action: str,
    word: str,
    body: Document,
    *,
    operation_ids: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **matching: str | None,
) -> None:
    body = {**body, **_meant(operation_ids, everything=everything, matching=matching)}
    path = f"/v1/ops/dead-letters:{action}"
    matched = api.post(f"{path}?dry_run=true", body)["matched"]
    if dry_run or not matched:
        show({"matched": matched}, as_json=as_json, lines=iter([f"{matched} dead letters match"]))
        raise click.exceptions.Exit(0 if matched else 1)
    if "filter" in body and not yes:
        click.confirm(f"{action} {matched} dead letters?", abort=True, err=True)
    done = api.post(path, {**body, "expected": matched})
    if word not in done:
        done = _followed(api, done, word, quiet=as_json)
    show(done, as_json=as_json, lines=iter([f"{done[word]} of {done['matched']} {word}"]))


def _meant(ids: tuple[str, ...], *, everything: bool, matching: dict[str, str | None]) -> Document:
    named = {name: value for name, value in matching.items() if value is not None}
    ways = [bool(ids), bool(named), everything]
    if sum(ways) != 1:
        raise click.UsageError("say which: ids, or a filter such as --fingerprint, or --all")
    return {"ids": list(ids)} if ids else {"filter": named}


def _followed(api: OperatorApi, begun: Document, word: str, *, quiet: bool) -> Document:
    """Wait for the operations that do it, and add up what they did."""

    def look(done: int, total: int) -> None:
        if not quiet:
            click.echo(f"\r{done:,} of {total:,} {word}", nl=False, err=True)

    ended = api.follow(begun["operations"], look)
    if not quiet:
        click.echo(err=True)
    failed = [one["id"] for one in ended if one["status"] != "succeeded"]
    if failed:
        raise click.ClickException(f"operation {failed[0]} did not succeed: `seatline operations show {failed[0]}`")
    return {**begun, word: sum(one["progress"]["done"] for one in ended)}


def _errors(found: Document) -> Iterator[str]:
    for error in found["items"]:
        yield f"{error['count']:>8,}  {error['fingerprint']}  {error['code']}  {error['kind']}"
        yield f"          {error['message']}"
        yield f"          first {error['first_seen']}, last {error['last_seen']}{_sample(error)}"
    yield f"{found['total']:,} dead letters"


def _sample(error: Document) -> str:
    sample = error["sample"]
    return "" if sample is None else f", such as {sample['operation_id']} of {sample['tenant']}"


def _listed(found: Document) -> Iterator[str]:
    for one in found["items"]:
        yield f"{line_of(one)}  {one['fingerprint']}"
    if not found["items"]:
        yield "no dead letters"
    if found["next_cursor"] is not None:
        yield "more may follow"
