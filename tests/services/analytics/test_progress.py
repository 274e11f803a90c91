"""Progress as a person sees it: sums over the syllabus, its order, and days in a row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.core.errors import NotFound
from app.models import Chapter, Question, Subject
from app.repositories.analytics.progress import QuestionCounts
from app.services import attempts
from app.services.analytics import progress
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from tests.builders.attempts import TIME_TAKEN, add_candidate, graded_attempt, ref_of, start_attempt
from tests.builders.content import PublishedTest, add_questions, add_subject, publish_test

DAY = timedelta(days=1)
EVENING = datetime(2026, 6, 7, 18, 0, tzinfo=UTC)  # half past eleven in Delhi


@pytest.fixture
async def candidate(uow: UnitOfWork) -> Principal:
    return await add_candidate(uow)


class TestOverall:
    async def test_somebody_new(self, uow: UnitOfWork, candidate: Principal) -> None:
        seen = await progress.overall(uow, candidate, EVENING)
        assert (seen.attempts, seen.practice_attempts, seen.tests.taken) == (0, 0, 0)
        assert (seen.questions, seen.time_spent_ms) == (QuestionCounts(), 0)
        assert (seen.last_activity_at, seen.streak_days) == (None, 0)

    async def test_sums_over_subjects(self, uow: UnitOfWork, parts: Components, candidate: Principal) -> None:
        polity, economy = await add_subject(uow, "Polity"), await add_subject(uow, "Economy")
        for subject, answers in ((polity, {0: ["a"]}), (economy, {0: ["b"], 1: ["b"]})):
            made = await publish(uow, subject)
            await graded_attempt(uow, parts, candidate, made, answers, EVENING, time_spent_ms=100)
            await graded_attempt(uow, parts, candidate, made, {}, EVENING + DAY)
        seen = await progress.overall(uow, candidate, EVENING + DAY)
        assert (seen.attempts, seen.practice_attempts, seen.tests.taken) == (4, 2, 2)
        assert seen.questions == QuestionCounts(total=6, seen=6, correct=2, incorrect=1, unattempted=3)
        assert (seen.questions.attempted, seen.questions.accuracy) == (3, 2 / 3)
        assert seen.time_spent_ms == 300
        of_economy = next(each for each in seen.subjects if each.subject.id == economy.id)
        assert (of_economy.tests.taken, of_economy.tests.available) == (1, 1)
        assert of_economy.questions == QuestionCounts(total=3, seen=3, correct=1, incorrect=1, unattempted=1)
        assert of_economy.time_spent_ms == 200

    async def test_subjects_in_syllabus_order(self, uow: UnitOfWork, candidate: Principal) -> None:
        second, first = await add_subject(uow), await add_subject(uow)
        second.position, first.position = 999_999, 999_998
        await uow.subjects.flush()
        seen = await progress.overall(uow, candidate, EVENING)
        assert [each.subject.id for each in seen.subjects][-2:] == [first.id, second.id]

    @pytest.mark.parametrize(
        ("timezone", "days"), [("Asia/Kolkata", 2), ("UTC", 1), ("Pacific/Kiritimati", 1)]
    )
    async def test_a_sitting_over_midnight(
        self, uow: UnitOfWork, parts: Components, candidate: Principal, timezone: str, days: int
    ) -> None:
        """Begun at 18:28 and handed in at 18:33 in UTC, which are two days in Delhi alone."""
        began = EVENING + timedelta(minutes=28)
        await graded_attempt(uow, parts, candidate, await publish_test(uow), {}, began)
        there = replace(candidate, timezone=timezone)
        seen = await progress.overall(uow, there, began + timedelta(hours=1))
        assert (seen.last_activity_at, seen.streak_days) == (began + TIME_TAKEN, days)

    async def test_a_deadline_is_no_activity(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        made = await publish_test(uow, duration_seconds=86_400)
        attempt = await start_attempt(uow, parts, made, EVENING, candidate)
        await attempts.submit(uow, parts, ref_of(attempt), EVENING + 3 * DAY)
        seen = await progress.overall(uow, candidate, EVENING + 3 * DAY)
        assert (seen.attempts, seen.last_activity_at, seen.streak_days) == (1, EVENING, 0)


async def publish(uow: UnitOfWork, subject: Subject) -> PublishedTest:
    """A published test of the subject; its questions are the subject's, keyed a, b and c."""
    made = await publish_test(uow, subject_id=subject.id)
    for question_id in made.question_ids:
        (await uow.session.get_one(Question, question_id)).subject_id = subject.id
    await uow.session.flush()
    return made


async def add_chapter(
    uow: UnitOfWork, subject: Subject, position: int, parent: UUID | None = None
) -> Chapter:
    chapter = Chapter(
        subject_id=subject.id, slug=uuid4().hex, name={"en": "Rights"}, position=position, parent_id=parent
    )
    uow.subjects.add(chapter)
    await uow.subjects.flush()
    return chapter


class TestOfSubject:
    async def test_chapters_in_syllabus_order_each_with_its_own(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        subject = await add_subject(uow)
        last = await add_chapter(uow, subject, position=2)
        first = await add_chapter(uow, subject, position=1, parent=last.id)
        made = await publish(uow, subject)
        (await uow.session.get_one(Question, made.question_ids[0])).chapter_id = last.id
        await uow.session.flush()
        await graded_attempt(uow, parts, candidate, made, {0: ["a"], 1: ["a"]}, EVENING, time_spent_ms=100)
        seen = await progress.of_subject(uow, candidate, subject.id, EVENING)
        assert [(each.chapter, each.questions, each.time_spent_ms) for each in seen.chapters] == [
            (first, QuestionCounts(), 0),
            (last, QuestionCounts(total=1, seen=1, correct=1), 100),
            (None, QuestionCounts(total=2, seen=2, incorrect=1, unattempted=1), 100),
        ]
        assert seen.questions == QuestionCounts(total=3, seen=3, correct=1, incorrect=1, unattempted=1)
        assert (seen.time_spent_ms, seen.tests.taken, seen.tests.available) == (200, 1, 1)

    async def test_no_entry_for_questions_of_no_chapter_where_there_is_none(
        self, uow: UnitOfWork, candidate: Principal
    ) -> None:
        subject = await add_subject(uow)
        await add_questions(uow, (["a"],), subject=subject)  # in no paper
        chapter = await add_chapter(uow, subject, position=1)
        seen = await progress.of_subject(uow, candidate, subject.id, EVENING)
        assert [each.chapter for each in seen.chapters] == [chapter]
        assert seen.questions == QuestionCounts()

    async def test_no_such_subject(self, uow: UnitOfWork, candidate: Principal) -> None:
        with pytest.raises(NotFound):
            await progress.of_subject(uow, candidate, uuid4(), EVENING)
