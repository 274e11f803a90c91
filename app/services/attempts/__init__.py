"""Attempts: started and resumed, answered, closed, graded, and their results."""

from app.services.attempts.closing import close_overdue, grade_closed, grade_forgotten, submit
from app.services.attempts.results import ResultView, result
from app.services.attempts.saving import Response, SaveReport, Standing, save
from app.services.attempts.starting import Started, start

__all__ = [
    "Response",
    "ResultView",
    "SaveReport",
    "Standing",
    "Started",
    "close_overdue",
    "grade_closed",
    "grade_forgotten",
    "result",
    "save",
    "start",
    "submit",
]
