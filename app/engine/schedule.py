"""The stage of an exam and the status of its papers at a given time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.engine.timing import NO_TIME
from app.sentences import Sentence


class ExamStage(StrEnum):
    """The stage of an exam. Only staff see a DRAFT; CANCELLED replaces every stage except RELEASED."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    CLOSED = "closed"
    PROVISIONAL_KEY = "provisional_key"
    FINAL_KEY = "final_key"
    RELEASED = "released"
    CANCELLED = "cancelled"


class PaperStatus(StrEnum):
    """What the window of a paper allows: to wait, to start, to continue, or nothing."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    ENTRY_CLOSED = "entry_closed"
    CLOSED = "closed"


@dataclass(frozen=True)
class ExamDates:
    """What staff have done with an exam. It decides the exam's stage together with the papers' windows."""

    published_at: datetime | None = None
    cancelled_at: datetime | None = None
    key_stage: str | None = None
    released_at: datetime | None = None


@dataclass(frozen=True)
class Window:
    """When a paper may be started, and when it ends. `closed_at` is set when staff close it early."""

    starts_at: datetime
    entry_closes_at: datetime
    ends_at: datetime
    closed_at: datetime | None = None


def stage(exam: ExamDates, windows: Iterable[Window], now: datetime) -> ExamStage:
    """Return the stage of an exam: LIVE while a paper is open, SCHEDULED before the first and between papers.

    Actions of staff come before the times of the papers.
    """
    if exam.released_at is not None:
        return ExamStage.RELEASED
    if exam.cancelled_at is not None:
        return ExamStage.CANCELLED
    if exam.published_at is None:
        return ExamStage.DRAFT
    statuses = {paper_status(window, now) for window in windows}
    if statuses & {PaperStatus.OPEN, PaperStatus.ENTRY_CLOSED}:
        return ExamStage.LIVE
    if PaperStatus.SCHEDULED in statuses:
        return ExamStage.SCHEDULED
    return ExamStage(exam.key_stage) if exam.key_stage else ExamStage.CLOSED


def paper_status(window: Window, now: datetime) -> PaperStatus:
    """Return the status of a paper of a published exam. A running attempt may have time beyond `ends_at`."""
    if window.closed_at is not None or now >= window.ends_at:
        return PaperStatus.CLOSED
    if now < window.starts_at:
        return PaperStatus.SCHEDULED
    return PaperStatus.OPEN if now < window.entry_closes_at else PaperStatus.ENTRY_CLOSED


def next_start(windows: Iterable[Window], now: datetime) -> datetime | None:
    """Return when the next paper starts. None if no paper is to come."""
    coming = [window.starts_at for window in windows if paper_status(window, now) is PaperStatus.SCHEDULED]
    return min(coming, default=None)


def is_over(window: Window, now: datetime) -> bool:
    """Return whether nobody can start or continue within the window. Extra time may go on beyond it."""
    return paper_status(window, now) is PaperStatus.CLOSED


def registration_is_open(windows: Iterable[Window], now: datetime) -> bool:
    """Return whether a candidate can register: until entry to the last paper closes."""
    return any(window.closed_at is None and now < window.entry_closes_at for window in windows)


def has_begun(windows: Iterable[Window], now: datetime) -> bool:
    """Return whether the first paper of an exam has opened or was closed."""
    return any(window.closed_at is not None or now >= window.starts_at for window in windows)


def postponed(window: Window, by: timedelta) -> Window:
    """Return the window moved by a duration."""
    return Window(window.starts_at + by, window.entry_closes_at + by, window.ends_at + by)


def accommodation(own: timedelta | None, groups: Iterable[timedelta]) -> timedelta:
    """Return the extra time of one candidate: their own grant, else the longest of their groups.

    A grant to a person replaces those of groups, even if it is shorter; zero is no grant. A candidate of two
    groups gets the longer grant.
    """
    return own or max(groups, default=NO_TIME)


_AFTER_START = Sentence("Send a time after starts_at.")
_NOT_BEFORE_ENTRY = Sentence("Send a time that is not before entry_closes_at.")
_NOT_BEFORE_EXAM = Sentence("Send a time that is not before the exam opens.")
_NOT_AFTER_EXAM = Sentence("Send a time that is not after the exam closes.")


def disorder(window: Window) -> Sequence[tuple[str, str]]:
    """Return the errors in the order of a paper's times, as (field, message)."""
    rules = (
        (
            "entry_closes_at",
            window.entry_closes_at > window.starts_at,
            _AFTER_START,
        ),
        (
            "ends_at",
            window.ends_at >= window.entry_closes_at,
            _NOT_BEFORE_ENTRY,
        ),
    )
    return [(field, sentence) for field, holds, sentence in rules if not holds]


def out_of_exam(window: Window, opens_at: datetime, closes_at: datetime) -> Sequence[tuple[str, str]]:
    """Return the errors of a paper's times outside of its exam, as (field, message)."""
    rules = (
        (
            "starts_at",
            window.starts_at >= opens_at,
            _NOT_BEFORE_EXAM,
        ),
        ("ends_at", window.ends_at <= closes_at, _NOT_AFTER_EXAM),
    )
    return [(field, sentence) for field, holds, sentence in rules if not holds]
