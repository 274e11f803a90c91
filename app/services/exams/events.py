"""Actions on a whole exam: announcements, postponement, cancellation, and closing a paper."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.core.errors import NotFound, NotPossible
from app.engine import schedule
from app.models import Announcement, AttemptStatus, Exam, ExamPaper, LocalizedText
from app.repositories.realtime.messages import exam_room
from app.services import attempts
from app.services.exams.audit import record
from app.services.exams.catalog import require_team, window_of
from app.services.exams.steering import replace_results, tell_candidate
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator


async def announce(
    uow: UnitOfWork, staff: Principal, exam_id: UUID, text: LocalizedText, now: datetime
) -> Announcement:
    """Send an announcement to the exam's room. It is stored for those who are not connected."""
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    if exam.published_at is None:
        raise NotPossible("The exam is not published; nobody is there to hear it.")
    record(uow, staff, "announce", exam)
    return await _store_announcement(uow, staff, exam, text, now)


async def close_paper(
    uow: UnitOfWork, staff: Principal, exam_id: UUID, paper_id: UUID, reason: str | None, now: datetime
) -> tuple[ExamPaper, int]:
    """Close entry to a paper and end its running attempts. Returns the number of ended attempts."""
    exam = await _running(uow, staff, exam_id)
    paper = _named(await uow.exams.lock_papers_exclusively(exam.id), paper_id)
    paper.closed_at = paper.closed_at or now
    ended = await uow.exam_attempts.lock_running(exam.id, paper.id)
    for attempt in ended:
        await attempts.close(uow, attempt, "staff", now)
        tell_candidate(uow, exam, attempt, "force_submitted")
    record(uow, staff, "close", exam, reason=reason, paper=paper.code, attempts=len(ended))
    await uow.exams.flush()
    return paper, len(ended)


async def postpone(
    uow: UnitOfWork, staff: Principal, exam_id: UUID, seconds: int, reason: str, now: datetime
) -> Exam:
    """Postpone every paper that has not begun, and the exam's times. Raises NotPossible if all have begun."""
    exam, by = await _running(uow, staff, exam_id), timedelta(seconds=seconds)
    waiting = [paper for paper in await uow.exams.lock_papers_exclusively(exam.id) if now < paper.starts_at]
    if not waiting:
        raise NotPossible("Every paper has begun. Pause the attempts, or give them more time.")
    for paper in waiting:
        later = schedule.postponed(window_of(paper), by)
        paper.starts_at, paper.entry_closes_at, paper.ends_at = (
            later.starts_at,
            later.entry_closes_at,
            later.ends_at,
        )
        paper.opening_told_at = None  # Its opening is announced again at the new time.
    if now < exam.opens_at:
        exam.opens_at += by
    exam.closes_at += by
    record(uow, staff, "postpone", exam, reason=reason, seconds=seconds, papers=[p.code for p in waiting])
    codes, minutes = ", ".join(paper.code for paper in waiting), _minutes(seconds)
    text = {
        "en": f"Postponed by {minutes} min: {codes}. {reason}",
        "hi": f"{minutes} मिनट के लिए स्थगित: {codes}. {reason}",
    }
    await _store_announcement(uow, staff, exam, text, now)
    uow.jobs.add("notify_postponed", exam_id=str(exam.id))
    return exam


async def cancel(uow: UnitOfWork, staff: Principal, exam_id: UUID, reason: str, now: datetime) -> Exam:
    """Cancel an exam: entry closes and its attempts become void. Cancelling again changes nothing."""
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    require_team(exam, staff)
    if exam.cancelled_at is not None:
        return exam
    if exam.released_at is not None:
        raise NotPossible("The results are released.")
    await uow.exams.lock_papers_exclusively(exam.id)
    exam.cancelled_at = now
    voided = await _void(uow, exam, now)
    record(uow, staff, "cancel", exam, reason=reason, attempts=voided)
    if exam.published_at is not None:
        text = {"en": f"The exam is cancelled. {reason}", "hi": f"परीक्षा रद्द की गई है। {reason}"}
        await _store_announcement(uow, staff, exam, text, now)
        uow.jobs.add("notify_cancelled", exam_id=str(exam.id))
    return exam


async def void_left_over(uow: UnitOfWork, now: datetime) -> int:
    """Void the attempts that are not void in one cancelled exam, if there is such an exam; how many.

    Nobody enters a cancelled exam. This ends what earlier versions let in behind the cancellation,
    which neither its candidate nor staff could end.
    """
    found = await uow.exam_attempts.cancelled_with_attempts()
    if found is None:
        return 0
    exam = await uow.exams.lock(*found)
    voided = await _void(uow, exam, now)
    record(uow, operator(), "void_left_over", exam, attempts=voided)
    return voided


async def _void(uow: UnitOfWork, exam: Exam, now: datetime) -> int:
    """Void all attempts of a locked exam."""
    voided = [
        attempt
        for attempt in await uow.exam_attempts.lock_all(exam.id, None)
        if attempt.status != AttemptStatus.VOID
    ]
    for attempt in voided:
        attempt.status, attempt.paused_at = AttemptStatus.VOID, None
        attempt.submitted_at = attempt.submitted_at or now
        attempt.closed_by = attempt.closed_by or "staff"
    await replace_results(uow, voided)
    return len(voided)


async def tell_windows(uow: UnitOfWork, now: datetime) -> int:
    """Send messages about papers that have opened or closed since the last call. Returns their number."""
    opened, closed = await uow.exams.mark_opening_announced(now), await uow.exams.mark_closing_announced(now)
    for kind, papers in (("paper_opened", opened), ("paper_closed", closed)):
        for paper in papers:
            data = {
                "paper_id": str(paper.id),
                "code": paper.code,
                "entry_closes_at": paper.entry_closes_at.isoformat(),
                "ends_at": paper.ends_at.isoformat(),
            }
            uow.messages.to_everybody(exam_room(paper.exam_id), kind, data)
    return len(opened) + len(closed)


def _named(papers: Sequence[ExamPaper], paper_id: UUID) -> ExamPaper:
    for paper in papers:
        if paper.id == paper_id:
            return paper
    raise NotFound("exam paper")


async def _running(uow: UnitOfWork, staff: Principal, exam_id: UUID) -> Exam:
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    if exam.published_at is None:
        raise NotPossible("The exam is not published.")
    if exam.cancelled_at is not None or exam.released_at is not None:
        raise NotPossible("The exam is over.")
    return exam


async def _store_announcement(
    uow: UnitOfWork, staff: Principal, exam: Exam, text: LocalizedText, now: datetime
) -> Announcement:
    said = Announcement(exam_id=exam.id, text=text, created_by=staff.author_id, created_at=now)
    await uow.exams.add(said)
    data = {"announcement_id": str(said.id), "text": text}
    uow.messages.to_everybody(exam_room(exam.id), "announcement", data)
    return said


def _minutes(seconds: int) -> str:
    """Minutes, with a fraction if there is one."""
    return f"{seconds / 60:g}"
