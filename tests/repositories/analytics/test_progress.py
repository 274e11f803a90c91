"""Statements on progress: what counts, each question once, time, and the questions to come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.engine.grading import LETTERS
from app.engine.scoring import Outcome
from app.models import DEFAULT_INSTITUTE_ID, Attempt, Chapter, Exam, Question, ResponseEvent, Subject
from app.repositories.analytics.progress import QuestionCounts, TestCounts
from app.repositories.tests import Viewer
from app.services import attempts, tests
from app.services.components import Components
from app.services.tests import SectionDraft
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator
from tests.builders.attempts import add_candidate, graded_attempt, ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, add_questions, add_subject, publish_test
from tests.builders.exams import add_exam
from tests.builders.saves import save_uncommitted

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NOTHING = {"sittings": 0, "taken": 0, "seen": 0, "time": 0}
EVERYTHING = {"sittings": 1, "taken": 1, "seen": 3, "time": 1000}


@pytest.fixture
async def candidate(uow: UnitOfWork) -> Principal:
    return await add_candidate(uow)


@pytest.fixture
async def subject(uow: UnitOfWork) -> Subject:
    return await add_subject(uow)


@pytest.fixture
async def made(uow: UnitOfWork, subject: Subject) -> PublishedTest:
    return await publish(uow, subject)


async def publish(
    uow: UnitOfWork, subject: Subject, keys: Any = (["a"], ["b"], ["c"]), **more: Any
) -> PublishedTest:
    """A published test of the subject, with questions of the subject."""
    question_ids = await add_questions(uow, keys, subject=subject)
    sections = [SectionDraft(name={"en": "Paper"}, question_ids=question_ids)]
    made = await publish_test(uow, sections=sections, subject_id=subject.id, **more)
    return replace(made, question_ids=question_ids)


async def change(uow: UnitOfWork, made: PublishedTest, **values: Any) -> None:
    test = await uow.tests.draft(DEFAULT_INSTITUTE_ID, made.id)
    for name, value in values.items():
        setattr(test, name, value)
    await uow.tests.flush()


async def counted(uow: UnitOfWork, viewer: Viewer, subject: Subject) -> dict[str, int]:
    """What each of the statements has of the subject."""
    test_counts = await uow.progress.tests(viewer, LATER)
    outcomes = await uow.progress.outcomes(viewer)
    coverage = await uow.progress.coverage(viewer, subject.id, LATER)
    place = subject.id, None
    seen = outcomes.get(place, QuestionCounts())
    assert replace(coverage.get(place, QuestionCounts()), total=seen.total) == seen
    return {
        "sittings": len(await uow.progress.sittings(viewer)),
        "taken": test_counts.get(subject.id, TestCounts()).taken,
        "seen": seen.seen,
        "time": (await uow.progress.time_spent(viewer)).get(place, 0),
    }


class TestWhatCounts:
    async def test_by_state(
        self,
        uow: UnitOfWork,
        parts: Components,
        candidate: Principal,
        subject: Subject,
        made: PublishedTest,
    ) -> None:
        attempt = await graded_attempt(uow, parts, candidate, made, {0: ["a"]}, NOW, time_spent_ms=1000)
        for status, practice, expected in (
            ("graded", False, EVERYTHING),
            ("graded", True, EVERYTHING),
            ("in_progress", False, NOTHING),
            ("paused", False, NOTHING),
            ("submitted", False, NOTHING),
            ("void", False, NOTHING),
        ):
            attempt.status, attempt.practice = status, practice
            await uow.attempts.flush()
            assert await counted(uow, tests.viewer(candidate), subject) == expected, (status, practice)

    async def test_by_embargo(
        self,
        uow: UnitOfWork,
        parts: Components,
        candidate: Principal,
        subject: Subject,
        made: PublishedTest,
    ) -> None:
        await graded_attempt(uow, parts, candidate, made, {0: ["a"]}, NOW, time_spent_ms=1000)
        placed = await add_exam(uow, made.id, NOW)
        exam = await uow.session.get_one(Exam, placed.exam_id)
        for time, expected in (
            (None, NOTHING),
            ("published_at", NOTHING),
            ("released_at", EVERYTHING),
            ("cancelled_at", EVERYTHING),
        ):
            for name in ("published_at", "released_at", "cancelled_at"):
                setattr(exam, name, NOW if name == time else None)
            await uow.exams.flush()
            for is_staff in (False, True):
                viewer = replace(tests.viewer(candidate), is_staff=is_staff)
                assert await counted(uow, viewer, subject) == expected, (time, is_staff)

    async def test_ones_own_alone(
        self,
        uow: UnitOfWork,
        parts: Components,
        candidate: Principal,
        subject: Subject,
        made: PublishedTest,
    ) -> None:
        await graded_attempt(uow, parts, candidate, made, {0: ["a"]}, NOW, time_spent_ms=1000)
        mine = tests.viewer(candidate)
        for other in (replace(mine, user_id=UUID(int=7)), replace(mine, institute_id=UUID(int=8))):
            assert await counted(uow, other, subject) == NOTHING, other


async def set_outcome(uow: UnitOfWork, attempt: Attempt, outcome: str) -> None:
    """Let the first question of an attempt have come to this, as a later key may have it."""
    result = await uow.attempts.result(attempt.id)
    assert result is not None
    result.outcomes = LETTERS[Outcome(outcome)] + result.outcomes[1:]
    await uow.attempts.flush()


class TestOutcomes:
    async def test_each_is_counted(
        self, uow: UnitOfWork, parts: Components, candidate: Principal, subject: Subject
    ) -> None:
        keys = (["a"], ["b"], ["c"], {"dropped": True}, ["a", "b"])
        made = await publish(uow, subject, keys, type="multiple_choice", marking={"partial": "proportional"})
        answers = {0: ["a"], 1: ["c"], 3: ["d"], 4: ["a"]}
        await graded_attempt(uow, parts, candidate, made, answers, NOW)
        assert await uow.progress.outcomes(tests.viewer(candidate)) == {
            (subject.id, None): QuestionCounts(
                total=5, seen=5, correct=1, incorrect=1, partial=1, unattempted=1, dropped=1
            )
        }

    async def test_a_question_of_several_attempts_counts_once(
        self, uow: UnitOfWork, parts: Components, candidate: Principal, subject: Subject
    ) -> None:
        made = await publish(uow, subject, (["a"],))
        first = await graded_attempt(uow, parts, candidate, made, {}, NOW)
        second = await graded_attempt(uow, parts, candidate, made, {}, LATER)
        for earlier, later, stands in (
            ("correct", "incorrect", "incorrect"),
            ("incorrect", "correct", "correct"),
            ("correct", "partial", "partial"),
            ("correct", "unattempted", "correct"),
            ("incorrect", "dropped", "incorrect"),
            ("unattempted", "partial", "partial"),
            ("unattempted", "dropped", "dropped"),
            ("dropped", "unattempted", "unattempted"),
        ):
            await set_outcome(uow, first, earlier)
            await set_outcome(uow, second, later)
            assert await uow.progress.outcomes(tests.viewer(candidate)) == {
                (subject.id, None): QuestionCounts(total=1, seen=1, **{stands: 1})
            }, (earlier, later)

    async def test_a_question_of_several_tests_counts_once(
        self, uow: UnitOfWork, parts: Components, candidate: Principal, subject: Subject, made: PublishedTest
    ) -> None:
        section = SectionDraft(name={"en": "Again"}, question_ids=made.question_ids[:2])
        again = replace(await publish_test(uow, sections=[section]), question_ids=made.question_ids[:2])
        await graded_attempt(uow, parts, candidate, made, {0: ["b"], 2: ["c"]}, NOW)
        await graded_attempt(uow, parts, candidate, again, {0: ["a"], 1: ["c"]}, LATER)
        assert await uow.progress.outcomes(tests.viewer(candidate)) == {
            (subject.id, None): QuestionCounts(total=3, seen=3, correct=2, incorrect=1)
        }

    async def test_by_chapter(
        self, uow: UnitOfWork, parts: Components, candidate: Principal, subject: Subject, made: PublishedTest
    ) -> None:
        chapter = Chapter(subject_id=subject.id, slug="rights", name={"en": "Rights"})
        uow.subjects.add(chapter)
        await uow.subjects.flush()
        (await uow.session.get_one(Question, made.question_ids[1])).chapter_id = chapter.id
        await graded_attempt(uow, parts, candidate, made, {1: ["b"]}, NOW, time_spent_ms=700)
        viewer = tests.viewer(candidate)
        expected = {
            (subject.id, chapter.id): QuestionCounts(total=1, seen=1, correct=1),
            (subject.id, None): QuestionCounts(total=2, seen=2, unattempted=2),
        }
        assert await uow.progress.outcomes(viewer) == expected
        assert await uow.progress.coverage(viewer, subject.id, LATER) == expected
        assert await uow.progress.time_spent(viewer) == {(subject.id, chapter.id): 700}


class TestCoverage:
    async def total(self, uow: UnitOfWork, viewer: Viewer, subject: Subject) -> int:
        coverage = await uow.progress.coverage(viewer, subject.id, NOW)
        return sum(coverage.values(), QuestionCounts()).total

    @pytest.mark.parametrize(
        ("state", "is_staff", "total"),
        [
            pytest.param({}, False, 3, id="may be taken"),
            pytest.param({"status": "archived"}, False, 0, id="archived"),
            pytest.param({"access": "enrolled"}, False, 0, id="for others"),
            pytest.param({"available_from": LATER}, False, 0, id="not yet"),
            pytest.param({"access": "enrolled"}, True, 3, id="staff: for others"),
            pytest.param({"status": "archived"}, True, 0, id="staff: archived"),
        ],
    )
    async def test_unseen_questions_of_tests_that_may_be_taken(
        self,
        uow: UnitOfWork,
        candidate: Principal,
        subject: Subject,
        made: PublishedTest,
        state: dict[str, Any],
        is_staff: bool,
        total: int,
    ) -> None:
        await change(uow, made, **state)
        viewer = replace(tests.viewer(candidate), is_staff=is_staff)
        assert await self.total(uow, viewer, subject) == total

    async def test_not_those_that_an_exam_holds_back(
        self, uow: UnitOfWork, candidate: Principal, subject: Subject, made: PublishedTest
    ) -> None:
        await add_exam(uow, made.id, NOW)
        for is_staff in (False, True):
            viewer = replace(tests.viewer(candidate), is_staff=is_staff)
            assert await self.total(uow, viewer, subject) == 0, is_staff

    async def test_seen_ones_stay_when_their_test_is_gone(
        self, uow: UnitOfWork, parts: Components, candidate: Principal, subject: Subject, made: PublishedTest
    ) -> None:
        await graded_attempt(uow, parts, candidate, made, {0: ["a"]}, NOW)
        await change(uow, made, status="archived")
        assert await self.total(uow, tests.viewer(candidate), subject) == 3

    async def test_of_the_published_paper_not_of_the_draft(
        self, uow: UnitOfWork, candidate: Principal, subject: Subject, made: PublishedTest
    ) -> None:
        section = SectionDraft(name={"en": "Paper"}, question_ids=made.question_ids[:1])
        author = operator()
        await tests.change(uow, author, made.id, tests.TestUpdate(sections=[section]))
        assert await self.total(uow, tests.viewer(candidate), subject) == 3
        await tests.publish(uow, author, made.id, NOW)
        assert await self.total(uow, tests.viewer(candidate), subject) == 1

    async def test_a_question_of_several_tests_counts_once(
        self, uow: UnitOfWork, candidate: Principal, subject: Subject, made: PublishedTest
    ) -> None:
        section = SectionDraft(name={"en": "Again"}, question_ids=made.question_ids)
        await publish_test(uow, sections=[section])
        assert await self.total(uow, tests.viewer(candidate), subject) == 3


class TestTimeSpent:
    async def test_leases_and_attempts_add_up_and_late_answers_do_not_count(
        self, uow: UnitOfWork, parts: Components, candidate: Principal, subject: Subject, made: PublishedTest
    ) -> None:
        attempt = await start_attempt(uow, parts, made, NOW, candidate)
        for revision, spent in ((1, 1000), (2, 3000)):
            sent = [response(made, 0, ["a"], revision, time_spent_ms=spent)]
            await save_uncommitted(uow, parts, target_of(attempt), sent, NOW)
        await start_attempt(uow, parts, made, NOW, candidate)  # another device: the next lease
        await save_uncommitted(
            uow, parts, target_of(attempt), [response(made, 0, ["b"], time_spent_ms=500)], NOW
        )
        await attempts.submit(uow, parts, ref_of(attempt), NOW)
        await graded_attempt(uow, parts, candidate, made, {1: ["b"]}, LATER, time_spent_ms=20)
        late = ResponseEvent(
            attempt_id=attempt.id,
            question_id=made.question_ids[2],
            lease=1,
            revision=1,
            time_spent_ms=90_000,
            late=True,
        )
        uow.session.add(late)
        await uow.session.flush()
        viewer = tests.viewer(candidate)
        assert await uow.progress.time_spent(viewer) == {(subject.id, None): 3520}
        assert await uow.progress.time_spent(viewer, subject.id) == {(subject.id, None): 3520}
        other = await add_subject(uow)
        assert await uow.progress.time_spent(viewer, other.id) == {}


class TestTests:
    @pytest.mark.parametrize(
        ("state", "taken", "expected"),
        [
            pytest.param({}, False, TestCounts(0, 1), id="to be taken"),
            pytest.param({}, True, TestCounts(1, 1), id="taken, and may be again"),
            pytest.param({"status": "archived"}, True, TestCounts(1, 0), id="taken, gone"),
            pytest.param({"status": "draft"}, False, TestCounts(0, 0), id="draft"),
        ],
    )
    async def test_taken_and_available(
        self,
        uow: UnitOfWork,
        parts: Components,
        candidate: Principal,
        subject: Subject,
        made: PublishedTest,
        state: dict[str, Any],
        taken: bool,
        expected: TestCounts,
    ) -> None:
        if taken:
            await graded_attempt(uow, parts, candidate, made, {}, NOW)
            await graded_attempt(uow, parts, candidate, made, {}, LATER)
        await change(uow, made, **state)
        for is_staff in (False, True):
            viewer = replace(tests.viewer(candidate), is_staff=is_staff)
            assert (await uow.progress.tests(viewer, LATER))[subject.id] == expected, is_staff
