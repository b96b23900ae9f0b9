"""The values of settings: words to choose from, URLs that are checked, and how each is shown.

One rule: what is shown holds no password.
"""

from enum import StrEnum
from urllib.parse import parse_qs, urlsplit, urlunsplit

from pydantic import SecretStr


class LogFormat(StrEnum):
    """How a log line is written; `auto` is text on a terminal, else json."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """The least severe line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def checked_url(url: SecretStr, *, schemes: tuple[str, ...], sockets: bool = False) -> SecretStr:
    """The URL, which names a host; with `sockets` its parameter `host` may name the folder of a Unix socket instead.

    Raises:
        ValueError: it does not, or has another scheme.
    """
    parts = urlsplit(url.get_secret_value())
    named = parts.hostname or (sockets and "host" in parse_qs(parts.query))
    if parts.scheme not in schemes or not named:
        raise ValueError(f"must be a URL that begins with {schemes[0]}:// and names a host")
    return url


def shown(value: object) -> str:
    """The value as people read it; a secret only with its password masked, unset is empty."""
    match value:
        case None:
            return ""
        case SecretStr():
            return mask(value.get_secret_value())
        case tuple():
            return ",".join(str(part) for part in value)
        case _:
            return str(value)


def mask(url: str) -> str:
    """The URL with `***` for its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    before, _, host = parts.netloc.rpartition("@")
    user = before.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}:***@{host}"))
