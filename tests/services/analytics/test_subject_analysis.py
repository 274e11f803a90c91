"""One subject of a candidate: counts by place, verdicts, times, the trend, and questions missed again."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.core.errors import NotFound
from app.models import Subject
from app.services.analytics.subject_analysis import SubjectAnalysis, SubjectMarks, subject_analysis
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from tests.builders.analytics import Given, add_chapter, add_test, calibrate, sit
from tests.builders.attempts import add_candidate
from tests.builders.content import add_subject
from tests.builders.exams import add_exam

NOON = datetime(2026, 6, 10, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)
RIGHT, WRONG = Given(["a"], 30_000), Given(["b"], 60_000)


@pytest.fixture
async def candidate(uow: UnitOfWork) -> Principal:
    return await add_candidate(uow)


async def analysis(uow: UnitOfWork, candidate: Principal, subject: Subject) -> SubjectAnalysis:
    return await subject_analysis(uow, candidate, subject.id)


class TestCounts:
    async def test_official_and_practice_by_chapter_difficulty_and_tag(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        """Chapters in the order of the syllabus. The first question is hard, and has two tags."""
        subject = await add_subject(uow)
        late, early = [
            await add_chapter(uow, subject, name, place) for name, place in (("Late", 2), ("Early", 1))
        ]
        made = await add_test(uow, subject, [late, early, early, None])
        await uow.session.execute(
            text(
                "update ias.question_versions set difficulty = 'hard', tags = '{map,pyq}'"
                " where question_id = :id"
            ),
            {"id": made.question_ids[0]},
        )
        await sit(uow, parts, candidate, made, {0: RIGHT, 1: WRONG}, NOON)
        await sit(uow, parts, candidate, made, {3: RIGHT}, NOON + DAY)
        found = await analysis(uow, candidate, subject)
        assert found.attempts == 2
        official, practice = found.figures.official, found.figures.practice
        assert (official.seen, official.answered, official.correct, official.unattempted) == (4, 2, 1, 2)
        assert (practice.seen, practice.answered, practice.correct) == (4, 1, 1)
        assert official.accuracy.value == 0.5
        assert official.accuracy.n == 2
        marks = SubjectMarks(Fraction(2), Fraction(2, 3), Fraction(8), 90_000, found.official_marks.rounding)
        assert found.official_marks == marks
        assert found.official_marks.percent == pytest.approx(100 / 6)
        assert found.official_marks.rounding == "upsc"
        by_chapter = [
            (
                each.chapter.id if each.chapter else None,
                each.figures.official.seen,
                each.figures.official.correct,
            )
            for each in found.chapters
        ]
        assert by_chapter == [(early.id, 2, 0), (late.id, 1, 1), (None, 1, 0)]
        assert [(label, each.official.seen) for label, each in found.difficulties] == [("hard", 1), (None, 3)]
        assert [(tag, each.official.correct) for tag, each in found.tags] == [("map", 1), ("pyq", 1)]
        assert [point.attempt.practice for point in found.trend] == [False, True]
        assert [point.score_percent for point in found.trend] == pytest.approx([100 / 6, 25])

    async def test_of_somebody_new_and_of_no_subject(self, uow: UnitOfWork, candidate: Principal) -> None:
        subject = await add_subject(uow)
        found = await analysis(uow, candidate, subject)
        assert (found.attempts, found.chapters, found.trend, found.missed) == (0, [], [], [])
        assert found.figures.official.accuracy.reason == "You have answered none of these questions."
        assert found.times.pace.value is None
        assert found.trend_verdict.verdict is None
        with pytest.raises(NotFound):
            await subject_analysis(uow, candidate, uuid4())

    async def test_what_an_exam_withholds_is_not_there(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        subject = await add_subject(uow)
        made = await add_test(uow, subject, [None])
        await sit(uow, parts, candidate, made, {0: RIGHT}, NOON)
        await add_exam(uow, made.id, NOON)
        assert await analysis(uow, candidate, subject) == await analysis(
            uow, await add_candidate(uow), subject
        )


class TestVerdicts:
    async def test_chapters_that_differ_by_more_than_chance(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        """Fifteen questions right in one chapter, fifteen wrong in another, and two in a third."""
        subject = await add_subject(uow)
        strong, weak, small = [await add_chapter(uow, subject, name) for name in ("Strong", "Weak", "Small")]
        made = await add_test(uow, subject, [strong] * 15 + [weak] * 15 + [small] * 2)
        await sit(
            uow,
            parts,
            candidate,
            made,
            dict.fromkeys(range(15), RIGHT) | dict.fromkeys(range(15, 30), WRONG),
            NOON,
        )
        unknown = {each.strength.verdict for each in (await analysis(uow, candidate, subject)).chapters}
        assert unknown == {"not_proven"}
        await calibrate(uow, made)
        found = {
            each.chapter.id: each.strength
            for each in (await analysis(uow, candidate, subject)).chapters
            if each.chapter
        }
        assert (found[strong.id].verdict, found[weak.id].verdict) == ("strength", "weakness")
        assert (found[small.id].verdict, found[small.id].n) == ("not_proven", 2)
        assert "There are 2." in (found[small.id].reason or "")

    async def test_a_question_that_was_seen_before_is_no_evidence(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        """All wrong at first, all right in the retake: the chapter has no strength from its retake."""
        subject = await add_subject(uow)
        one, other = [await add_chapter(uow, subject, name) for name in ("One", "Other")]
        made = await add_test(uow, subject, [one] * 15 + [other] * 15)
        await calibrate(uow, made)
        wrong, right = dict.fromkeys(range(30), WRONG), dict.fromkeys(range(15), RIGHT)
        await sit(uow, parts, candidate, made, wrong, NOON)
        await sit(uow, parts, candidate, made, wrong | right, NOON + DAY)
        found = await analysis(uow, candidate, subject)
        assert [(each.strength.verdict, each.strength.n) for each in found.chapters] == [
            ("not_proven", 15)
        ] * 2

    @pytest.mark.parametrize(
        ("before", "after", "verdict"), [(2, 14, "up"), (14, 2, "down"), (8, 10, "within_noise")]
    )
    async def test_the_trend(
        self, uow: UnitOfWork, parts: Components, candidate: Principal, before: int, after: int, verdict: str
    ) -> None:
        """Right answers among sixteen questions, before and after."""
        subject = await add_subject(uow)
        for number, right in enumerate((before, after)):
            made = await add_test(uow, subject, [None] * 16)
            await calibrate(uow, made)
            answers = {position: RIGHT if position < right else WRONG for position in range(16)}
            await sit(uow, parts, candidate, made, answers, NOON + number * DAY)
        found = (await analysis(uow, candidate, subject)).trend_verdict
        assert (found.verdict, found.n) == (verdict, 32)


class TestTimes:
    async def test_against_the_participants(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        """Twelve answers, each in twice the median. Wrong answers took longer, blanks were looked at."""
        subject = await add_subject(uow)
        made = await add_test(uow, subject, [None] * 13)
        answers = (
            dict.fromkeys(range(6), RIGHT) | dict.fromkeys(range(6, 12), WRONG) | {12: Given(None, 9_000)}
        )
        await sit(uow, parts, candidate, made, answers, NOON)
        row = (
            await uow.session.execute(
                text(
                    "select cohort_id, paper_id, key_id from ias.results join ias.attempts on id = attempt_id"
                    " where test_id = :id"
                ),
                {"id": made.id},
            )
        ).one()
        await uow.test_statistics.store(
            (row.cohort_id, row.paper_id),
            test_id=made.id,
            key_id=row.key_id,
            participants=50,
            right_answers=0,
            attempts=50,
            computed_at=NOON,
            median_ms=[15_000] * 6 + [30_000] * 6 + [None],
            option_counts=[],
            analysis={},
        )
        times = (await analysis(uow, candidate, subject)).times
        assert times.pace.value == pytest.approx(2)
        assert (times.pace.n, times.own_ms, times.others_ms) == (12, 30_000, 22_500)
        assert (times.right_ms, times.wrong_ms, times.blank_ms) == (30_000, 60_000, 9_000)


class TestMissed:
    async def test_twice_wrong_and_only_where_the_review_is_open(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        """One question is wrong, wrong and right, another wrong and blank. One test has no review."""
        subject = await add_subject(uow)
        made = await add_test(uow, subject, [None, None])
        secret = await add_test(uow, subject, [None], review="never")
        for number, answers in enumerate(({0: WRONG, 1: WRONG}, {0: WRONG}, {0: RIGHT})):
            last = await sit(uow, parts, candidate, made, answers, NOON + number * DAY)
            await sit(uow, parts, candidate, secret, {0: WRONG}, NOON + number * DAY)
        (missed,) = (await analysis(uow, candidate, subject)).missed
        assert (missed.question_id, missed.missed, missed.seen) == (made.question_ids[0], 2, 3)
        assert (missed.right_since, missed.attempt_id, missed.test_id) == (True, last.id, made.id)
        assert missed.last_missed_at.date() == (NOON + DAY).date()
