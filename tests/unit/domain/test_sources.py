"""A row keeps all its sources, shows the strongest, and is derived by either of two."""

import pytest

from domain.sources import Source, SourceName, is_derived, names, strongest

MASKS = [Source(mask) for mask in range(1, 16)]


def test_all_sources_of_a_row_are_named_strongest_first():
    assert names(Source.MANUAL | Source.SCIM | Source.RULE | Source.PRIMARY) == ("PRIMARY", "RULE", "SCIM", "MANUAL")
    assert names(Source.SCIM | Source.MANUAL) == ("SCIM", "MANUAL")


@pytest.mark.parametrize("mask", MASKS)
def test_the_names_of_a_mask_give_the_mask(mask):
    assert Source(sum(SourceName(name).flag for name in names(mask))) == mask
    assert strongest(mask) is names(mask)[0]


@pytest.mark.parametrize("mask", MASKS)
def test_a_row_is_derived_by_a_rule_or_by_the_primary_group(mask):
    assert is_derived(mask) == bool({SourceName.RULE, SourceName.PRIMARY} & set(names(mask)))


def test_a_row_without_a_source_does_not_exist():
    with pytest.raises(IndexError):
        strongest(Source(0))
