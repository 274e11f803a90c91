"""Exams and registrations as rows, which `tests/api/test_prepared.py` compares with those of requests."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from random import randrange
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import and_, select

from app.core.ids import uuid7
from app.database import driver_connection
from app.engine import schedule
from app.models import AuditEntry, Exam, ExamPaper, Paper, Test
from app.schemas.exams.catalog import ExamOut, ExamPaperOut, PublishedExamOut
from app.schemas.exams.exams import ExamIn, ExamPaperIn
from app.services.exams import DetailedPaper, ExamDraft, ExamPaperDraft, ExamView, PublishedExam, catalog
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Principal, operator
from tests.builders.people import parts_of, user_id_of
from tests.builders.rows import insert_rows

Json = dict[str, Any]
MILLISECOND = timedelta(milliseconds=1)
_REGISTER = """
    with place as (
        insert into ias.registrations (id, exam_id, user_id, roll_number, name, category, pwbd)
        select $1, $2, id, $3, name, category, pwbd from ias.users where id = $4
        on conflict (exam_id, user_id) do nothing returning id
    )
    insert into ias.jobs (id, task, arguments)
    select $5, 'notify_registered', jsonb_build_object('registration_id', id) from place
"""


async def write_exam(
    staff: httpx.AsyncClient, body: Json, papers: Sequence[Json], *, publish: bool
) -> tuple[Json, list[Json]]:
    """Write an exam and its papers from the bodies of requests. Returns what the requests answer."""
    parts, author = parts_of(staff), replace(operator(), id=await user_id_of(staff))
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:
        exam = _exam(author, ExamIn.model_validate(body).draft())
        rows = [_paper(exam, ExamPaperIn.model_validate(each).draft()) for each in papers]
        if publish:
            await _publish(uow, exam, rows, now)
        await insert_rows(uow.session, [exam], rows, _entries(author, exam, rows))
        contents = await uow.exams.contents([row.id for row in rows])
    placed = [DetailedPaper(catalog.paper_view(row, now), contents[row.id]) for row in rows]
    shown = [ExamPaperOut.of(each).model_dump(mode="json") for each in placed]
    return _shown(exam, rows, now).model_dump(mode="json"), shown


def _exam(author: Principal, draft: ExamDraft) -> Exam:
    return Exam(id=uuid7(), institute_id=author.institute_id, created_by=author.id, **_columns(draft))


def _paper(exam: Exam, draft: ExamPaperDraft) -> ExamPaper:
    return ExamPaper(id=uuid7(), exam_id=exam.id, **_columns(draft))


def _columns(draft: ExamDraft | ExamPaperDraft) -> Json:
    return {each.name: getattr(draft, each.name) for each in fields(draft)}


async def _publish(uow: UnitOfWork, exam: Exam, rows: Sequence[ExamPaper], now: datetime) -> None:
    """Pin the current versions of the papers' tests."""
    current = and_(Paper.test_id == Test.id, Paper.version == Test.paper_version)
    statement = select(Test.id, Paper.id).join(Paper, current)
    found = await uow.session.execute(statement.where(Test.id.in_([row.test_id for row in rows])))
    versions: dict[UUID, UUID] = dict(found.all())
    for row in rows:
        row.paper_id = versions[row.test_id]
    exam.published_at = now


def _entries(author: Principal, exam: Exam, rows: Sequence[ExamPaper]) -> list[AuditEntry]:
    """The entries of the audit log. Each id has a millisecond of its own, because they are listed by ids."""
    done: list[tuple[str, Json]] = [("create", {})]
    done += [("add_paper", {"paper": row.code, "test_id": str(row.test_id)}) for row in rows]
    if exam.published_at is not None:
        done.append(("publish", {"papers": {row.code: str(row.paper_id) for row in rows}}))
    now = datetime.now(UTC)
    return [
        AuditEntry(
            id=uuid7(now - (len(done) - position) * MILLISECOND),
            institute_id=exam.institute_id,
            actor_id=author.id,
            action=action,
            subject_id=exam.id,
            exam_id=exam.id,
            details=details,
        )
        for position, (action, details) in enumerate(done)
    ]


def _shown(exam: Exam, rows: Sequence[ExamPaper], now: datetime) -> ExamOut:
    next_start_at = schedule.next_start(map(catalog.window_of, rows), now)
    view = ExamView(exam, catalog.stage_of(exam, rows, now), next_start_at, registration=None)
    if exam.published_at is None:
        return ExamOut.of(view)
    return PublishedExamOut.of_publication(PublishedExam(exam, None), view)


async def write_registration(client: httpx.AsyncClient, exam_id: UUID) -> None:
    """Register a candidate, unless they are registered, with a roll number that nobody else has."""
    roll_number = str(randrange(10_000_000, 100_000_000))
    async with driver_connection(parts_of(client).engine) as connection:
        await connection.execute(_REGISTER, uuid7(), exam_id, roll_number, await user_id_of(client), uuid7())
