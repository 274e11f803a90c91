"""Attempts: started and resumed, answered, closed, graded, and their results."""

from app.services.attempts.closing import (
    after_end,
    close,
    close_overdue,
    closing_delay,
    end_all,
    is_late,
    submit,
)
from app.services.attempts.grading import (
    grade,
    grade_batch,
    request_grading,
    request_missing_grading,
    withdraw_results,
)
from app.services.attempts.packing import pack_batch, pack_old_logs
from app.services.attempts.response_checks import Response, SentResponse, UnreadableResponse
from app.services.attempts.results import (
    ResultView,
    result,
    result_together,
    reviewed_key,
    submitted_result,
)
from app.services.attempts.save_reports import ClosedResponse, LateSave, SaveReport, StandingAnswer
from app.services.attempts.saving import SaveTarget, save_and_commit
from app.services.attempts.starting import (
    NewAttempt,
    StartedAttempt,
    create,
    lock_candidate,
    next_number,
    require_access,
    resume,
    start,
    started_attempt,
)
from app.services.attempts.starting_together import StartRequest, start_together
from app.services.attempts.submitting_together import SubmitRequest, submit_together
from app.services.attempts.views import AttemptView, paper_together, section_windows, view, view_together

__all__ = [
    "AttemptView",
    "ClosedResponse",
    "LateSave",
    "NewAttempt",
    "Response",
    "ResultView",
    "SaveReport",
    "SaveTarget",
    "SentResponse",
    "StandingAnswer",
    "StartRequest",
    "StartedAttempt",
    "SubmitRequest",
    "UnreadableResponse",
    "after_end",
    "close",
    "close_overdue",
    "closing_delay",
    "create",
    "end_all",
    "grade",
    "grade_batch",
    "is_late",
    "lock_candidate",
    "next_number",
    "pack_batch",
    "pack_old_logs",
    "paper_together",
    "request_grading",
    "request_missing_grading",
    "require_access",
    "result",
    "result_together",
    "resume",
    "reviewed_key",
    "save_and_commit",
    "section_windows",
    "start",
    "start_together",
    "started_attempt",
    "submit",
    "submit_together",
    "submitted_result",
    "view",
    "view_together",
    "withdraw_results",
]
