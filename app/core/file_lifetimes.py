"""How long files that jobs create for users are kept (docs/decisions/0063 and 0080)."""

from datetime import datetime, timedelta

CREATION_TIMEOUT = timedelta(days=1)
"""A file that is not ready by then is considered lost. The person may ask for another one."""
RETENTION = timedelta(days=7)
REPEAT_DOWNLOAD_FOR = timedelta(minutes=15)
"""The first download may be repeated for this long, in case its connection broke."""


def expiry_while_waiting(created_at: datetime) -> datetime:
    """When to give up on a file that is not ready."""
    return created_at + CREATION_TIMEOUT


def expiry_when_ready(ready_at: datetime) -> datetime:
    """When to delete a file that has not been downloaded."""
    return ready_at + RETENTION


def expiry_after_download(expires_at: datetime, downloaded_at: datetime) -> datetime:
    """When to delete a file after its first download."""
    return min(expires_at, downloaded_at + REPEAT_DOWNLOAD_FOR)
