"""The content of the benchmark database: a paper of 100 questions in two languages, and candidates."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from pydantic import SecretStr
from sqlalchemy import ARRAY, Uuid, bindparam, text

from app.config import Settings
from app.core.clock import SystemClock
from app.database import create_engine
from app.models import DEFAULT_INSTITUTE_ID
from app.services import exams, tests
from app.services.questions import import_questions
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import operator

QUESTIONS = 100
TITLE = {"en": "Benchmark", "hi": "मापदंड"}
_TEXT = "{}. Consider the following statements about the Constitution of India, and choose the right one. "
_HINDI = "{}. भारत के संविधान के बारे में निम्नलिखित कथनों पर विचार कीजिए और सही कथन चुनिए। "
_MARKING = {
    "correct": "2",
    "incorrect": "-2/3",
    "unattempted": "0",
    "partial": "none",
    "dropped": "prorate",
    "rounding": "upsc",
}

PEOPLE = text(
    """
    with people as (
      insert into ias.users (id, email, name)
      select id, replace(id::text, '-', '') || '@example.org', 'Asha Rao' from unnest(:ids) as id
      returning id
    )
    insert into ias.memberships (id, institute_id, user_id)
    select gen_random_uuid(), :institute_id, id from people
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("institute_id", type_=Uuid))
REGISTRATIONS = text(
    """
    insert into ias.registrations (id, exam_id, user_id, roll_number, name, category)
    select gen_random_uuid(), :exam_id, id, id, name, 'general' from ias.users
    """
)


@dataclass(frozen=True)
class Content:
    """The test and its candidates."""

    test_id: UUID
    question_ids: Sequence[UUID]
    candidates: Sequence[UUID]
    exam_paper: tuple[UUID, UUID]
    """An exam that is open for an hour, and its paper. All candidates are registered."""


async def make_content(database_url: str, candidates: int) -> Content:
    """Import questions, publish a test and create user profiles."""
    engine = create_engine(Settings(database_url=SecretStr(database_url)), pool_size=1)
    async with unit_of_work(engine) as uow:
        test_id, question_ids = await _publish(uow, first=1)
        people = [uuid4() for _ in range(candidates)]
        await uow.session.execute(PEOPLE, {"ids": people, "institute_id": DEFAULT_INSTITUTE_ID})
        exam_paper = await _hold_exam(uow)
    await engine.dispose()
    return Content(test_id, question_ids, people, exam_paper)


async def _hold_exam(uow: UnitOfWork) -> tuple[UUID, UUID]:
    test_id, _ = await _publish(uow, first=QUESTIONS + 1)
    staff, now = operator(), SystemClock().now()
    end = now + timedelta(hours=1)
    exam = await exams.create(uow, staff, exams.ExamDraft(TITLE, now, end))
    draft = exams.ExamPaperDraft("GS", TITLE, test_id, now, end, end)
    paper = await exams.add_paper(uow, staff, exam.id, draft)
    await exams.publish(uow, staff, exam.id, now)
    await uow.session.execute(REGISTRATIONS, {"exam_id": exam.id})
    return exam.id, paper.id


async def _publish(uow: UnitOfWork, first: int) -> tuple[UUID, Sequence[UUID]]:
    author = operator()
    report = await import_questions(uow, author, _sheet(first), subject="Polity")
    draft = tests.TestDraft(
        title=TITLE,
        kind="full",
        duration_seconds=7200,
        marking=_MARKING,
        languages=["en", "hi"],
        sections=[tests.SectionDraft(name=TITLE, question_ids=report.item_ids)],
    )
    test = await tests.create(uow, author, draft)
    await tests.publish(uow, author, test.id, SystemClock().now())
    return test.id, report.item_ids


def _sheet(first: int) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    options = [f"option_{letter}{language}" for letter in "abcd" for language in ("", "_hi")]
    rows.writerow(["question", "question_hi", "key", *options])
    for number in range(first, first + QUESTIONS):
        given = [f"Only the statement {option // 2 + 1} of {number}" for option in range(8)]
        rows.writerow([4 * _TEXT.format(number), 4 * _HINDI.format(number), "b", *given])
    return text.getvalue().encode()
