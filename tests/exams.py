"""Exams of the tests."""

from datetime import datetime, timedelta
from uuid import UUID

from app.core.ids import uuid7
from app.models import DEFAULT_INSTITUTE_ID, Exam, ExamPaper
from app.services.unit_of_work import UnitOfWork


async def place_in_exam(uow: UnitOfWork, test_id: UUID, now: datetime, **times: datetime) -> None:
    """Put a test into a paper of an exam that is scheduled, or as `times` say."""
    exam = Exam(
        id=uuid7(),
        institute_id=DEFAULT_INSTITUTE_ID,
        title={"en": "All-India mock"},
        opens_at=now,
        closes_at=now + timedelta(days=1),
        **times,
    )
    uow.session.add(exam)
    await uow.session.flush()
    paper = ExamPaper(
        exam_id=exam.id,
        test_id=test_id,
        code="GS1",
        title={"en": "General Studies I"},
        starts_at=now,
        entry_closes_at=now + timedelta(days=1) / 2,
        ends_at=now + timedelta(days=1),
    )
    uow.session.add(paper)
    await uow.session.flush()
