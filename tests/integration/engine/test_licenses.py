"""Licence pools through the real engine: put, created and updated by the catalogue, deleted."""

from datetime import UTC, datetime, timedelta

from domain.license_commands import CreateProgramLicense, DeleteLicenses, LicenseKind, LicensePut, PutLicenses
from domain.license_commands import UpdateProgramLicense as Update
from infra.postgres.statements import compile_block
from tests.support.engine import Asked, add_tenant, events_of

LATER = datetime.now(UTC) + timedelta(days=30)
_FIRED = compile_block("fired", "DELETE FROM due WHERE tenant_id = :tenant_id")
_DUE = compile_block("due", "SELECT kind, at FROM due WHERE tenant_id = :tenant_id ORDER BY kind DESC")


def program(key, capacity=10, **fields):
    fields = {"program_key": "photo", "program_name": "Photo", **fields}
    return LicensePut(key=key, name=key.title(), kind=LicenseKind.PROGRAM, capacity=capacity, **fields)


def bundle(key, code, capacity=10, **fields):
    return LicensePut(key=key, name=key.title(), kind=LicenseKind.BUNDLE, capacity=capacity, code=code, **fields)


async def outcomes(engine, tenant, *commands):
    views = await engine.run(*(Asked(tenant_id=tenant.id, command=command) for command in commands))
    return [item for view in views for item in view.response["items"]]


def put(*items):
    return PutLicenses(items=items)


async def test_a_licence_is_put_shown_and_announced(engine, database, tenant):
    created, replaced = await outcomes(engine, tenant, put(program("a")), put(program("a", 12, active=False)))
    assert (created["created"], replaced["created"]) == (True, False)
    assert replaced["license"] | {"capacity": 10, "active": True, "updated_at": 0} == created["license"] | {
        "updated_at": 0
    }
    events = [event for event in await events_of(database, tenant.id) if event["type"] == "license.updated"]
    assert [(event["data"]["counts"]["capacity"], event["data"]["active"]) for event in events] == [
        (10, True),
        (12, False),
    ]


async def test_putting_what_is_there_says_nothing(engine, database, tenant):
    await outcomes(engine, tenant, put(program("a")))
    before = len(await events_of(database, tenant.id))
    (again,) = await outcomes(engine, tenant, put(program("a")))
    assert again["created"] is False
    assert [event["type"] for event in (await events_of(database, tenant.id))[before:]] == ["operation.finished"]


async def test_codes_are_unique_and_may_be_swapped_in_order(engine, tenant):
    items = await outcomes(
        engine, tenant, put(bundle("a", "IDU"), bundle("b", "IDU"), bundle("a", "PMD"), bundle("b", "IDU"))
    )
    assert [item.get("code") for item in items] == [None, "LICENSE_CODE_TAKEN", None, None]


async def test_a_kind_is_fixed(engine, tenant):
    _, refused = await outcomes(engine, tenant, put(program("a"), bundle("a", "IDU")))
    assert (refused["code"], refused["field"]) == ("LICENSE_KIND_IS_FIXED", "kind")


async def test_a_program_has_one_number_as_long_as_a_licence_has_it(engine, tenant, database):
    stranger = await add_tenant(database)
    first, second = await outcomes(engine, tenant, put(program("a")), put(program("b")))
    (foreign,) = await outcomes(engine, stranger, put(program("a")))
    number = first["license"]["program_id"]
    assert second["license"]["program_id"] == number != foreign["license"]["program_id"]
    moved = await outcomes(
        engine,
        tenant,
        put(program("a", program_key="x"), program("b", program_key="x"), program("a", program_key="photo")),
        put(program("b", program_key="photo")),
    )
    numbers = [item["license"]["program_id"] for item in moved]
    assert numbers[0] == numbers[1]
    assert numbers[2] == numbers[3]
    assert len({number, *numbers}) == 3


async def test_dates_are_due_and_move_with_their_licence(engine, database, tenant):
    await outcomes(engine, tenant, put(program("a", starts_at=LATER, expires_at=LATER + timedelta(days=1))))
    async with database.transaction() as tx:
        rows = [tuple(row.values()) for row in await tx.fetch(_DUE, tenant_id=tenant.id)]
    assert rows == [("start", LATER), ("end", LATER + timedelta(days=1))]
    past = LATER - timedelta(days=60)
    await outcomes(engine, tenant, put(program("a", expires_at=past)))
    async with database.transaction() as tx:
        rows = [tuple(row.values()) for row in await tx.fetch(_DUE, tenant_id=tenant.id)]
    assert rows == [("end", past)]
    await outcomes(engine, tenant, DeleteLicenses(keys=("a",)))
    async with database.transaction() as tx:
        assert not await tx.fetch(_DUE, tenant_id=tenant.id)


async def test_the_catalogue_creates_and_updates(engine, tenant):
    sent = {"program_key": "photo", "name": "Photo 1", "count": 5, "started": "2026-01-01T00:00:00.000000Z"}
    more = {"external_id": "x-1", "metadata": {"a": 1}, "source": "crm"}
    created, taken = await outcomes(
        engine, tenant, CreateProgramLicense(sent=sent | more), CreateProgramLicense(sent=sent | more)
    )
    shown = created["license"]
    assert shown["key"] == f"program-{shown['id']}"
    assert (shown["program_name"], shown["metadata"], shown["source"]) == ("photo", {"a": 1}, "crm")
    assert (taken["code"], taken["field"]) == ("EXTERNAL_ID_TAKEN", "external_id")
    by_id, by_name, unknown = await outcomes(
        engine,
        tenant,
        Update(license_id=shown["id"], sent={"count": None, "metadata": None, "change_type": "upgrade"}),
        Update(external_id="x-1", sent={"external_id": "x-2", "expired": "2100-01-01T00:00:00Z"}),
        Update(external_id="x-1", sent={}),
    )
    assert (by_id["license"]["capacity"], by_id["license"]["metadata"]) == (None, None)
    assert by_name["license"]["external_id"] == "x-2"
    assert by_name["license"]["expires_at"] == "2100-01-01T00:00:00.000000Z"
    assert unknown["code"] == "LICENSE_DOES_NOT_EXIST"


async def test_a_deleted_licence_is_gone_and_its_key_and_code_are_free(engine, database, tenant):
    _, deleted, again, gone = await outcomes(
        engine,
        tenant,
        put(bundle("a", "IDU")),
        DeleteLicenses(keys=("a",)),
        put(bundle("a", "IDU")),
        DeleteLicenses(keys=("b",)),
    )
    assert deleted["outcome"] == "deleted"
    assert again["created"] is True
    assert (again["license"]["id"], gone["code"]) != (deleted["id"], None)
    told = [
        event["data"].get("deleted") for event in await events_of(database, tenant.id) if "license" in event["data"]
    ]
    assert told == [None, True, None]


async def test_a_date_that_moves_away_and_back_is_looked_at_again(engine, database, tenant):
    past = LATER - timedelta(days=60)
    await outcomes(engine, tenant, put(program("a", expires_at=past)))
    async with database.transaction() as tx:
        await tx.execute(_FIRED, tenant_id=tenant.id)
    await outcomes(engine, tenant, put(program("a"), program("a", expires_at=past)))
    async with database.transaction() as tx:
        assert [row["at"] for row in await tx.fetch(_DUE, tenant_id=tenant.id)] == [past]
