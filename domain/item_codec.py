"""Items of a batch as JSON documents and back, those included whose form was refused."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from domain.errors import JSON
from domain.items import InvalidItem

Item = TypeVar("Item")
Document = dict[str, Any]


def write_item(item: Item | InvalidItem, write: Callable[[Item], dict[str, JSON]]) -> JSON:
    """The item as `write` writes it, or what is known of a refused one."""
    if isinstance(item, InvalidItem):
        return {"invalid": item.field, "reason": item.reason, "sent": dict(item.sent)}
    return write(item)


def read_items(documents: Iterable[Document], read: Callable[[Document], Item]) -> tuple[Item | InvalidItem, ...]:
    """What `write_item` made these documents of."""
    return tuple(
        InvalidItem(field=document["invalid"], reason=document["reason"], sent=document["sent"])
        if "invalid" in document
        else read(document)
        for document in documents
    )
