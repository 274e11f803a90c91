"""Who is known not to be banned, so that not every request asks the database."""

from datetime import datetime, timedelta
from uuid import UUID

from app.core.clock import Clock
from app.core.revocations import Revocations

_MAX_AGE = timedelta(minutes=1)
_MAX_USERS = 50_000


class ActiveUsers:
    """Users who were read as active, until somebody's tokens are revoked, and for a minute at most.

    A ban revokes the user's tokens, which each process learns at once or within seconds
    (docs/decisions/0004). So nobody is active here for longer than their access tokens are accepted.
    """

    def __init__(self, revocations: Revocations, clock: Clock) -> None:
        self._revocations = revocations
        self._clock = clock
        self._read: dict[UUID, datetime] = {}
        self._changes = revocations.changes

    def include(self, user_id: UUID) -> bool:
        """Whether the user was read as active a short time ago."""
        self._forget_after_changes()
        read_at = self._read.get(user_id)
        return read_at is not None and self._clock.now() - read_at < _MAX_AGE

    def add(self, user_id: UUID, changes_before: int) -> None:
        """Remember a user who was read as active.

        `changes_before` is the number of revocations before the reading: one that came during it may be of
        this user, who is not remembered then.
        """
        self._forget_after_changes()
        if changes_before == self._changes:
            if len(self._read) >= _MAX_USERS:
                self._read.clear()
            self._read[user_id] = self._clock.now()

    def _forget_after_changes(self) -> None:
        if self._changes != self._revocations.changes:
            self._changes = self._revocations.changes
            self._read.clear()
