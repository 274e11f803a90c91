"""Builders of chapters, calibrated questions, and graded attempts with their figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from app.core.ids import uuid7
from app.models import Attempt, Chapter, Question, Subject
from app.repositories.analytics.test_statistics import NewParameters
from app.services import attempts
from app.services.analytics import figures
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, principal_of
from tests.builders.attempts import TIME_TAKEN, ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, add_questions, publish_test
from tests.builders.people import user_id_of
from tests.builders.saves import save_uncommitted


@dataclass(frozen=True)
class Given:
    """One answer of an attempt."""

    answer: Any
    ms: int = 0
    confidence: str | None = None


async def sit(
    uow: UnitOfWork,
    parts: Components,
    candidate: Principal,
    made: PublishedTest,
    answers: Mapping[int, Given],
    at: datetime,
) -> Attempt:
    """A graded attempt, started `at` this time and five minutes long, with its figures."""
    attempt = await start_attempt(uow, parts, made, at, candidate)
    sent = [
        response(made, number, given.answer, time_spent_ms=given.ms, confidence=given.confidence)
        for number, given in answers.items()
    ]
    if sent:
        await save_uncommitted(uow, parts, target_of(attempt), sent, at)
    graded = await attempts.submit(uow, parts, ref_of(attempt), at + TIME_TAKEN)
    await figures.calculate(uow, parts, [attempt.id])
    return graded


async def principal_of_client(uow: UnitOfWork, client: httpx.AsyncClient) -> Principal:
    """The user of a client, as services take it."""
    member = await uow.users.member(await user_id_of(client))
    assert member is not None
    return principal_of(member.summary, "session", datetime.now(UTC))


async def add_chapter(uow: UnitOfWork, subject: Subject, name: str, position: int = 0) -> Chapter:
    chapter = Chapter(
        id=uuid7(), subject_id=subject.id, slug=name.lower(), name={"en": name}, position=position
    )
    uow.session.add(chapter)
    await uow.session.flush()
    return chapter


async def add_test(
    uow: UnitOfWork, subject: Subject, chapters: Sequence[Chapter | None], **changes: Any
) -> PublishedTest:
    """A test with one question for each chapter, all keyed a."""
    questions = await add_questions(uow, [["a"]] * len(chapters), subject=subject)
    for question_id, chapter in zip(questions, chapters, strict=True):
        (await uow.session.get_one(Question, question_id)).chapter_id = chapter.id if chapter else None
    await uow.session.flush()
    return await publish_test(uow, same_as=PublishedTest(UUID(int=0), questions, []), **changes)


async def calibrate(uow: UnitOfWork, made: PublishedTest, difficulty: float = 0.0) -> None:
    """Give all questions of a test the same parameters."""
    paper_id = await uow.session.scalar(
        text("select id from ias.papers where test_id = :id"), {"id": made.id}
    )
    errors = {"difficulty_error": 0.1, "discrimination_error": 0.1, "guessing_error": 0.0}
    await uow.test_statistics.store_parameters(
        [
            NewParameters(
                question_id=question_id,
                question_version=1,
                model="1pl",
                difficulty=difficulty,
                discrimination=1.0,
                guessing=0.0,
                answers=500,
                cohort_id=made.id,
                paper_id=UUID(str(paper_id)),
                computed_at=datetime(2026, 1, 1, tzinfo=UTC),
                **errors,
            )
            for question_id in made.question_ids
        ]
    )
