"""The home screen of an app."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.engine.streaks import streak_days
from app.models import User
from app.repositories.analytics.progress import ListedAttempt
from app.repositories.tests import ListedTest
from app.services import exams, notifications, tests, users
from app.services.analytics import activity
from app.services.exams import ExamView
from app.services.unit_of_work import Reading
from app.services.users import Principal

MAX_RUNNING, MAX_EXAMS, MAX_RECENT, MAX_SUGGESTIONS = 10, 10, 5, 5


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
    viewer = tests.viewer(user)
    running = await reads.activity.running(viewer, MAX_RUNNING)
    graded = await reads.activity.latest_graded(viewer, MAX_RECENT)
    listed = await reads.progress.listed(viewer, [*running, *graded])
    return Home(
        profile=profile,
        unread=await notifications.count_unread(reads, user),
        in_progress=listed[: len(running)],
        exams=await exams.coming(reads, user, now, MAX_EXAMS),
        recent=listed[len(running) :],
        suggestions=await tests.suggestions(reads, user, now, MAX_SUGGESTIONS),
        streak_days=streak_days(await activity.moments(reads, user, now, zone), now, zone),
    )
