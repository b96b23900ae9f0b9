"""Where the native API's answers lead, by what they show: the links of the OpenAPI document.

One rule: a list leads to reading what it lists; what is read or written leads to changing it as well.
"""

from api.documents.links import Link, link, shown

Links = tuple[Link, ...]


def to_user(key: str) -> Links:
    """From where a person's key is shown."""
    user = shown(key)
    return (
        link("get_user", key=user),
        link("list_group_assignments", user=user),
        link("list_entitlements", user=user),
    )


def with_user(key: str) -> Links:
    """The same, and to change the person."""
    return (*to_user(key), link("put_user", key=shown(key)), link("delete_user", key=shown(key)))


def to_group(key: str) -> Links:
    """From where a group's key is shown."""
    group = shown(key)
    return (
        link("get_group", key=group),
        link("list_users", group=group),
        link("list_group_assignments", group=group),
        link("list_entitlements", group=group),
    )


def with_group(key: str) -> Links:
    """The same, and to change the group."""
    group = shown(key)
    return (
        *to_group(key),
        link("put_group", key=group),
        link("delete_group", key=group),
        link("reprocess_group", key=group),
    )


def to_role(key: str) -> Links:
    """From where a role's key is shown."""
    return (link("get_role", key=shown(key)),)


def with_role(key: str) -> Links:
    """The same, and to change the role."""
    return (*to_role(key), link("put_role", key=shown(key)), link("delete_role", key=shown(key)))


def to_license(key: str) -> Links:
    """From where a licence's key is shown."""
    return (link("get_license", key=shown(key)), link("list_entitlements", license=shown(key)))


def with_license(key: str) -> Links:
    """The same, and to change the licence."""
    return (*to_license(key), link("put_license", key=shown(key)), link("delete_license", key=shown(key)))


def to_operation(identifier: str) -> Links:
    """From where an operation of the caller's tenant is named."""
    return (link("get_operation", operation_id=shown(identifier)),)


def to_any_operation(identifier: str) -> Links:
    """From where an operation is named to an operator."""
    operation = shown(identifier)
    return (
        link("look_into_operation", operation_id=operation),
        link("read_operation_request", operation_id=operation),
    )


def to_tenant(key: str) -> Links:
    """From where a tenant's key is shown to an operator."""
    lists = (
        "list_tokens", "search_operations", "list_errors", "list_dead_letters", "list_group_fulfilment", "list_pools",
        "list_who_waits", "tail_events", "list_audit",
    )  # fmt: skip
    return tuple(link(name, tenant=shown(key)) for name in lists)
