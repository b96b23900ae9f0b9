"""What is said of a group assignment, as JSON text: a batch has a hundred of them, and text is cheaper to make.

One rule: whoever tells of an assignment, one by one or in bulk, says it with these words.
"""

from domain.sources import SOURCES, Source, names

# All sixteen masks, looked up for every item of every batch.
_SOURCES = tuple("[" + ",".join(f'"{name}"' for name in names(Source(mask))) + "]" for mask in range(SOURCES + 1))


def assignment_data(group: str, user: str, role: str, sources: Source) -> str:
    """The data of an event; group, user and role are texts that `events.named` has made."""
    return f'{{"group":{group},"user":{user},"role":{role},"sources":{_SOURCES[sources]}}}'


def assignment_subject(group_key: str, user_key: str, role_key: str) -> str:
    """The subject of an event, a path within the tenant."""
    return f"groups/{group_key}/users/{user_key}/roles/{role_key}"
