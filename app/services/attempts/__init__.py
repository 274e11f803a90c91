"""Attempts: started and resumed, answered, closed, graded, and their results."""

from app.services.attempts.closing import close, close_overdue, closing_delay, is_late, submit
from app.services.attempts.grading import (
    answer_of,
    grade,
    grade_batch,
    request_grading,
    request_missing_grading,
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
    "Response",
    "ResultView",
    "SaveReport",
    "Standing",
    "Started",
    "answer_of",
    "begin",
    "close",
    "close_overdue",
    "closing_delay",
    "grade",
    "grade_batch",
    "hand_over",
    "hold_person",
    "is_late",
    "next_number",
    "request_grading",
    "request_missing_grading",
    "result",
    "save",
    "section_windows",
    "start",
    "submit",
    "take_up",
    "withdraw_results",
]
