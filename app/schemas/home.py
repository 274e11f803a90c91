"""The home screen of an app."""

from datetime import datetime
from typing import Self

from app.schemas.analytics.progress import MyAttemptOut
from app.schemas.common import Out
from app.schemas.exams.catalog import ExamOut
from app.schemas.test_catalog import TestOut
from app.schemas.users import ProfileOut
from app.services.home import Home


class HomeOut(Out):
    """What a home screen shows. `unread` counts notifications.

    `in_progress` are your running attempts and `recent` your latest results, newest first. `exams` are those
    that are not over: first those that you are registered for, then those that you can register for, each in
    the order of their start. `suggestions` are tests that you may take and have not taken, those with most
    candidates first.
    """

    server_time: datetime
    profile: ProfileOut
    unread: int
    in_progress: list[MyAttemptOut]
    exams: list[ExamOut]
    recent: list[MyAttemptOut]
    suggestions: list[TestOut]
    streak_days: int

    @classmethod
    def of(cls, home: Home, now: datetime) -> Self:
        """The parts of a home screen."""
        return cls(
            server_time=now,
            profile=ProfileOut.model_validate(home.profile),
            unread=home.unread,
            in_progress=[MyAttemptOut.of(listed) for listed in home.in_progress],
            exams=[ExamOut.of(view) for view in home.exams],
            recent=[MyAttemptOut.of(listed) for listed in home.recent],
            suggestions=[TestOut.of(listed) for listed in home.suggestions],
            streak_days=home.streak_days,
        )
