"""The home screen of an app."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.engine.streaks import streak_days
from app.models import AttemptStatus, User
from app.repositories.analytics.progress import AttemptFilter, ListedAttempt
from app.repositories.base import PageRequest
from app.repositories.tests import ListedTest
from app.services import exams, notifications, tests, users
from app.services.analytics import activity, progress
from app.services.exams import ExamView
from app.services.unit_of_work import Reading
from app.services.users import Principal

RUNNING = (AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)
MOST_RUNNING, MOST_EXAMS, MOST_RECENT, MOST_SUGGESTIONS = 10, 10, 5, 5


@dataclass(frozen=True, slots=True)
class Home:
    """What a home screen shows."""

    profile: User
    unread: int
    in_progress: Sequence[ListedAttempt]
    exams: Sequence[ExamView]
    recent: Sequence[ListedAttempt]
    suggestions: Sequence[ListedTest]
    streak_days: int


async def home(reads: Reading, user: Principal, now: datetime) -> Home:
    """Everything that a home screen shows to this user."""
    profile = await users.profile(reads, user)
    zone = ZoneInfo(profile.timezone)
    running = await progress.attempts(reads, user, AttemptFilter(statuses=RUNNING), PageRequest(MOST_RUNNING))
    graded = AttemptFilter(statuses=(AttemptStatus.GRADED,))
    recent = await progress.attempts(reads, user, graded, PageRequest(MOST_RECENT))
    return Home(
        profile=profile,
        unread=await notifications.count_unread(reads, user),
        in_progress=running.items,
        exams=await exams.coming(reads, user, now, MOST_EXAMS),
        recent=recent.items,
        suggestions=await tests.suggestions(reads, user, now, MOST_SUGGESTIONS),
        streak_days=streak_days(await activity.moments(reads, user, now, zone), now, zone),
    )
