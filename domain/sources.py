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
        return _FLAGS[self]


_FLAGS = {name: Source[name.value] for name in SourceName}
SOURCES = sum(Source)
"""All of them: the highest mask."""

# All names of every mask, strongest first: sixteen tuples, looked up for every item of every batch.
_NAMES = tuple(tuple(name.value for name in reversed(SourceName) if mask & name.flag) for mask in range(SOURCES + 1))


def names(sources: Source) -> tuple[str, ...]:
    """All sources of a row as the wire spells them, strongest first."""
    return _NAMES[sources]


def strongest(sources: Source) -> str:
    """The source that a row shows.

    Raises:
        IndexError: no source is set; such a row does not exist.
    """
    return _NAMES[sources][0]


def is_derived(sources: Source) -> bool:
    """A row with a derived source is managed elsewhere and cannot be deleted by hand."""
    return bool(sources & DERIVED)
