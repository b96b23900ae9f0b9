"""Between the native API's words and the domain's for licences: bodies to commands, outcomes to answers. Pure.

One rule: as in translate.py, an answer is made of the stored operation alone.
"""

from collections.abc import Mapping
from typing import Any

from api.errors.families import NATIVE
from api.http.operation import Rendered, Renderer
from api.native.license_schemas import LicenseFields, SeatItem
from api.native.rendering import (
    CREATED,
    OK,
    Item,
    Outcome,
    outcomes_of,
    refused,
    refused_item,
    refused_upsert,
    sent_texts,
    stored_item,
)
from domain.errors import JSON, ErrorCode
from domain.license_commands import LicenseKind, LicensePut, SeatChange, SeatOp
from infra.postgres.operations import OperationView

_LICENSE_FIELDS = (
    "id",
    "key",
    "name",
    "kind",
    "code",
    "program_key",
    "program_name",
    "capacity",
    "used",
    "reserved",
    "waiting",
    "active",
    "starts_at",
    "expires_at",
)


def license_put(key: str, fields: LicenseFields) -> LicensePut:
    """The licence as the caller wants it to be."""
    return LicensePut(
        key=key,
        name=fields.name,
        kind=LicenseKind(fields.kind),
        capacity=fields.capacity,
        code=fields.code,
        program_key=fields.program_key,
        program_name=fields.program_name,
        starts_at=fields.starts_at,
        expires_at=fields.expires_at,
        active=fields.active,
    )


def seat_change(item: SeatItem) -> SeatChange:
    """One change of one person's direct assignment."""
    return SeatChange(op=SeatOp(item.op), license=item.license, user=item.user, email=item.email)


def sent_person(raw: Any) -> dict[str, str]:
    """The licence and the person of a malformed item, as far as they can be read."""
    return sent_texts(raw, ("license", "user", "email"))


def shown_license(license_of: Mapping[str, JSON]) -> dict[str, JSON]:
    """The licence as this API shows it, out of a document that holds more."""
    return {name: license_of[name] for name in _LICENSE_FIELDS}


def render_license(view: OperationView) -> Rendered:
    """The answer of PUT /v1/licenses/{key}."""
    (outcome,) = outcomes_of(view)
    if outcome["outcome"] == "refused":
        return refused(view, outcome)
    return Rendered(CREATED if outcome["created"] else OK, shown_license(outcome["license"]))


def render_licenses(view: OperationView) -> Rendered:
    """The answer of a batch of licences: `{key, id, status}` or `{key, status, error}` per item."""
    pairs = zip(view.request["items"], outcomes_of(view), strict=True)
    return Rendered(OK, {"items": [_license_item(view, item, outcome) for item, outcome in pairs]})


def render_seats(view: OperationView) -> Rendered:
    """The answer of a batch of direct assignments; a dry run adds what the items ask of each licence."""
    pairs = list(zip(view.request["items"], outcomes_of(view), strict=True))
    body: dict[str, JSON] = {"items": [_seat_item(view, item, outcome) for item, outcome in pairs]}
    if view.dry_run:
        body["demand"] = _demand(pairs)
    return Rendered(OK, body)


def render_reprocessed(view: OperationView) -> Rendered:
    """The answer of POST /v1/groups/{key}:reprocess."""
    (outcome,) = outcomes_of(view)
    if outcome["outcome"] == "refused":
        return refused(view, outcome)
    return Rendered(OK, {name: outcome[name] for name in ("group", "user_count", "given", "taken")})


def _license_item(view: OperationView, item: Item, outcome: Outcome) -> dict[str, JSON]:
    if outcome["outcome"] == "refused":
        return refused_upsert(view, item, outcome)
    return stored_item(view, item, number=outcome["license"]["id"], created=outcome["created"])


def _seat_item(view: OperationView, item: Item, outcome: Outcome) -> dict[str, JSON]:
    named = _sent(item)
    names: dict[str, JSON] = {"license": named.get("license"), "user": named.get("user")}
    if named.get("email") is not None:
        names["email"] = named["email"]
    if outcome["outcome"] == "refused":
        return {**names, **refused_item(view, outcome, NATIVE, with_facts=True)}
    created = outcome.get("created", False)
    result = {**names, "status": CREATED if created else OK}
    if "seat" in outcome:
        result["body"] = _seat(outcome["seat"], exists=not (view.dry_run and created))
    return result


def _sent(item: Item) -> Mapping[str, JSON]:
    """The names of an item as it was read, or as far as a malformed one could be."""
    sent = item.get("sent") if "invalid" in item else item
    return sent if isinstance(sent, dict) else {}


def _seat(seat: Mapping[str, Any], *, exists: bool) -> dict[str, JSON]:
    """The assignment; what a dry run would create has no id."""
    user = seat["user"]
    shown: dict[str, JSON] = {
        "id": seat["id"] if exists else None,
        "license": _both_names(seat["license"]),
        "user": None if user is None else _both_names(user),
        "state": seat["state"],
        "direct": seat["direct"],
        "groups": [_both_names(group) for group in seat["groups"]],
    }
    if user is None:
        shown["email"] = seat["email"]
    if seat.get("position") is not None:
        shown["position"] = seat["position"]
    return shown


def _both_names(thing: Mapping[str, Any]) -> dict[str, JSON]:
    return {"id": thing["id"], "key": thing["key"]}


def _demand(pairs: list[tuple[Item, Outcome]]) -> dict[str, JSON]:
    """By licence: the new seats that were asked for, those free before the first of them, and who would wait."""
    demand: dict[str, dict[str, Any]] = {}
    for item, outcome in pairs:
        if _asks(outcome):
            first = {"requested": 0, "available": _available(outcome), "would_wait": 0}
            of_license = demand.setdefault(str(_sent(item)["license"]), first)
            of_license["requested"] += 1
            of_license["would_wait"] += outcome.get("seat", {}).get("state") == "waiting"
    return dict(demand)


def _asks(outcome: Outcome) -> bool:
    """Whether the item needs a seat that nobody holds yet."""
    return outcome.get("created") is True or outcome.get("code") == ErrorCode.NOT_ENOUGH_SEATS


def _available(outcome: Outcome) -> JSON:
    available: JSON = outcome.get("details", outcome).get("available")
    return available


FORMS: Mapping[str, Renderer] = {
    "native.license": render_license,
    "native.licenses": render_licenses,
    "native.seats": render_seats,
    "native.reprocessed": render_reprocessed,
}
