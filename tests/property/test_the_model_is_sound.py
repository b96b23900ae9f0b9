"""Random commands through the model alone: what must hold of the engine holds of the model that it is held against."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.commands import Kind
from domain.license_commands import CheckLicenses
from tests.property.commands import SEEDS, TIMES, bounded, drawn_by, opening
from tests.property.license_commands import TODAY
from tests.support.clock import NOON
from tests.support.invariants import assert_sound
from tests.support.model import Model
from tests.support.model_rows import Unknown

KINDS = frozenset(Kind)


@bounded(200)
@given(steps=st.lists(st.tuples(SEEDS, TIMES), min_size=10, max_size=40))
def test_whatever_is_asked_the_model_is_sound_after_it(steps):
    model = Model(lambda kind, number: Unknown(kind, (number, "")))
    day = 0
    for place, (draft, dry_run) in enumerate(opening(KINDS)):
        _apply(model, draft, f"b{place}", day, dry_run=dry_run)
    drafts = drawn_by((seed for seed, _ in steps), KINDS)
    for place, ((_, (days, looks)), (draft, dry_run)) in enumerate(zip(steps, drafts, strict=True)):
        day += days
        if looks:
            _apply(model, _dates_that_have_come(model, day), f"d{place}", day)
            assert all(pool["used"] == 0 for pool in model.pools().values() if _has_come(pool["expires_at"], day))
        _apply(model, draft, f"o{place}", day, dry_run=dry_run)


def _apply(model, draft, operation, day, *, dry_run=False):
    model.apply(draft(_ids(model, day)), operation, dry_run=dry_run, at=_now(day))
    assert_sound(model.state() | model.license_state(), model.events)


def _now(day):
    return NOON + timedelta(days=day)


def _has_come(date, day):
    return date is not None and date <= _now(day)


def _dates_that_have_come(model, day):
    """What the poll would ask for, were it to forget that it has asked before."""

    def draft(ids):
        dated = {ids["license", key]: pool for key, pool in model.licenses.items()}
        ended = [number for number, pool in dated.items() if _has_come(pool["expires_at"], day)]
        begun = [number for number, pool in dated.items() if _has_come(pool["starts_at"], day)]
        return CheckLicenses(license_ids=tuple({*ended, *begun}), started=tuple(begun))

    return draft


def _ids(model, day):
    """What the numbers would be: the order in which things came to be."""
    keyed = {"user": model.users, "group": model.groups, "license": model.licenses}
    ids = {(kind, key): row["id"].name[0] for kind, rows in keyed.items() for key, row in rows.items()}
    ids |= {("grant", f"{row['license']}/{row['group']}"): number.name[0] for number, row in model.grants.items()}
    rows = model.entitlements.items()
    ids |= {("entitlement", f"{row['license']}/{row['user'] or row['email']}"): number.name[0] for number, row in rows}
    return ids | {TODAY: day}
