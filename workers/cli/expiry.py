"""Reads when a token shall expire, as a person types it: an instant or a duration from now."""

import re
from datetime import UTC, datetime, timedelta

import click
from typing_extensions import override

_DURATION = re.compile(
    r"P?(?:(?P<weeks>\d+)w)?(?:(?P<days>\d+)d)?T?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s)?",
    re.IGNORECASE,
)


def parse_expiry(text: str, *, now: datetime) -> datetime:
    """The instant that `text` means: `2027-01-31`, `2027-01-31T12:00:00Z`, `30d`, `12h`, `1d12h`, `P30D`, `PT12H`.

    An instant without an offset is UTC; a date is its first moment.

    Raises:
        ValueError: it is none of these, or too far away to be written down.
    """
    duration = _DURATION.fullmatch(text)
    if duration is not None and any(duration.groupdict().values()):
        parts = {unit: int(count) for unit, count in duration.groupdict(default="0").items()}
        try:
            return now + timedelta(**parts)
        except OverflowError as error:
            raise ValueError(f"{text!r} is too far away") from error
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is neither an instant such as 2027-01-31 nor a duration such as 30d") from error
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is too far away") from error


class Expiry(click.ParamType[datetime]):
    """An option's value read by `parse_expiry`; a text that is none is a usage error."""

    name = "instant or duration"

    @override
    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant; the duration begins now."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_expiry(str(value), now=datetime.now(UTC))
        except ValueError as error:
            self.fail(str(error), param, ctx)
