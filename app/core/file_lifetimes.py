"""How long a file may be fetched that a job has made for somebody (docs/decisions/0063 and 0080)."""

from datetime import datetime, timedelta

WAITS_FOR = timedelta(days=1)
"""A file that is not made by then was lost. The person may ask for another one."""
KEPT_FOR = timedelta(days=7)
DOWNLOADED_FOR = timedelta(minutes=15)
"""The first download may be repeated for so long, because its connection may have broken."""


def ends_if_waiting(created_at: datetime) -> datetime:
    """When a file that is not made yet is given up."""
    return created_at + WAITS_FOR


def ends_if_ready(ready_at: datetime) -> datetime:
    """When a file that nobody downloads is deleted."""
    return ready_at + KEPT_FOR


def ends_if_downloaded(expires_at: datetime, downloaded_at: datetime) -> datetime:
    """When a file is deleted whose first download began at a time."""
    return min(expires_at, downloaded_at + DOWNLOADED_FOR)
