"""The examples of /v1/ops in the OpenAPI document; a test holds that the models take them."""

from api.native.examples import page
from domain.errors import JSON

__all__ = ["AUDIT_ENTRY", "page"]

TOKEN_ID = "0f9c3a52-6f0e-4a39-8d53-0a4b2b8f4f11"  # noqa: S105 - an id, not a secret

AUDIT_ENTRY: dict[str, JSON] = {
    "id": 71,
    "at": "2025-11-21T09:41:00.000000Z",
    "actor": {"token_id": TOKEN_ID, "name": "on call"},
    "action": "dead_letters.redrive",
    "tenant": None,
    "subject": "dead-letters",
    "details": {"filter": {"fingerprint": "5f0c2d9a71be43d8"}, "matched": 412},
}
