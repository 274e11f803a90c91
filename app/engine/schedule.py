"""An exam's calendar: its stage, and what a paper's window allows, at a moment that is an argument."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.engine.timing import NO_TIME


class Stage(StrEnum):
    """Where an exam stands. `draft` is staff's alone; `cancelled` ends every other stage but `released`."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    CLOSED = "closed"
    PROVISIONAL_KEY = "provisional_key"
    FINAL_KEY = "final_key"
    RELEASED = "released"
    CANCELLED = "cancelled"


class PaperStatus(StrEnum):
    """What a paper's window allows: to wait, to enter, to go on, nothing more."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    ENTRY_CLOSED = "entry_closed"
    CLOSED = "closed"


@dataclass(frozen=True)
class ExamDates:
    """What an exam's stage is made of."""

    opens_at: datetime
    closes_at: datetime
    published_at: datetime | None = None
    cancelled_at: datetime | None = None
    key_stage: str | None = None
    released_at: datetime | None = None


@dataclass(frozen=True)
class Window:
    """When a paper may be entered, and when it ends for latecomers. `closed_at` is staff's early end."""

    starts_at: datetime
    entry_closes_at: datetime
    ends_at: datetime
    closed_at: datetime | None = None


def stage(exam: ExamDates, now: datetime) -> Stage:
    """The stage of an exam: what staff did goes before what the clock says."""
    if exam.released_at is not None:
        return Stage.RELEASED
    if exam.cancelled_at is not None:
        return Stage.CANCELLED
    if exam.published_at is None:
        return Stage.DRAFT
    if now < exam.opens_at:
        return Stage.SCHEDULED
    if now < exam.closes_at:
        return Stage.LIVE
    return Stage(exam.key_stage) if exam.key_stage else Stage.CLOSED


def paper_status(window: Window, now: datetime) -> PaperStatus:
    """What the window of a paper of a published exam allows; who is in it may have longer than `ends_at`."""
    if window.closed_at is not None or now >= window.ends_at:
        return PaperStatus.CLOSED
    if now < window.starts_at:
        return PaperStatus.SCHEDULED
    return PaperStatus.OPEN if now < window.entry_closes_at else PaperStatus.ENTRY_CLOSED


def registration_is_open(windows: Iterable[Window], now: datetime) -> bool:
    """Until the last paper's entry closes."""
    return any(window.closed_at is None and now < window.entry_closes_at for window in windows)


def postponed(window: Window, by: timedelta) -> Window:
    """The same window, so much later."""
    return Window(window.starts_at + by, window.entry_closes_at + by, window.ends_at + by)


def accommodation(own: timedelta | None, groups: Iterable[timedelta]) -> timedelta:
    """The extra time of one candidate: their own, which beats every group's, else their groups' longest.

    What is granted to a person was decided knowing the person. Among groups the longest counts, so that who
    belongs to two never loses by it.
    """
    return own if own is not None else max(groups, default=NO_TIME)


def disorder(window: Window) -> Sequence[tuple[str, str]]:
    """What is wrong with a paper's times by themselves, as (field, sentence)."""
    rules = (
        ("entry_closes_at", window.entry_closes_at > window.starts_at, "must be after starts_at"),
        ("ends_at", window.ends_at >= window.entry_closes_at, "must not be before entry_closes_at"),
    )
    return [(field, sentence) for field, holds, sentence in rules if not holds]


def out_of_exam(window: Window, opens_at: datetime, closes_at: datetime) -> Sequence[tuple[str, str]]:
    """What is wrong with them within their exam."""
    rules = (
        ("starts_at", window.starts_at >= opens_at, "must not be before the exam opens"),
        ("ends_at", window.ends_at <= closes_at, "must not be after the exam closes"),
    )
    return [(field, sentence) for field, holds, sentence in rules if not holds]
