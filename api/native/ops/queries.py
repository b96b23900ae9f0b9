"""The parameters of what operators ask for; what is out of range is refused, never clamped."""

from pydantic import Field

from api.http.parameters import ReadQuery, Whole

MINUTES_OF_A_DAY = 1_440


class HistoryQuery(ReadQuery):
    """How far back."""

    minutes: Whole = Field(default=60, ge=1, le=MINUTES_OF_A_DAY, description="How many minutes, up to a day.")
