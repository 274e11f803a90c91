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
from app.services.attempts.saving import Response, SaveReport, Standing, save
from app.services.attempts.starting import (
    Started,
    begin,
    hand_over,
    hold_person,
    next_number,
    section_windows,
    start,
    take_up,
)

__all__ = [
    "AnsweredAttempt",
    "Response",
    "ResultView",
    "SaveReport",
    "Standing",
    "Started",
    "answered",
    "ask_for_grading",
    "begin",
    "close",
    "close_overdue",
    "closing_delay",
    "grade_batch",
    "grade_closed",
    "grade_forgotten",
    "hand_over",
    "hold_person",
    "is_late",
    "keep_results",
    "marked",
    "next_number",
    "result",
    "save",
    "section_windows",
    "start",
    "submit",
    "take_up",
    "withdraw_results",
]
