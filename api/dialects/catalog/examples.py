"""The examples in the catalogue API's part of the OpenAPI document; a test validates each against its schema.

One rule: they show one small story, a licence that a tenant gives to people and to a group.
"""

from domain.errors import JSON

LICENSE: dict[str, JSON] = {
    "id": 41,
    "name": "Data Science 2026",
    "count": 500,
    "usage_count": 120,
    "active": True,
    "created": "2025-11-21T09:30:00.000000Z",
    "started": "2026-01-01T00:00:00.000000Z",
    "expired": "2027-01-01T00:00:00.000000Z",
    "metadata": {"contract": "C-2026-118"},
    "source": "crm",
    "external_id": "order-7781",
    "platform_key": "acme",
    "program_id": 7,
    "program_key": "data-science",
    "program_name": "Data Science",
}
CREATION: JSON = {
    "platform_key": "acme",
    "program_key": "data-science",
    "program_name": "Data Science",
    "name": "Data Science 2026",
    "count": 500,
    "started": "2026-01-01T00:00:00Z",
    "expired": "2027-01-01T00:00:00Z",
    "external_id": "order-7781",
    "active": True,
    "metadata": {"contract": "C-2026-118"},
    "enrollment_config": {"mode": "self-paced"},
    "source": "crm",
    "transaction_id": "t-100392",
}
USER_BODY: JSON = {
    "license_id": 41,
    "user_id": 1017,
    "username": "ada",
    "email": "ada@example.org",
    "platform_key": "acme",
    "platform_org": "acme-org",
    "active": True,
    "fulfilled": False,
    "direct": True,
    "redirect_to": "https://learn.example.org/programs/data-science",
    "metadata": {"cohort": "spring"},
}
USER_ASSIGNMENT: dict[str, JSON] = {
    "id": 90210,
    "user_id": 1017,
    "username": "ada",
    "name": "Ada Brandt",
    "email": "ada@example.org",
    "active": True,
    "fulfilled": True,
    "direct": True,
    "redirect_to": "https://learn.example.org/programs/data-science",
    "metadata": {"cohort": "spring"},
    "created": "2026-01-12T08:00:00.000000Z",
    "modified": "2026-01-12T08:00:00.000000Z",
    "license_id": 41,
    "license_name": "Data Science 2026",
    "program_key": "data-science",
}
ADDRESS_ASSIGNMENT: JSON = {
    **USER_ASSIGNMENT,
    "id": 90211,
    "user_id": None,
    "username": None,
    "name": None,
    "email": "new.hire@example.org",
    "fulfilled": False,
    "redirect_to": None,
    "metadata": None,
}
GROUP_BODY: dict[str, JSON] = {
    "license_id": 41,
    "group_id": 12,
    "platform_key": "acme",
    "platform_org": "acme-org",
    "active": True,
    "fulfilled": False,
    "redirect_to": "https://learn.example.org/programs/data-science",
    "metadata": {"cohort": "spring"},
}
GROUP_ASSIGNMENT: JSON = {
    "id": 310,
    "group_id": 12,
    "group_name": "Sales",
    "active": True,
    "fulfilled": False,
    "redirect_to": "https://learn.example.org/programs/data-science",
    "metadata": {"cohort": "spring"},
    "created": "2026-01-12T08:00:00.000000Z",
    "modified": "2026-01-12T08:00:00.000000Z",
    "license_id": 41,
    "license_name": "Data Science 2026",
    "program_key": "data-science",
    "program_name": "Data Science",
    "user_count": 83,
    "assigned_count": 80,
    "waiting_count": 3,
}
_LIST = "https://seatline.example.org/api/catalog/licenses/program"


def page(address: str, *results: JSON) -> JSON:
    """A page of a list with these results, and more behind it."""
    following = f"{_LIST}{address}page=2"
    return {
        "count": 26,
        "next": following,
        "previous": None,
        "next_page": following,
        "previous_page": None,
        "results": list(results),
    }
