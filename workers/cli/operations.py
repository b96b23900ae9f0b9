"""`seatline operations …`: any one operation found, looked into, and taken back while it is queued."""

from collections.abc import Iterator

import click

from domain.outcomes import OperationStatus
from workers.cli.operator_api import Document, OperatorApi, as_json, operator_options, show
from workers.cli.suggesting import tenant_keys

_STATUSES = [status.value for status in OperationStatus]


@click.group()
def operations() -> None:
    """Find any operation, look into it, cancel a queued one."""


@operations.command("find")
@click.option("--id", "operation_id", metavar="ID", help="The one with this id.")
@click.option("--key", "idempotency_key", help="Those accepted under this Idempotency-Key.")
@click.option("--tenant", metavar="KEY", shell_complete=tenant_keys, help="Of this tenant.")
@click.option("--user", metavar="KEY", help="That name this user; needs --tenant.")
@click.option("--group", metavar="KEY", help="That name this group; needs --tenant.")
@click.option("--license", metavar="KEY", help="That name this licence; needs --tenant.")
@click.option("--status", multiple=True, type=click.Choice(_STATUSES), help="Any of these.")
@click.option("--kind", multiple=True, help="Any of these.")
@click.option("--since", metavar="INSTANT", help="Accepted at this instant (ISO 8601, UTC) or later.")
@click.option("--until", metavar="INSTANT", help="Accepted before this instant.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most.")
@as_json
@operator_options
def find(api: OperatorApi, operation_id: str | None, limit: int, *, as_json: bool, **asked: object) -> None:
    """List operations, newest first; exit code 1 where there are none."""
    found = api.pages("/v1/ops/operations", {"id": operation_id, **asked}, limit=limit)
    show(found, as_json=as_json, lines=_found(found))
    if not found["items"]:
        raise click.exceptions.Exit(1)


@operations.command("show")
@click.argument("operation_id", metavar="ID")
@click.option("--request", "with_request", is_flag=True, help="Its request too; that it was read is on record.")
@as_json
@operator_options
def show_one(api: OperatorApi, operation_id: str, *, with_request: bool, as_json: bool) -> None:
    """Tell everything of one operation."""
    found = api.get(f"/v1/ops/operations/{operation_id}")
    if with_request:
        found["request"] = api.get(f"/v1/ops/operations/{operation_id}/request")["request"]
    show(found, as_json=as_json, lines=told(found))


@operations.command("cancel")
@click.argument("operation_id", metavar="ID")
@as_json
@operator_options
def cancel(api: OperatorApi, operation_id: str, *, as_json: bool) -> None:
    """Take a queued operation back; exit code 1 where it is queued no longer."""
    ended = api.post(f"/v1/ops/operations/{operation_id}:cancel")
    show(ended, as_json=as_json, lines=_cancelled(ended))


def _cancelled(ended: Document) -> Iterator[str]:
    is_over = ended["status"] == OperationStatus.CANCELLED
    yield f"operation {ended['id']} " + (
        "is cancelled" if is_over else "will not be applied; no worker has ended it yet"
    )


def line_of(found: Document) -> str:
    """An operation in one line."""
    error = f"  {found['error']['code']}" if found["error"] else ""
    return f"{found['id']}  {found['accepted_at']}  {found['tenant']:<20} {found['kind']:<26} {found['status']}{error}"


def told(found: Document) -> Iterator[str]:
    """An operation in all its lines."""
    progress, items, events = found["progress"], found["items"], found["events"]
    yield f"{found['id']}  {found['kind']} of {found['tenant']}, {found['status']}"
    yield f"progress    {progress['done']} of {progress['total']}, attempts {found['attempts']}"
    for name in ("request_id", "idempotency_key", "superseded_by", "discard_reason", "fingerprint"):
        if found[name]:
            yield f"{name:<11} {found[name]}"
    if found["error"]:
        yield f"error       {found['error']['code']}: {found['error']['message']}"
    for moment in found["timeline"]:
        yield f"{moment['at']}  {moment['event']}"
    if found["response"]:
        yield f"answer      {found['response']['status']}"
    yield f"items       {items['succeeded']} succeeded, {items['refused']} refused"
    for one in items["outcomes"]:
        if one["outcome"] == "refused":
            yield f"    {one['position']}: {one['code']} {one.get('field', '')}"
    yield f"events      {events['written']} written, {events['published']} published"
    if found["request"] != "redacted":
        yield f"request     {found['request']}"


def _found(found: Document) -> Iterator[str]:
    yield from map(line_of, found["items"])
    if not found["items"]:
        yield "none found"
    if found["next_cursor"] is not None:
        yield f"more may follow; looked back to {found['scanned_until'] or 'here'}"
