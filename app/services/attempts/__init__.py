"""Attempts: started and resumed, answered, closed, graded, and their results."""

from app.services.attempts.closing import after_end, close, close_overdue, closing_delay, is_late, submit
from app.services.attempts.grading import (
    grade,
    grade_batch,
    request_grading,
    request_missing_grading,
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
    "LateSave",
    "NewAttempt",
    "Response",
    "ResultView",
    "SaveReport",
    "SaveTarget",
    "StandingAnswer",
    "StartedAttempt",
    "after_end",
    "close",
    "close_overdue",
    "closing_delay",
    "create",
    "grade",
    "grade_batch",
    "is_late",
    "lock_candidate",
    "next_number",
    "request_grading",
    "request_missing_grading",
    "result",
    "resume",
    "save",
    "section_windows",
    "start",
    "started_attempt",
    "submit",
    "withdraw_results",
]
