"""A person's activity: days on which they studied, and the streak of these days."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from app.engine.streaks import Presence, day_of
from app.repositories.analytics.activity import ActiveAttempt
from app.services import tests
from app.services.unit_of_work import Reading
from app.services.users import Principal


async def moments(reads: Reading, user: Principal, now: datetime, zone: tzinfo) -> Sequence[datetime]:
    """When the user certainly worked on an attempt: at its start, its submission and its last save.

    The last save is read only where it may lie on another day: if somebody else ended the attempt, or nobody.
    """
    attempts = await reads.activity.attempts(tests.viewer(user))
    open_ended = [attempt.id for attempt in attempts if _may_reach_another_day(attempt, now, zone)]
    saves = await reads.activity.last_saves(open_ended) if open_ended else {}
    presences = [
        Presence(attempt.started_at, _submitted_at(attempt), saves.get(attempt.id)) for attempt in attempts
    ]
    return [moment for presence in presences for moment in presence.moments]


def _submitted_at(attempt: ActiveAttempt) -> datetime | None:
    """Nobody knows whether the candidate was there when the deadline or staff ended the attempt."""
    return attempt.ended_at if attempt.closed_by == "candidate" else None


def _may_reach_another_day(attempt: ActiveAttempt, now: datetime, zone: tzinfo) -> bool:
    if attempt.closed_by == "candidate":
        return False
    return day_of(attempt.started_at, zone) != day_of(attempt.ended_at or now, zone)
