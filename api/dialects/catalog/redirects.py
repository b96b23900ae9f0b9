"""Where a redirect may lead: an absolute URL of an allowed host.

One rule: a URL that two programs could read differently is refused, so that what is checked is what is followed.
"""

import re
from collections.abc import Collection

LONGEST_URL = 2048

# No user before the host, no backslash, no blank and nothing invisible: browsers and libraries disagree about them.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^\W_][\w.-]*|\[[0-9a-f:.]+\])(?P<port>:[0-9]{1,5})?(?:[/?#][^\s\\]*)?",
    re.IGNORECASE,
)
_LARGEST_PORT = 65_535


def is_allowed(url: str, hosts: Collection[str]) -> bool:
    """Whether people may be sent there: over https to anywhere, or to one of `hosts` (lower case) where there are any.

    A host that was configured with a port is allowed with that port alone; one without, with any.
    """
    match = _URL.fullmatch(url)
    if match is None or not url.isprintable() or int((match["port"] or ":0")[1:]) > _LARGEST_PORT:
        return False
    if not hosts:
        return match["scheme"].lower() == "https"
    host = match["host"].lower()
    return host in hosts or host + (match["port"] or "") in hosts
