"""The content of the benchmark database: a paper of 100 questions in two languages, and candidates."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from pydantic import SecretStr
from sqlalchemy import ARRAY, Uuid, bindparam, text

from app.config import Settings
from app.core.clock import SystemClock
from app.database import create_engine
from app.models import DEFAULT_INSTITUTE_ID
from app.services import tests
from app.services.questions import import_questions
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import operator

QUESTIONS = 100
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


@dataclass(frozen=True)
class Content:
    """The test and its candidates."""

    test_id: UUID
    question_ids: Sequence[UUID]
    candidates: Sequence[UUID]


async def make_content(database_url: str, candidates: int) -> Content:
    """Import questions, publish a test and create user profiles."""
    engine = create_engine(Settings(database_url=SecretStr(database_url)), pool_size=1)
    async with unit_of_work(engine) as uow:
        test_id, question_ids = await _publish(uow)
        people = [uuid4() for _ in range(candidates)]
        await uow.session.execute(PEOPLE, {"ids": people, "institute_id": DEFAULT_INSTITUTE_ID})
    await engine.dispose()
    return Content(test_id, question_ids, people)


async def _publish(uow: UnitOfWork) -> tuple[UUID, Sequence[UUID]]:
    author, title = operator(), {"en": "Benchmark", "hi": "मापदंड"}
    report = await import_questions(uow, author, _sheet(), subject="Polity")
    draft = tests.TestDraft(
        title=title,
        kind="full",
        duration_seconds=7200,
        marking=_MARKING,
        languages=["en", "hi"],
        sections=[tests.SectionDraft(name=title, question_ids=report.item_ids)],
    )
    test = await tests.create(uow, author, draft)
    await tests.publish(uow, author, test.id, SystemClock().now())
    return test.id, report.item_ids


def _sheet() -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    options = [f"option_{letter}{language}" for letter in "abcd" for language in ("", "_hi")]
    rows.writerow(["question", "question_hi", "key", *options])
    for number in range(1, QUESTIONS + 1):
        given = [f"Only the statement {option // 2 + 1} of {number}" for option in range(8)]
        rows.writerow([4 * _TEXT.format(number), 4 * _HINDI.format(number), "b", *given])
    return text.getvalue().encode()
