"""Ending for all: a paper is closed, or an exam is cancelled. Each can be tried in a dry run first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import NotFound, NotPossible
from app.engine import timing
from app.engine.steering import Exemption
from app.models import Exam, ExamPaper
from app.services import attempts
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.catalog import require_team
from app.services.exams.events import require_running, store_announcement
from app.services.exams.forecasts import Forecast, LeftOut, forecast
from app.services.exams.releasing import refresh_statistics
from app.services.exams.steering import Previewed, StaffAction, Steered, Verb, carry_out
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator


@dataclass(frozen=True, slots=True)
class ClosePaper:
    """A request to close a paper. Attempts that are paused or have extra time end only if included."""

    exam_id: UUID
    paper_id: UUID
    reason: str | None = None
    include: frozenset[Exemption] = frozenset()


@dataclass(frozen=True, slots=True)
class ClosedPaper:
    """A closed paper, and what became of its attempts."""

    paper: ExamPaper
    steered: Steered

    @property
    def left_out(self) -> LeftOut:
        """The attempts that go on to their own deadlines."""
        assert self.steered.left_out is not None  # noqa: S101 -- an action that ends all attempts always says it
        return self.steered.left_out


async def close_paper(
    uow: UnitOfWork, parts: Components, staff: Principal, wanted: ClosePaper, now: datetime
) -> ClosedPaper:
    """Close entry to a paper and end its running attempts.

    Those that are left out go on to their own deadlines, or until somebody resumes or ends them.
    """
    exam = await require_running(uow, staff, wanted.exam_id)
    paper = _named(await uow.exams.lock_papers_exclusively(exam.id), wanted.paper_id)
    paper.closed_at = paper.closed_at or now
    action = StaffAction(Verb.SUBMIT, wanted.reason, "all", include=wanted.include, audit_action="close")
    running = await uow.exam_attempts.lock_running(exam.id, paper.id)
    delay = attempts.closing_delay(parts.settings)
    closed = ClosedPaper(paper, await carry_out(uow, staff, exam, action, running, now, delay))
    record(
        uow,
        staff,
        "close",
        exam,
        reason=wanted.reason,
        paper=paper.code,
        attempts=len(closed.steered.steps),
        left_out=closed.left_out.attempts,
    )
    await uow.exams.flush()
    return closed


async def preview_close(
    uow: UnitOfWork, parts: Components, staff: Principal, wanted: ClosePaper, now: datetime
) -> Previewed:
    """What `close_paper` would do. Nothing is changed. Raises what `close_paper` raises."""
    async with uow.dry_run():
        closed = await close_paper(uow, parts, staff, wanted, now)
        expected = await forecast(uow, wanted.exam_id, closed.steered.steps, now)
        return Previewed(expected, len(closed.steered.unchanged), [], closed.left_out)


async def cancel(uow: UnitOfWork, staff: Principal, exam_id: UUID, reason: str, now: datetime) -> Exam:
    """Cancel an exam: entry closes and its attempts become void. Cancelling again changes nothing."""
    exam, _ = await _cancel(uow, staff, exam_id, reason, now)
    return exam


async def preview_cancel(
    uow: UnitOfWork, staff: Principal, exam_id: UUID, reason: str, now: datetime
) -> Forecast:
    """What `cancel` would do. Nothing is changed. Raises what `cancel` raises."""
    async with uow.dry_run():
        _, steered = await _cancel(uow, staff, exam_id, reason, now)
        return await forecast(uow, exam_id, steered.steps, now)


async def void_left_over(uow: UnitOfWork, now: datetime) -> int:
    """Void the attempts that are not void in one cancelled exam, if there is such an exam; how many.

    Nobody enters a cancelled exam. This ends what earlier versions let in behind the cancellation,
    which neither its candidate nor staff could end.
    """
    found = await uow.exam_attempts.cancelled_with_attempts()
    if found is None:
        return 0
    exam = await uow.exams.lock(*found)
    action = StaffAction(Verb.VOID, None, "all", audit_action="void_left_over")
    voided = await _void_all(uow, operator(), exam, action, now)
    record(uow, operator(), "void_left_over", exam, attempts=len(voided.steps))
    return len(voided.steps)


async def _cancel(
    uow: UnitOfWork, staff: Principal, exam_id: UUID, reason: str, now: datetime
) -> tuple[Exam, Steered]:
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    require_team(exam, staff)
    if exam.cancelled_at is not None:
        return exam, Steered()
    if exam.released_at is not None:
        raise NotPossible("The results are released.")
    await uow.exams.lock_papers_exclusively(exam.id)
    exam.cancelled_at = now
    action = StaffAction(Verb.VOID, reason, "all", audit_action="cancel")
    voided = await _void_all(uow, staff, exam, action, now)
    record(uow, staff, "cancel", exam, reason=reason, attempts=len(voided.steps))
    await refresh_statistics(uow, exam.id)
    if exam.published_at is not None:
        text = {"en": f"The exam is cancelled. {reason}", "hi": f"परीक्षा रद्द की गई है। {reason}"}
        await store_announcement(uow, staff, exam, text, now)
        uow.jobs.add("notify_cancelled", exam_id=str(exam.id))
    return exam, voided


async def _void_all(
    uow: UnitOfWork, staff: Principal, exam: Exam, action: StaffAction, now: datetime
) -> Steered:
    """Void all attempts of a locked exam."""
    found = await uow.exam_attempts.lock_all(exam.id, None)
    return await carry_out(uow, staff, exam, action, found, now, delay=timing.NO_TIME)


def _named(papers: Sequence[ExamPaper], paper_id: UUID) -> ExamPaper:
    for paper in papers:
        if paper.id == paper_id:
            return paper
    raise NotFound("exam paper")
