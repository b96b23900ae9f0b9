"""Where a group assignment comes from. A row keeps all its sources as a bit mask and shows the strongest."""

from enum import IntFlag, StrEnum


class Source(IntFlag):
    """The sources, the stronger the higher: PRIMARY > RULE > SCIM > MANUAL (CONTRACT of the users API)."""

    MANUAL = 1
    SCIM = 2
    RULE = 4
    PRIMARY = 8


DERIVED = Source.PRIMARY | Source.RULE


class SourceName(StrEnum):
    """The sources as the wire spells them."""

    MANUAL = "MANUAL"
    SCIM = "SCIM"
    RULE = "RULE"
    PRIMARY = "PRIMARY"

    @property
    def flag(self) -> Source:
        """The bit of this source."""
        return Source[self.value]


def strongest(sources: Source) -> SourceName:
    """The source that a row shows.

    Raises:
        ValueError: no source is set; such a row must not exist.
    """
    if not sources:
        raise ValueError("an assignment without a source does not exist")
    return SourceName(Source(1 << (sources.bit_length() - 1)).name or "")


def names(sources: Source) -> list[SourceName]:
    """All sources of a row, strongest first."""
    return [
        name
        for name in (SourceName.PRIMARY, SourceName.RULE, SourceName.SCIM, SourceName.MANUAL)
        if name.flag in sources
    ]


def is_derived(sources: Source) -> bool:
    """A row with a derived source is managed elsewhere and cannot be deleted by hand."""
    return bool(sources & DERIVED)
