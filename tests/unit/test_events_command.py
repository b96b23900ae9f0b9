"""The options of `events tail`."""

import click
import pytest

from workers.cli.events import tail

(TYPES,) = (option.type for option in tail.params if option.name == "types")


@pytest.mark.parametrize("written", ["group.updated", "seatline.group.updated.v1"])
def test_a_type_may_be_written_as_events_carry_it(written):
    assert TYPES.convert(written, None, None) == "group.updated"


@pytest.mark.parametrize("written", ["group", "seatline.group.v1", "", "GROUP.UPDATED"])
def test_any_other_type_is_refused(written):
    with pytest.raises(click.BadParameter):
        TYPES.convert(written, None, None)
