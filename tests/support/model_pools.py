"""The model's licence pools: put, created, updated, deleted, and looked at when one of their dates has come."""

from datetime import datetime
from typing import Any

from domain.license_commands import CreateProgramLicense, LicensePut, UpdateProgramLicense
from tests.support.model_rows import Document, refused
from tests.support.model_seats import ACTIVE, QUEUED, ModelSeats, named

SENT = {  # what the catalogue calls the fields
    "name": "name", "count": "capacity", "started": "starts_at", "expired": "expires_at", "external_id": "external_id",
    "active": "active", "metadata": "metadata", "enrollment_config": "enrollment_config", "source": "source",
    "transaction_id": "transaction_id", "change_type": "change_type",
}  # fmt: skip
_NOT_SENT: Document = {
    "code": None, "program_key": None, "program_name": None, "program_id": None, "external_id": None, "source": "",
    "transaction_id": None, "change_type": None, "metadata": None, "enrollment_config": None, "starts_at": None,
    "expires_at": None, "active": True,
}  # fmt: skip


class ModelPools(ModelSeats):
    """Pools by key. What is kept of one beside its fields, its counts, is counted anew wherever it is asked for."""

    def pools(self) -> Document:
        """The pools as their table holds them."""
        return {key: pool | self._counts(key) for key, pool in self.licenses.items()}

    def _put_license(self, item: LicensePut) -> Any:
        old = self.licenses.get(item.key)
        if old is not None and old["kind"] != item.kind.value:
            return refused("LICENSE_KIND_IS_FIXED", "kind")
        if item.code is not None and any(
            pool["code"] == item.code for key, pool in self.licenses.items() if key != item.key
        ):
            return refused("LICENSE_CODE_TAKEN", "code")
        sent = {name: getattr(item, name) for name in LicensePut.__dataclass_fields__ if name != "key"}
        return self._store(item.key, sent | {"kind": item.kind.value}, field="capacity")

    def _create(self, command: CreateProgramLicense, key: str) -> Any:
        sent = self._sent(command.sent)
        if self._is_taken(sent, None):
            return refused("EXTERNAL_ID_TAKEN", "external_id")
        sent |= {"program_key": command.sent["program_key"], "kind": "program"}
        sent["program_name"] = command.sent.get("program_name", sent["program_key"])
        return self._store(key, sent, field="count")

    def _update(self, command: UpdateProgramLicense) -> Any:
        key = self._program(command.license_id)
        if command.license_id is None:
            of = (key for key, pool in self.licenses.items() if pool["external_id"] == command.external_id)
            key = next(of, None) if command.external_id is not None else None
        if key is None:
            return refused("LICENSE_DOES_NOT_EXIST", "external_id" if command.license_id is None else "license_id")
        sent = self._sent(command.sent)
        if self._is_taken(sent, key):
            return refused("EXTERNAL_ID_TAKEN", "external_id")
        return self._store(key, sent, field="count")

    def _sent(self, fields: Any) -> Document:
        sent = {SENT[name]: value for name, value in fields.items() if name in SENT}
        dates = {name: datetime.fromisoformat(sent[name]) for name in ("starts_at", "expires_at") if sent.get(name)}
        return sent | dates

    def _is_taken(self, sent: Document, key: str | None) -> bool:
        wanted = sent.get("external_id")
        others = [pool["external_id"] for other, pool in self.licenses.items() if other != key]
        return wanted is not None and wanted in others

    def _program(self, number: int | None) -> str | None:
        """The key of the program licence with this id; bundles are not found by it."""
        found = None if number is None else self._find("license", number)
        ids = {pool["id"]: key for key, pool in self.licenses.items() if pool["kind"] == "program"}
        return ids.get(found) if found else None

    def _store(self, key: str, sent: Document, *, field: str) -> Any:
        old = self.licenses.get(key)
        used = self._count(key, ACTIVE)
        if sent.get("capacity") is not None and sent["capacity"] < used:
            return refused("COUNT_BELOW_USAGE", field, used=used)
        new = (old or self._born("license", **_NOT_SENT, created_at=self._instant())) | sent
        new["program_id"] = self._program_id(new["program_key"])
        if old is None or any(repr(new[name]) != repr(old[name]) for name in new):
            new["updated_at"] = self._instant()
            self.licenses[key] = new
            self._touched.add(key)
        return lambda: {"outcome": "license", "created": old is None, "license": self._license(key)}

    def _program_id(self, program_key: str | None) -> Any:
        if program_key is None:
            return None
        known = [pool["program_id"] for pool in self.licenses.values() if pool["program_key"] == program_key]
        return known[0] if known else self._fresh("program")

    def _expire(self, key: str) -> None:
        """Whoever holds a seat of a pool that has expired goes back to the waiting list, to the same place."""
        for row in self.entitlements.values():
            if row["license"] == key and row["state"] == ACTIVE and self._has_expired(self.licenses[key]):
                row["state"] = QUEUED

    def _delete_license(self, key: str, *, cascade: bool) -> Document:
        if key not in self.licenses:
            return refused("LICENSE_DOES_NOT_EXIST", "key")
        rows = [number for number, row in self.entitlements.items() if row["license"] == key]
        grants = [number for number, grant in self.grants.items() if grant["license"] == key]
        if (rows or grants) and not cascade:
            return refused("LICENSE_IN_USE", "key")
        for number in rows:
            del self.entitlements[number]
        for number in grants:
            del self.grants[number]
        pool = self.licenses[key]
        name = named(self.licenses, key)
        del self.licenses[key]
        counts = {"capacity": pool["capacity"], "used": 0, "reserved": 0, "waiting": 0}
        data = {"license": name, "active": pool["active"], "counts": counts, "deleted": True}
        self._say("license.updated", f"licenses/{key}", data)
        return {"outcome": "deleted", "key": key, "id": pool["id"]}

    def _check(self, numbers: tuple[int, ...], started: tuple[int, ...]) -> Document:
        """A date of these licences may have come; what they are now counts, not why they were to be looked at."""
        keys = self._known(numbers)
        self._started = {key for key in self._known(started) if self.licenses[key]["starts_at"] is not None}
        for key in keys:
            self._expire(key)
            self._touched.add(key)
        return {"outcome": "checked", "licenses": [named(self.licenses, key) for key in keys]}

    def _known(self, numbers: tuple[int, ...]) -> list[str]:
        ids = {pool["id"]: key for key, pool in self.licenses.items()}
        return [ids[found] for found in (self._find("license", number) for number in numbers) if found in ids]

    def _license(self, key: str) -> Document:
        """A pool as answers show it."""
        return self.licenses[key] | {"key": key} | self._told_counts(key)
