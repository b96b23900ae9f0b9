"""Random commands about bundles between the chunks of others: in the end everybody has what the model gives them.

One rule: while a withdrawal runs, its seats are not free yet, so a request may be refused that the model would grant;
what is refused changes nothing, and the model is not asked.
"""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.license_commands import ReplaceGroupBundles, ReplaceUserBundles, ReprocessGroup
from infra.postgres.verify import VerifiedTenant
from tests.property.commands import SEEDS, bounded
from tests.support.engine import Engine, add_tenant, events_of, state_of
from tests.support.invariants import assert_sound
from tests.support.license_state import continuations
from tests.support.model import Model
from tests.support.model_rows import Unknown
from tests.support.running import apply, assert_running_sound
from tests.support.seats import assign, bundle, groups, join, leave, people, put, unassign
from workers.recount import recount

NAMES = [f"p{n}" for n in range(8)]
CODES = {"b1": "ACNU", "b2": "HOUSE"}


@bounded(8)
@given(
    rows=st.integers(1, 3),
    opening=SEEDS,
    steps=st.lists(st.tuples(SEEDS, st.sampled_from((0, 0, 0, 1, 2, 6))), min_size=8, max_size=24),
)
async def test_chunks_end_where_one_pass_would(database, rows, opening, steps):
    tenant = await add_tenant(database)
    engine, model = Engine(database, rows=rows), Model(lambda kind, number: Unknown(kind, (number, "")))
    for command in (people(*NAMES), groups("g", "h"), _pools(Random(opening)), join("g", *NAMES[:6])):
        await _ask(engine, tenant, model, command)
    for seed, chunks in steps:
        await _ask(engine, tenant, model, _drawn(Random(seed)))
        for _ in range(chunks):
            await engine.chunk()
            await assert_running_sound(database, tenant)
    await engine.drain(tenant.id)
    assert await continuations(database, tenant.id) == []
    state = await state_of(database, tenant.id)
    assert_sound(state, await events_of(database, tenant.id))
    assert list((await recount(database, VerifiedTenant(id=tenant.id, key=tenant.key))).findings) == []
    assert _held(state) == _held(model.license_state())


async def _ask(engine, tenant, model, command):
    [view] = await apply(engine, tenant, command)
    await assert_running_sound(engine.database, tenant)
    assert view.error is None
    if view.status.value != "rejected":
        model.apply(command, str(view.id))


def _held(state):
    """What can be compared where rows were made in another order: states, sources, counts."""
    return {
        "entitlements": {
            place: (row["state"], {of: source["blocked"] for of, source in row["sources"].items()})
            for place, row in state["entitlements"].items()
        },
        "pools": {key: (row["used"], row["queued"], row["waiting"]) for key, row in state["licenses"].items()},
        "grants": {place: (row["quota"], row["in_quota"]) for place, row in state["grants"].items()},
    }


def _pools(random):
    capacities = (None, 3, 5, 8, 16)
    return put(*(bundle(key, code, random.choice(capacities)) for key, code in CODES.items()))


def _drawn(random):
    group, key = random.choice("gh"), random.choice(list(CODES))
    codes = tuple(random.sample(list(CODES.values()), k=random.choice((0, 1, 1, 2))))
    quotas = {code: random.randint(1, 9) for code in codes if random.random() < 0.65}
    someone = random.choice(NAMES)
    makers = {
        (lambda: ReplaceGroupBundles(group=group, codes=codes, quotas=quotas)): 6,
        (lambda: join(group, *random.sample(NAMES, k=3))): 3,
        (lambda: leave(group, *random.sample(NAMES, k=2))): 3,
        (lambda: put(bundle(key, CODES[key], random.choice((None, 2, 5, 7, 9, 12))))): 2,
        (lambda: assign(key, someone, wait=random.random() < 0.5)): 2,
        (lambda: unassign(key, someone)): 1,
        (lambda: ReplaceUserBundles(users=(someone,), codes=codes)): 1,
        (lambda: people(someone, active=random.random() < 0.6)): 1,
        (lambda: ReprocessGroup(group=group)): 1,
    }
    return random.choices(list(makers), list(makers.values()))[0]()
