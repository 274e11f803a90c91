"""Attempts: started and resumed, answered, closed, graded, and their results."""

from app.services.attempts.closing import close, close_overdue, closing_delay, is_late, submit
from app.services.attempts.grading import (
    AnsweredAttempt,
    answered,
    ask_for_grading,
    grade_batch,
    grade_closed,
    grade_forgotten,
    keep_results,
    marked,
    withdraw_results,
)
from app.services.attempts.results import ResultView, result
from app.services.attempts.saving import LateSave, Response, SaveReport, SaveTarget, StandingAnswer, save
from app.services.attempts.starting import (
    NewAttempt,
    StartedAttempt,
    create,
    lock_candidate,
    next_number,
    resume,
    section_windows,
    start,
    started_attempt,
)

__all__ = [
    "AnsweredAttempt",
    "LateSave",
    "NewAttempt",
    "Response",
    "ResultView",
    "SaveReport",
    "SaveTarget",
    "StandingAnswer",
    "StartedAttempt",
    "answered",
    "ask_for_grading",
    "close",
    "close_overdue",
    "closing_delay",
    "create",
    "grade_batch",
    "grade_closed",
    "grade_forgotten",
    "is_late",
    "keep_results",
    "lock_candidate",
    "marked",
    "next_number",
    "result",
    "resume",
    "save",
    "section_windows",
    "start",
    "started_attempt",
    "submit",
    "withdraw_results",
]
