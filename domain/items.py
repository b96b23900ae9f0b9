"""What stands in a batch in the place of an item whose form was refused."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidItem:
    """An item of a batch whose form the door refused; it keeps its place, so that its neighbours keep theirs.

    `sent` holds the identifying strings that could be read from it, for the answer to name.
    """

    field: str
    reason: str
    sent: Mapping[str, str] = dataclasses.field(default_factory=dict)
