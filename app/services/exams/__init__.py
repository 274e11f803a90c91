"""Exams: edited, registered for, taken, run, monitored, and released."""

from app.services.exams.accommodation_holders import GrantHolder, Target
from app.services.exams.accommodations import (
    Accommodated,
    Grant,
    accommodate,
    accommodations,
)
from app.services.exams.answer_sheets import PaperDraft, hold_on_paper, import_answer_sheets
from app.services.exams.applying import AppliedExam, apply_exam, is_unpublished, lock_exam, named
from app.services.exams.catalog import (
    DetailedPaper,
    ExamView,
    PaperView,
    announcements,
    announcements_for_attempt,
    audit,
    coming,
    detailed_paper,
    find,
    page,
    papers,
    view,
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
from app.services.exams.exports import export
from app.services.exams.forecasts import Forecast, LeftOut, Listed
from app.services.exams.key_stages import KeyStage, KeyStageView, preview_key, show_key
from app.services.exams.merit_lists import merit_list, merit_sheet
from app.services.exams.monitoring import Monitor, NoShows, candidates, monitor, no_shows
from app.services.exams.packages import package
from app.services.exams.paper_keys import KeyOfPaper, paper_key
from app.services.exams.registrations import claim, register, registrations, withdraw
from app.services.exams.regranting import Regrant, Regranted
from app.services.exams.release_preview import ReleasePreview, preview_release
from app.services.exams.releasing import Released, release
from app.services.exams.response_sheets import CandidateSheets, PaperSheet, response_sheets
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
    "AppliedExam",
    "CandidateSheets",
    "ClosePaper",
    "ClosedPaper",
    "Corrected",
    "Correction",
    "DetailedPaper",
    "ExamDraft",
    "ExamPaperDraft",
    "ExamPaperUpdate",
    "ExamResultView",
    "ExamUpdate",
    "ExamView",
    "Forecast",
    "Grant",
    "GrantHolder",
    "KeyOfPaper",
    "KeyStage",
    "KeyStageView",
    "LeftOut",
    "Listed",
    "Monitor",
    "NoShows",
    "Note",
    "Order",
    "PaperDraft",
    "PaperSheet",
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
    "apply_exam",
    "audit",
    "cancel",
    "candidates",
    "change",
    "change_paper",
    "claim",
    "close_paper",
    "coming",
    "correct",
    "create",
    "detailed_paper",
    "export",
    "find",
    "hold_on_paper",
    "import_answer_sheets",
    "is_unpublished",
    "lock_exam",
    "merit_list",
    "merit_sheet",
    "monitor",
    "named",
    "no_shows",
    "package",
    "page",
    "paper_key",
    "papers",
    "postpone",
    "preview",
    "preview_cancel",
    "preview_close",
    "preview_key",
    "preview_release",
    "publish",
    "register",
    "registrations",
    "release",
    "remove_paper",
    "response_sheets",
    "result",
    "show_key",
    "start",
    "steer",
    "steer_one",
    "submit",
    "tell_windows",
    "view",
    "void_left_over",
    "withdraw",
]
