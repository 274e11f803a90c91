"""Exams: edited, registered for, taken, run, monitored, and released."""

from app.services.exams.accommodation_holders import GrantHolder, Target
from app.services.exams.accommodations import (
    Accommodated,
    Grant,
    accommodate,
    accommodations,
)
from app.services.exams.answer_sheets import PaperDraft, hold_on_paper, import_answer_sheets
from app.services.exams.catalog import (
    ExamView,
    PaperView,
    announcements,
    announcements_for_attempt,
    audit,
    find,
    page,
    paper_view,
    papers,
    stage_of,
)
from app.services.exams.corrections import Corrected, Correction, correct
from app.services.exams.editing import (
    ExamDraft,
    ExamPaperDraft,
    ExamPaperUpdate,
    ExamUpdate,
    PublishedExam,
    StandingVersions,
    add_paper,
    change,
    change_paper,
    create,
    publish,
    remove_paper,
)
from app.services.exams.ending import (
    ClosedPaper,
    ClosePaper,
    cancel,
    close_paper,
    preview_cancel,
    preview_close,
    void_left_over,
)
from app.services.exams.events import announce, postpone, tell_windows
from app.services.exams.forecasts import Forecast, LeftOut, Listed
from app.services.exams.merit_lists import merit_list, merit_sheet
from app.services.exams.monitoring import Monitor, candidates, monitor
from app.services.exams.packages import package
from app.services.exams.registrations import claim, register, registrations, withdraw
from app.services.exams.regranting import Regrant, Regranted
from app.services.exams.release_preview import ReleasePreview, preview_release
from app.services.exams.releasing import Released, release
from app.services.exams.results import ExamResultView, result
from app.services.exams.steering import (
    Note,
    Order,
    Previewed,
    Steered,
    Verb,
    preview,
    steer,
    steer_one,
)
from app.services.exams.taking import StartedPaper, StartPaper, start, submit

__all__ = [
    "Accommodated",
    "ClosePaper",
    "ClosedPaper",
    "Corrected",
    "Correction",
    "ExamDraft",
    "ExamPaperDraft",
    "ExamPaperUpdate",
    "ExamResultView",
    "ExamUpdate",
    "ExamView",
    "Forecast",
    "Grant",
    "GrantHolder",
    "LeftOut",
    "Listed",
    "Monitor",
    "Note",
    "Order",
    "PaperDraft",
    "PaperView",
    "Previewed",
    "PublishedExam",
    "Regrant",
    "Regranted",
    "ReleasePreview",
    "Released",
    "StandingVersions",
    "StartPaper",
    "StartedPaper",
    "Steered",
    "Target",
    "Verb",
    "accommodate",
    "accommodations",
    "add_paper",
    "announce",
    "announcements",
    "announcements_for_attempt",
    "audit",
    "cancel",
    "candidates",
    "change",
    "change_paper",
    "claim",
    "close_paper",
    "correct",
    "create",
    "find",
    "hold_on_paper",
    "import_answer_sheets",
    "merit_list",
    "merit_sheet",
    "monitor",
    "package",
    "page",
    "paper_view",
    "papers",
    "postpone",
    "preview",
    "preview_cancel",
    "preview_close",
    "preview_release",
    "publish",
    "register",
    "registrations",
    "release",
    "remove_paper",
    "result",
    "stage_of",
    "start",
    "steer",
    "steer_one",
    "submit",
    "tell_windows",
    "void_left_over",
    "withdraw",
]
