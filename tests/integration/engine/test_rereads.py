"""The re-read after a commit: owed to every tenant, and left to the next pass where that is due anyway."""

from tests.support.directory_commands import put_groups
from tests.support.engine import Asked, Engine, Witness, accept, operations
from tests.support.running import apply, giving
from tests.support.seats import groups, join, people, program, put


class Claimed(Witness):
    """A claim comes for the tenant while its pass runs."""

    def __init__(self, tenant_id):
        super().__init__()
        self._tenant_id = tenant_id
        self.ready = None

    async def name(self, operations):
        if self.ready is not None:
            self.ready.add(self._tenant_id)
        return await super().name(operations)


def rereads(database):
    series = database.measures.database.statements.series.get(("still_open",))
    return 0 if series is None else sum(series.counts)


async def test_a_tenant_that_has_become_ready_meanwhile_is_not_asked_about(database, tenant):
    engine = Engine(database, inflight=Claimed(tenant.id))
    engine.witness.ready = engine.ready
    ids = await accept(database, [Asked(tenant_id=tenant.id, command=put_groups(1))])
    engine.ready.add(tenant.id)
    await engine.turn()
    assert rereads(database) == 0
    assert tenant.id in engine.ready
    await engine.turn()
    assert rereads(database) == 1
    assert len(engine.ready) == 0
    assert {view.status.value for view in await operations(database, tenant.id, ids)} == {"succeeded"}


async def test_what_goes_on_in_chunks_goes_on_however_often_its_tenant_is_ready(database, tenant):
    engine = Engine(database, rows=1, inflight=Claimed(tenant.id))
    await apply(engine, tenant, people("a", "b"), groups("g"), put(program("photo", 2)), join("g", "a", "b"))
    engine.witness.ready = engine.ready
    [give] = await accept(database, [Asked(tenant_id=tenant.id, command=await giving(database, tenant, "g", "photo"))])
    engine.ready.add(tenant.id)
    await engine.turn()
    assert len(engine.lane) == 1  # begun by this pass
    await engine.lane.next()
    await accept(database, [Asked(tenant_id=tenant.id, command=put_groups(1))])
    await engine.turn()
    assert len(engine.lane) == 1  # found by this one
    assert tenant.id in engine.ready
    engine.witness.ready = None
    await engine.drain(tenant.id)
    assert [view.status.value for view in await operations(database, tenant.id, [give])] == ["succeeded"]
