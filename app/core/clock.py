"""The clock. All other code gets the current time from here."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Returns the current time as an aware datetime in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The system clock. Production hosts must synchronize it by NTP."""

    def now(self) -> datetime:
        return datetime.now(UTC)
