"""Random commands through the model alone: what must hold of the engine holds of the model that it is held against."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.commands import Kind
from tests.property.commands import SEEDS, bounded, drawn_by, opening
from tests.support.invariants import assert_sound
from tests.support.model import Model
from tests.support.model_rows import Unknown

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KINDS = frozenset(Kind)


@bounded(200)
@given(seeds=st.lists(SEEDS, min_size=10, max_size=40))
def test_whatever_is_asked_the_model_is_sound_after_it(seeds):
    model = Model(lambda kind, number: Unknown(kind, (number, "")))
    for place, (draft, dry_run) in enumerate([*opening(KINDS), *drawn_by(seeds, KINDS)]):
        model.apply(draft(_ids(model)), f"o{place}", dry_run=dry_run, at=NOON + timedelta(seconds=place))
        assert_sound(model.state() | model.license_state(), model.events)


def _ids(model):
    """What the numbers would be: the order in which things came to be."""
    keyed = {"user": model.users, "group": model.groups, "license": model.licenses}
    ids = {(kind, key): row["id"].name[0] for kind, rows in keyed.items() for key, row in rows.items()}
    ids |= {("grant", f"{row['license']}/{row['group']}"): number.name[0] for number, row in model.grants.items()}
    rows = model.entitlements.items()
    return ids | {
        ("entitlement", f"{row['license']}/{row['user'] or row['email']}"): number.name[0] for number, row in rows
    }
