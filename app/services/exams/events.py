"""Actions on a whole exam that end nothing: announcements, postponement, and messages about windows."""

from datetime import datetime, timedelta
from uuid import UUID

from app.core.errors import NotPossible
from app.engine import schedule
from app.models import Announcement, Exam, LocalizedText
from app.models.message_data import AnnouncementData, PaperClosedData, PaperOpenedData
from app.repositories.realtime.messages import exam_room
from app.services.exams.audit import record
from app.services.exams.catalog import window_of
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


async def announce(
    uow: UnitOfWork, staff: Principal, exam_id: UUID, text: LocalizedText, now: datetime
) -> Announcement:
    """Send an announcement to the exam's room. It is stored for those who are not connected."""
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    if exam.published_at is None:
        raise NotPossible("The exam is not published; nobody is there to hear it.")
    record(uow, staff, "announce", exam)
    return await store_announcement(uow, staff, exam, text, now)


async def postpone(
    uow: UnitOfWork, staff: Principal, exam_id: UUID, seconds: int, reason: str, now: datetime
) -> Exam:
    """Postpone every paper that has not begun, and the exam's times. Raises NotPossible if all have begun."""
    exam, by = await require_running(uow, staff, exam_id), timedelta(seconds=seconds)
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
    await store_announcement(uow, staff, exam, text, now)
    uow.jobs.add("notify_postponed", exam_id=str(exam.id))
    return exam


async def announce_windows(uow: UnitOfWork, now: datetime) -> int:
    """Send messages about papers that have opened or closed since the last call. Returns their number."""
    opened, closed = await uow.exams.mark_opening_announced(now), await uow.exams.mark_closing_announced(now)
    for kind, papers in ((PaperOpenedData, opened), (PaperClosedData, closed)):
        for paper in papers:
            data = kind(
                paper_id=paper.id,
                code=paper.code,
                entry_closes_at=paper.entry_closes_at,
                ends_at=paper.ends_at,
            )
            uow.messages.to_everybody(exam_room(paper.exam_id), data)
    return len(opened) + len(closed)


async def require_running(uow: UnitOfWork, staff: Principal, exam_id: UUID) -> Exam:
    """Lock an exam that is published and not over. Raises NotFound or NotPossible."""
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    if exam.published_at is None:
        raise NotPossible("The exam is not published.")
    if exam.cancelled_at is not None or exam.released_at is not None:
        raise NotPossible("The exam is over.")
    return exam


async def store_announcement(
    uow: UnitOfWork, staff: Principal, exam: Exam, text: LocalizedText, now: datetime
) -> Announcement:
    """Store an announcement and send it to the exam's room. The caller has locked the exam.

    The message has the announcement's id, so that its acknowledgements are counted by that id.
    """
    said = Announcement(exam_id=exam.id, text=text, created_by=staff.author_id, created_at=now)
    await uow.exams.add(said)
    data = AnnouncementData(announcement_id=said.id, text=text)
    uow.messages.to_everybody(exam_room(exam.id), data, message_id=said.id)
    return said


def _minutes(seconds: int) -> str:
    """Minutes, with a fraction if there is one."""
    return f"{seconds / 60:g}"
