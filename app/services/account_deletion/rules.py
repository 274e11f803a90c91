"""When a deleted account is purged (docs/decisions/0063)."""

from datetime import datetime, timedelta
from enum import Enum

from app.services.auth.revocations import TOKEN_LIFETIME


class Step(Enum):
    """What the purge of an account does next."""

    AUTH_SERVER = "auth_server"
    """Delete the account at the auth server."""
    ROWS = "rows"
    """Delete everything else."""


PURGED_AFTER = TOKEN_LIFETIME
"""The time between the two steps. After it no access token is valid that could make a profile again."""


def next_step(
    requested_at: datetime, auth_deleted_at: datetime | None, hold: timedelta
) -> tuple[Step, datetime]:
    """The next step of the purge, and when it is due."""
    if auth_deleted_at is None:
        return Step.AUTH_SERVER, requested_at + hold
    return Step.ROWS, auth_deleted_at + PURGED_AFTER
