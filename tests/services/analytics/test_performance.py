"""Series of results by day, week and month, and a year of study."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.core.errors import Invalid, NotFound
from app.engine.periods import Period, Span
from app.models import Question, ReviewCard
from app.services.analytics.performance import Series, SeriesFigures, SeriesOrder, performance
from app.services.analytics.study import DAYS, study
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from tests.builders.analytics import Given, sit
from tests.builders.attempts import add_candidate
from tests.builders.content import PublishedTest, add_questions, add_subject, publish_test
from tests.builders.exams import add_exam

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOON = datetime(2026, 6, 10, 6, 30, tzinfo=UTC)
"""A Wednesday, at noon in Delhi."""
NOTHING = SeriesFigures(0)
TWO_RIGHT = {0: Given(["a"], 60_000), 1: Given(["b"], 30_000)}
ONE_WRONG = {0: Given(["b"], 30_000)}


@pytest.fixture
async def candidate(uow: UnitOfWork) -> Principal:
    return await add_candidate(uow)


async def series(
    uow: UnitOfWork,
    candidate: Principal,
    first: str | None = None,
    last: str | None = None,
    period: Period = Period.DAY,
    subject_id: UUID | None = None,
) -> Series:
    days = [date.fromisoformat(day) if day else None for day in (first, last)]
    return await performance(uow, candidate, SeriesOrder(days[0], days[1], period, subject_id), NOON)


async def subject_of(uow: UnitOfWork, made: PublishedTest) -> UUID:
    return (await uow.session.get_one(Question, made.question_ids[0])).subject_id


class TestSeries:
    async def test_days_with_and_without_attempts(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        """Official and practice apart. Of 6 marks, two right answers are 4 and a wrong one is -2/3."""
        made = await publish_test(uow)
        await sit(uow, parts, candidate, made, TWO_RIGHT, NOON - 2 * DAY)
        await sit(uow, parts, candidate, made, ONE_WRONG, NOON)
        await sit(uow, parts, candidate, await publish_test(uow), {}, NOON)
        found = await series(uow, candidate, "2026-06-08")
        assert (found.span, found.timezone) == (Span(date(2026, 6, 8), date(2026, 6, 10)), "Asia/Kolkata")
        monday, tuesday, wednesday = found.parts
        assert monday.whole == monday.official == SeriesFigures(1, 2, 1.0, 200 / 3, 100.0, 1.5)
        assert (monday.practice, tuesday.whole) == (NOTHING, NOTHING)
        assert wednesday.whole == SeriesFigures(2, 1, 0.0, -50 / 9, 100.0, 0.5)
        assert wednesday.official == SeriesFigures(1, 0, None, 0.0, 100.0, None)
        assert wednesday.practice == SeriesFigures(1, 1, 0.0, -100 / 9, None, 0.5)

    @pytest.mark.parametrize(
        ("period", "first", "spans"),
        [
            (Period.WEEK, "2026-06-03", [("2026-06-03", "2026-06-07"), ("2026-06-08", "2026-06-10")]),
            (Period.MONTH, "2026-05-31", [("2026-05-31", "2026-05-31"), ("2026-06-01", "2026-06-10")]),
        ],
    )
    async def test_weeks_and_months(
        self,
        uow: UnitOfWork,
        parts: Components,
        candidate: Principal,
        period: Period,
        first: str,
        spans: list[tuple[str, str]],
    ) -> None:
        """The first part begins with the span, and has the attempt of its first day."""
        for day in (first, "2026-06-10"):
            at = datetime.fromisoformat(f"{day}T06:30:00+00:00")
            await sit(uow, parts, candidate, await publish_test(uow), TWO_RIGHT, at)
        found = await series(uow, candidate, first, period=period)
        assert [(str(part.span.first), str(part.span.last)) for part in found.parts] == spans
        assert [part.whole.attempts for part in found.parts] == [1, 1]

    async def test_days_are_those_of_the_time_zone(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        """An attempt that ends at 00:03 in Delhi belongs to that day, and to the day before in UTC."""
        at = datetime(2026, 6, 8, 18, 28, tzinfo=UTC)
        await sit(uow, parts, candidate, await publish_test(uow), TWO_RIGHT, at)
        found = await series(uow, candidate, "2026-06-08")
        assert [part.whole.attempts for part in found.parts] == [0, 1, 0]
        candidate = replace(candidate, timezone="UTC")
        found = await series(uow, candidate, "2026-06-08")
        assert [part.whole.attempts for part in found.parts] == [1, 0, 0]
        found = await series(uow, candidate, "2026-06-09", "2026-06-10")
        assert [part.whole.attempts for part in found.parts] == [0, 0]

    async def test_of_one_subject(self, uow: UnitOfWork, parts: Components, candidate: Principal) -> None:
        """In percent of what its questions can earn. Tests without it do not count."""
        polity, economy = await add_subject(uow), await add_subject(uow)
        questions = [
            *await add_questions(uow, [["a"], ["b"]], subject=polity),
            *await add_questions(uow, [["a"]], subject=economy),
        ]
        both = await publish_test(uow, same_as=PublishedTest(UUID(int=0), questions, []))
        await sit(uow, parts, candidate, both, TWO_RIGHT | {2: Given(["c"], 6_000)}, NOON)
        await sit(uow, parts, candidate, await publish_test(uow), TWO_RIGHT, NOON)
        whole = [
            (await series(uow, candidate, "2026-06-10", subject_id=subject.id)).parts[0].whole
            for subject in (polity, economy)
        ]
        assert whole == [
            SeriesFigures(1, 2, 1.0, 100.0, None, 1.5),
            SeriesFigures(1, 1, 0.0, -100 / 3, None, 0.1),
        ]
        with pytest.raises(NotFound):
            await series(uow, candidate, subject_id=uuid4())

    async def test_percentiles_and_the_embargo(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        """Of two participants the second one is at 50. A placed test has no result, and so no part in it."""
        made = await publish_test(uow)
        await sit(uow, parts, await add_candidate(uow), made, TWO_RIGHT, NOON)
        await sit(uow, parts, candidate, made, ONE_WRONG, NOON)
        assert (await series(uow, candidate)).parts[-1].whole.percentile == 50
        await add_exam(uow, made.id, NOON)
        assert (await series(uow, candidate)).parts[-1].whole == NOTHING

    @pytest.mark.parametrize(("period", "days"), [(Period.DAY, 30), (Period.WEEK, 84), (Period.MONTH, 365)])
    async def test_the_usual_length(
        self, uow: UnitOfWork, candidate: Principal, period: Period, days: int
    ) -> None:
        found = await series(uow, candidate, period=period)
        assert found.span == Span(NOON.date() - (days - 1) * DAY, NOON.date())

    @pytest.mark.parametrize(
        ("first", "last", "period"),
        [
            ("2026-06-11", None, Period.DAY),
            ("2025-01-01", "2026-06-10", Period.DAY),
            ("2000-01-01", "2026-06-10", Period.WEEK),
            ("2000-01-01", "2100-01-01", Period.MONTH),
        ],
    )
    async def test_a_span_that_cannot_be(
        self, uow: UnitOfWork, candidate: Principal, first: str, last: str | None, period: Period
    ) -> None:
        with pytest.raises(Invalid):
            await series(uow, candidate, first, last, period)


class TestStudy:
    async def test_somebody_new(self, uow: UnitOfWork, candidate: Principal) -> None:
        found = await study(uow, candidate, NOON)
        assert len(found.days) == DAYS
        assert {(day.attempts, day.answers, day.minutes) for day in found.days} == {(0, 0, None)}
        assert (found.best, found.streak_days, found.longest_streak_days) == ([], 0, 0)

    async def test_days_best_results_and_streaks(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        """A retake is practice and no best result. What is a year old counts for the streak only."""
        one, two = await publish_test(uow), await publish_test(uow)
        await sit(uow, parts, candidate, one, ONE_WRONG, NOON)
        await sit(uow, parts, candidate, one, TWO_RIGHT, NOON)
        best = await sit(uow, parts, candidate, two, TWO_RIGHT, NOON - DAY)
        for ago in (365, 366, 367):
            await sit(uow, parts, candidate, await publish_test(uow), TWO_RIGHT, NOON - ago * DAY)
        found = await study(uow, candidate, NOON + timedelta(hours=1))
        days = [(day.attempts, day.answers, day.minutes) for day in found.days]
        assert days[-2:] == [(1, 2, 1.5), (2, 3, 2.0)]
        assert (found.days[0].day, days[0]) == (date(2025, 6, 11), (0, 0, None))
        assert [each.attempt.test_id for each in found.best] == [two.id, one.id]
        assert (found.best[0].attempt.id, found.best[0].percentile) == (best.id, 100)
        assert found.best[0].score_percent == 200 / 3
        assert (found.streak_days, found.longest_streak_days) == (2, 3)

    async def test_what_is_due_until_midnight(
        self, uow: UnitOfWork, parts: Components, candidate: Principal
    ) -> None:
        """Of three cards, one was due last week, one is due tonight, and one after midnight in Delhi."""
        made = await publish_test(uow)
        attempt = await sit(uow, parts, candidate, made, ONE_WRONG, NOON - 7 * DAY)
        for question_id, due_at in zip(
            made.question_ids, (NOON - 6 * DAY, NOON + 11 * HOUR, NOON + 13 * HOUR), strict=True
        ):
            card = ReviewCard(
                user_id=candidate.id,
                question_id=question_id,
                attempt_id=attempt.id,
                ground="missed",
                due_at=due_at,
                reviewed_at=NOON - 7 * DAY,
                stability=1.0,
                difficulty=5.0,
                reviews=1,
            )
            uow.session.add(card)
        await uow.session.flush()
        assert (await study(uow, candidate, NOON)).due_today == 2
        await add_exam(uow, made.id, NOON)
        assert (await study(uow, candidate, NOON)).due_today == 0
