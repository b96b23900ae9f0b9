"""Every renderer of every door, by the name under which operations store it.

One rule: doors are named here, one line each; nothing registers itself.
"""

from api.dialects.account import translate as account
from api.dialects.catalog import translate as catalog
from api.dialects.user_groups import translate as user_groups
from api.http.operation import Forms, Renderer
from api.native import license_translate as native_licenses
from api.native import translate as native

_DOORS: tuple[Forms, ...] = (user_groups.FORMS, catalog.FORMS, account.FORMS, native.FORMS, native_licenses.FORMS)


def all_forms() -> Forms:
    """The renderers of all doors.

    Raises:
        ValueError: two doors use one name.
    """
    return combined(_DOORS)


def combined(doors: tuple[Forms, ...]) -> Forms:
    """The renderers of these doors.

    Raises:
        ValueError: two doors use one name.
    """
    forms: dict[str, Renderer] = {}
    for door in doors:
        twice = forms.keys() & door.keys()
        if twice:
            raise ValueError(f"two doors render {sorted(twice)}")
        forms |= door
    return forms
