"""Moving the deadlines of attempts to what the exam's grants of extra time give their candidates now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.engine import steering
from app.engine.steering import AttemptState, Status
from app.engine.timing import NO_TIME
from app.models import AttemptRow, Exam
from app.models.message_data import AttemptChangedData, AttemptData, ExtendedData, attempt_fields
from app.services import attempts
from app.services.attempts.states import apply_state, state_of
from app.services.components import Components
from app.services.exams.steering import store_moved, tell_candidate
from app.services.unit_of_work import UnitOfWork

SECOND = timedelta(seconds=1)


class Regrant(StrEnum):
    """What a change of the extra time did to an attempt."""

    MOVED = "moved"
    REOPENED = "reopened"
    """Its deadline had ended it, and it continues."""
    KEPT = "kept"
    """It has ended, or no time is left to take back: it keeps the time that it had."""


@dataclass(frozen=True, slots=True)
class Regranted:
    """An attempt whose candidate's extra time has changed, and by how much its deadline has moved."""

    attempt_id: UUID
    paper_id: UUID | None
    user_id: UUID | None
    outcome: Regrant
    seconds: int
    deadline_at: datetime
    detail: str | None = None


async def regrant(
    uow: UnitOfWork,
    parts: Components,
    exam: Exam,
    due: Iterable[tuple[AttemptRow, timedelta]],
    now: datetime,
    *,
    dry_run: bool = False,
) -> Sequence[Regranted]:
    """Move the deadline of each of these locked attempts so that it has the extra time that is due.

    Attempts that have it already are left out of the result.
    """
    delay = attempts.closing_delay(parts.settings)
    found, moved = [], []
    for attempt, extra in due:
        missing = extra - timedelta(seconds=attempt.accommodation_seconds)
        if not missing:
            continue
        before = steering.end_if_overdue(state_of(attempt), now, delay)
        after = steering.change_extra_time(before, missing, now)
        found.append(_outcome(attempt, before, after, missing))
        if after != before and not dry_run:
            _apply(uow, exam, attempt, after, found[-1].seconds)
            moved.append(attempt)
    await store_moved(uow, moved)
    return found


def _outcome(attempt: AttemptRow, before: AttemptState, after: AttemptState, due: timedelta) -> Regranted:
    if after == before:
        outcome, detail = Regrant.KEPT, _why_kept(before, due)
    else:
        outcome, detail = Regrant.REOPENED if before.status != after.status else Regrant.MOVED, None
    return Regranted(
        attempt_id=attempt.id,
        paper_id=attempt.exam_paper_id,
        user_id=attempt.user_id,
        outcome=outcome,
        seconds=(after.deadline_at - before.deadline_at) // SECOND,
        deadline_at=after.deadline_at,
        detail=detail,
    )


def _why_kept(state: AttemptState, due: timedelta) -> str:
    keeps = "It keeps the time that it had."
    if state.status is Status.VOID:
        return f"The attempt is void. {keeps} The grant applies when the attempt is reopened."
    if state.status is not Status.SUBMITTED:
        return f"No time of the attempt is left to take back. {keeps}"
    if state.ended_by == "deadline" and due > NO_TIME:
        return f"The attempt's time would be over with this grant, too. {keeps} Reopen it with `seconds`."
    return f"The attempt has ended. {keeps} The grant applies when the attempt is reopened."


def _apply(uow: UnitOfWork, exam: Exam, attempt: AttemptRow, after: AttemptState, seconds: int) -> None:
    apply_state(attempt, after)
    tell_candidate(uow, exam, attempt, _message_of(attempt, seconds))


def _message_of(attempt: AttemptRow, seconds: int) -> AttemptData:
    """The message about a deadline that was moved by these seconds."""
    fields = attempt_fields(attempt)
    if seconds > 0:
        return ExtendedData(**fields, seconds=seconds)
    return AttemptChangedData(**fields, change="deadline_earlier", seconds=-seconds)
