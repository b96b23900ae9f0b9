"""Every place of the OpenAPI document in which a caller names a thing, and requests with those places filled.

One rule: a name that stands in neither table below is an error: nobody has decided whether a tenant could name
another's things there.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# What is named by a parameter or a field of this name; `key` is told by its path, and "number" by the schema's type.
KINDS = {
    **dict.fromkeys(("group_id", "groupId", "group", "primary_group"), "group"),
    **dict.fromkeys(("user_id", "userIds", "user"), "user"),
    **dict.fromkeys(("role_id", "role_ids", "roles"), "role"),
    **dict.fromkeys(("license_id", "license"), "license"),
    **dict.fromkeys(("accountId", "platform_key", "tenant"), "tenant"),
    **dict.fromkeys(("organizationName", "platform_org", "org"), "org"),
    **dict.fromkeys(("userBundleCodes", "userBundleCode", "code"), "code"),
    **dict.fromkeys(("search_term", "department"), "department"),
    **dict.fromkeys(("name", "query", "program_name"), "name"),
    "assignment_id": "assignment",
    **dict.fromkeys(("operation_id", "id", "ids"), "operation"),
    "idempotency_key": "idempotency_key",
    "fingerprint": "fingerprint",
    "actor": "token",
    "token_id": "token",
    "program_id": "program",
    "program_key": "program_key",
    "external_id": "external_id",
    "transaction_id": "transaction_id",
    "email": "email",
    "username": "username",
    "first_name": "first_name",
    "last_name": "last_name",
    "cursor": "cursor",
    "source": "source",
}
KEYS = {"/v1/users": "user", "/v1/groups": "group", "/v1/roles": "role", "/v1/licenses": "license"}
# Names no thing of a tenant.
NO_THING = frozenset({
    "embed", "dry_run", "sort", "page", "page_number", "page_size", "page_limit", "limit", "top", "skip",
    "sortBy", "sortOrder", "active", "fulfilled", "direct", "verbose", "minutes", "until", "outcomes_after",
    "outcomes_limit", "expected", "reason", "action", "cascade", "remove_user_assignments", "status", "kind",
    "since", "after", "types", "state", "shortage", "hold", "op", "permission_scope", "count", "capacity",
    "started", "expired", "starts_at", "expires_at", "change_type", "redirect_to", "useExternalLicense", "scopes",
    "operator", "metadata", "enrollment_config", "attributes", "titles", "descriptions"
})  # fmt: skip
# Fields of which one may be sent: naming a thing by the one leaves the others out.
RIVALS = {"email": ("user",), "user": ("email",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a thing is named: `path` are the steps into the body; an empty step is each item of an array."""

    where: str
    name: str
    kind: str
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.where} {'.'.join(self.path) or self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. `query` are the parameters that it cannot do without."""

    method: str
    path: str
    positions: tuple[Position, ...]
    query: tuple[str, ...]
    body: Any

    @property
    def is_operators(self) -> bool:
        """Nothing behind it is any tenant's to name."""
        return self.path.startswith("/v1/ops/")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(slots=True, kw_only=True)
class Request:
    """What is sent."""

    path: str
    query: dict[str, Any]
    body: Any


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Every operation of the document with its positions.

    Raises:
        LookupError: some name is in neither table.
    """
    found = [
        _operation(document, method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
    unknown = {f"{one}: {position}" for one in found for position in one.positions if not position.kind}
    if unknown:
        raise LookupError(f"what do these name? {sorted(unknown)}")
    return found


def request(operation: Operation, values: Mapping[str, Any]) -> Request:
    """The document's own example, in which every thing that it names is one of `values`, by kind."""
    made = Request(path=operation.path, query={}, body=copy.deepcopy(operation.body))
    for position in operation.positions:
        needed = position.where == "path" or position.name in operation.query
        if needed or (position.where == "body" and _reach(made.body, position.path) is not None):
            put(made, position, values[position.kind])
    return made


def put(made: Request, position: Position, value: Any) -> None:
    """Name this thing at this position; what cannot be sent beside it is left out."""
    if position.where == "path":
        made.path = made.path.replace(f"{{{position.name}}}", str(value))
    elif position.where == "query":
        made.query[position.name] = value
    else:
        *steps, last = [step for step in position.path if step]
        holder = made.body
        for step in steps:
            inner = holder.setdefault(step, {})
            holder = inner[0] if isinstance(inner, list) else inner
        for rival in RIVALS.get(last, ()) if last in RIVALS and "license" in holder else ():
            holder.pop(rival, None)
        holder[last] = [value] if position.path[-1] == "" else value


def _operation(document: Mapping[str, Any], method: str, path: str, described: Mapping[str, Any]) -> Operation:
    places = [one for one in described["parameters"] if one["in"] in {"path", "query"}]
    positions = [Position(where=one["in"], name=one["name"], kind=_kind(path, one)) for one in places]
    body = None
    if "requestBody" in described:
        content = described["requestBody"]["content"]["application/json"]
        positions += _in_body(document, path, content["schema"], ())
        body = copy.deepcopy(content["example"])
        if isinstance(body.get("items"), list):
            body["items"] = body["items"][:1]
    return Operation(
        method=method,
        path=path,
        positions=tuple(one for one in dict.fromkeys(positions) if one.kind != "nothing"),
        query=tuple(one["name"] for one in places if one["in"] == "query" and one["required"]),
        body=body,
    )


def _in_body(
    document: Mapping[str, Any], path: str, schema: Mapping[str, Any], steps: tuple[str, ...]
) -> Iterator[Position]:
    for one in _alternatives(document, schema):
        for name, field in one.get("properties", {}).items():
            kinds = list(_alternatives(document, field))
            items = [item for kind in kinds if "items" in kind for item in _alternatives(document, kind["items"])]
            inner = [kind for kind in (*kinds, *items) if "properties" in kind]
            if inner:
                for schema_inside in inner:
                    yield from _in_body(document, path, schema_inside, (*steps, name))
            else:
                tail = ("",) if items else ()
                described = {"name": name, "schema": items[0] if items else kinds[0]}
                yield Position(where="body", name=name, kind=_kind(path, described), path=(*steps, name, *tail))


def _alternatives(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in schema:
        yield from _alternatives(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        return
    further = [one for word in ("anyOf", "oneOf", "allOf") for one in schema.get(word, ())]
    for one in further:
        yield from (kind for kind in _alternatives(document, one) if kind.get("type") != "null")
    if not further:
        yield schema


def _kind(path: str, described: Mapping[str, Any]) -> str:
    name, schema = described["name"], described["schema"]
    if name in NO_THING or "enum" in schema or "enum" in schema.get("items", {}):
        return "nothing"
    if name == "key":
        return next((kind for prefix, kind in KEYS.items() if path.startswith(prefix)), "tenant")
    kind = KINDS.get(name, "")
    if kind == "assignment":
        return "grant" if "/group/" in path else "assignment"
    numeric = schema.get("type") == "integer"
    return f"{kind} number" if kind in {"user", "group", "license"} and numeric else kind


def _reach(body: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if isinstance(body, list):
            body = body[0] if body else None
        if step == "" or body is None:
            continue
        body = body.get(step)
    return body
