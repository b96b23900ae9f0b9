"""The pages that the frame names, in their order.

One rule: a page that is not named here is not led to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.console.visiting import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One entry of the navigation; `path` is below /console."""

    path: str
    name: str
    icon: str


PAGES: Sequence[Page] = (
    Page(path="overview", name="Overview", icon="overview"),
    Page(path="operations", name="Operations", icon="operations"),
    Page(path="dead-letters", name="Dead letters", icon="dead_letters"),
    Page(path="fulfilment", name="Fulfilment", icon="fulfilment"),
    Page(path="events", name="Events", icon="events"),
    Page(path="audit", name="Audit", icon="audit"),
)


def values_of(visitor: Visitor, **more: Any) -> dict[str, Any]:
    """What the frame shows on every page, and what this page shows."""
    return visitor.values(pages=PAGES, **more)
