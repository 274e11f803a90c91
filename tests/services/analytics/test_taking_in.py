"""Attempts are taken into ratings and cards once, in a sequence that can be repeated."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from math import exp
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.database import create_engine
from app.models import (
    Attempt,
    AttemptFigures,
    CandidateRating,
    ChapterAnswers,
    Exam,
    ExamPaper,
    Job,
    QuestionRating,
    RatingWithdrawal,
    ReviewCard,
    SubjectAbility,
    SubjectRating,
)
from app.services import attempts
from app.services.analytics import abilities, figures, taking_in
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal
from tests.builders.attempts import (
    add_candidate,
    ref_of,
    response,
    start_attempt,
    target_of,
)
from tests.builders.content import PublishedTest, publish_test
from tests.builders.saves import save_uncommitted
from tests.conftest import cloned_database
from tests.two_connections import overlap

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
TABLES = CandidateRating, SubjectRating, ChapterAnswers, QuestionRating, ReviewCard


async def rows(uow: UnitOfWork) -> dict[str, list[Any]]:
    """Everything that a replay makes again."""
    found = {}
    for table in TABLES:
        columns = [column for column in table.__table__.columns if column.name != "abilities_at"]
        statement = select(*columns).order_by(*columns[:2])
        found[table.__tablename__] = [tuple(row) for row in await uow.session.execute(statement)]
    return found


async def taken(
    uow: UnitOfWork,
    parts: Components,
    made: PublishedTest,
    candidate: Principal,
    answers: Mapping[int, tuple[str, str | None]],
    at: datetime = NOW,
) -> UUID:
    """An attempt with answers and confidences, graded and with figures, but not taken in."""
    attempt = await start_attempt(uow, parts, made, at, candidate)
    sent = [
        response(made, number, [letter], confidence=confidence, time_spent_ms=9_000)
        for number, (letter, confidence) in answers.items()
    ]
    await save_uncommitted(uow, parts, target_of(attempt), sent, at)
    await attempts.submit(uow, parts, ref_of(attempt), at + timedelta(minutes=5))
    await figures.calculate(uow, parts, [attempt.id])
    return attempt.id


@pytest.fixture(scope="module")
def own_url(superuser_url: str, template: str) -> Iterator[str]:
    """A replay concerns the whole database: one without the attempts of other modules."""
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture(scope="module")
async def engine(own_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=SecretStr(own_url)), pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
async def empty(uow: UnitOfWork) -> None:
    """Without what the other tests of this module have committed."""
    await uow.session.execute(update(AttemptFigures).values(applied=None))
    for table in (*TABLES, RatingWithdrawal):
        await uow.session.execute(delete(table))


@pytest.mark.usefixtures("empty")
class TestTakeIn:
    async def test_once_and_only_first_answers(self, uow: UnitOfWork, parts: Components) -> None:
        made, asha = await publish_test(uow, [["a"]] * 4), await add_candidate(uow)
        first = await taken(
            uow,
            parts,
            made,
            asha,
            {0: ("a", "sure"), 1: ("b", "sure"), 2: ("a", "guess")},
        )
        assert await taking_in.take_in(uow, parts, [first]) == 1
        assert await taking_in.take_in(uow, parts, [first]) == 0
        rating = await uow.session.get_one(CandidateRating, asha.id)
        # The fourth question was not seen: no time was spent on it.
        assert (rating.answers, rating.questions, rating.guesses, rating.guesses_right) == (3, 3, 1, 1)
        assert rating.full_tests == 1
        cards = {card.question_id: card for card in await uow.session.scalars(select(ReviewCard))}
        assert {made.question_ids.index(each): card.ground for each, card in cards.items()} == {
            1: "missed",
            2: "guessed",
        }
        missed, lucky = (cards[made.question_ids[number]] for number in (1, 2))
        assert missed.due_at - missed.reviewed_at == timedelta(days=1)
        assert lucky.stability > missed.stability

        again = await taken(
            uow, parts, made, asha, {0: ("a", "sure"), 1: ("a", "sure")}, NOW + timedelta(days=2)
        )
        assert await taking_in.take_in(uow, parts, [again]) == 1
        await uow.session.refresh(rating)
        assert rating.answers == 3
        assert rating.questions == pytest.approx(5, abs=0.02)
        card = await uow.session.get_one(ReviewCard, (asha.id, made.question_ids[1]), populate_existing=True)
        assert (card.ground, card.attempt_id, card.reviews) == ("known", again, 2)
        assert card.due_at > NOW + timedelta(days=3)

    async def test_hard_questions_and_able_candidates_part(self, uow: UnitOfWork, parts: Components) -> None:
        made = await publish_test(uow, [["a"], ["a"]])
        people = [await add_candidate(uow) for _ in range(6)]
        ids = [
            await taken(
                uow, parts, made, who, {0: ("a", None), 1: ("b", None)}, NOW + timedelta(hours=number)
            )
            for number, who in enumerate(people)
        ]
        assert await taking_in.take_in(uow, parts, ids) == 6
        easy, hard = [
            (await uow.session.get_one(QuestionRating, question_id)).rating
            for question_id in made.question_ids
        ]
        assert easy < -0.5 < 0.5 < hard

    async def test_what_an_exam_withholds_waits(self, uow: UnitOfWork, parts: Components) -> None:
        made, asha = await publish_test(uow), await add_candidate(uow)
        attempt_id = await taken(uow, parts, made, asha, {0: ("b", None)})
        exam = Exam(
            institute_id=asha.institute_id,
            title={"en": "Prelims"},
            opens_at=NOW,
            closes_at=NOW + timedelta(days=1),
            published_at=NOW,
        )
        uow.session.add(exam)
        await uow.session.flush()
        uow.session.add(
            ExamPaper(
                exam_id=exam.id,
                test_id=made.id,
                code="GS",
                title={"en": "GS"},
                starts_at=NOW,
                entry_closes_at=NOW + timedelta(hours=1),
                ends_at=NOW + timedelta(hours=2),
                counts_for_merit=True,
            )
        )
        await uow.session.flush()
        assert await taking_in.take_in(uow, parts, [attempt_id]) == 0
        assert attempt_id not in await uow.ratings.left_out(1000)
        exam.released_at = NOW + timedelta(days=1)
        await uow.session.flush()
        assert attempt_id in await uow.ratings.left_out(1000)
        await taking_in.request_left_out(uow)
        jobs = await uow.session.scalars(select(Job).where(Job.task == "take_in_attempts"))
        assert any(str(attempt_id) in job.arguments["attempt_ids"] for job in jobs)
        assert await taking_in.take_in(uow, parts, [attempt_id]) == 1


@pytest.mark.usefixtures("empty")
class TestReplay:
    async def test_equal_ratings_also_after_a_withdrawal(self, uow: UnitOfWork, parts: Components) -> None:
        first, second = await publish_test(uow), await publish_test(uow)
        people = [await add_candidate(uow) for _ in range(3)]
        ids: list[UUID] = []
        for number, who in enumerate(people):
            for made in (first, second):
                at = NOW + timedelta(days=len(ids))
                ids.append(await taken(uow, parts, made, who, {0: ("a", "sure"), number: ("c", "guess")}, at))
        for attempt_id in ids[:-2]:
            await taking_in.take_in(uow, parts, [attempt_id])
        kept = await rows(uow)
        await taking_in.take_in(uow, parts, ids[-2:])
        everything = await rows(uow)
        assert kept != everything

        assert await taking_in.replay(uow, parts) == 6
        assert await rows(uow) == everything
        assert not await uow.ratings.are_stale()

        for attempt_id in ids[-2:]:
            await uow.session.execute(update(Attempt).where(Attempt.id == attempt_id).values(status="void"))
            await attempts.withdraw_results(uow, [attempt_id])
        assert await uow.ratings.are_stale()
        assert await taking_in.request_replay(uow)
        assert await taking_in.replay(uow, parts) == 4
        assert await rows(uow) == kept
        assert not await uow.ratings.are_stale()


@pytest.mark.usefixtures("empty")
class TestAbilities:
    async def test_by_subject_from_official_first_answers(self, uow: UnitOfWork, parts: Components) -> None:
        strong, weak = await publish_test(uow, [["a"]] * 8), await publish_test(uow, [["a"]] * 8)
        asha = await add_candidate(uow)
        ids = [
            await taken(uow, parts, made, asha, dict.fromkeys(range(8), (letter, None)), at)
            for made, letter, at in [
                (strong, "a", NOW),
                (weak, "b", NOW + timedelta(hours=1)),
                (weak, "a", NOW + timedelta(hours=2)),
            ]
        ]
        await taking_in.take_in(uow, parts, ids)
        assert await abilities.request_estimates(uow)
        assert not await abilities.request_estimates(uow)
        assert await abilities.estimate(uow, NOW) == 1
        assert await abilities.estimate(uow, NOW) == 0
        rows = (await uow.session.scalars(select(SubjectAbility))).all()
        high, low = sorted(rows, key=lambda row: -row.estimate)
        assert (high.answers, low.answers) == (8, 8)
        # Eight right answers at the mean difficulty: the mean of the posterior, by a sum over its nodes.
        points = [step / 100 for step in range(-600, 601)]
        weights = [exp(-(point**2) / 2) / (1 + exp(-point)) ** 8 for point in points]
        mean = sum(point * weight for point, weight in zip(points, weights, strict=True)) / sum(weights)
        assert high.estimate == pytest.approx(mean, abs=0.01)
        assert low.estimate == pytest.approx(-mean, abs=0.01)


@pytest.mark.parametrize("other_first", [False, True], ids=["taken in first", "the other first"])
@pytest.mark.parametrize("other", ["take_in", "withdraw"])
async def test_at_the_same_time(
    engine: AsyncEngine, parts: Components, other: str, *, other_first: bool
) -> None:
    """Taken in once by two tasks. A result that is withdrawn is not taken in, or is known to have gone."""
    async with unit_of_work(engine) as uow:
        made, asha = await publish_test(uow), await add_candidate(uow)
        attempt_id = await taken(uow, parts, made, asha, {0: ("b", None)})

    async def take_in(uow: UnitOfWork) -> int:
        return await taking_in.take_in(uow, parts, [attempt_id])

    async def withdraw(uow: UnitOfWork) -> int:
        attempt = await uow.session.get_one(Attempt, attempt_id)
        await uow.attempts.lock(ref_of(attempt))
        return len(await attempts.withdraw_results(uow, [attempt_id]))

    second = {"take_in": take_in, "withdraw": withdraw}[other]
    both = await overlap(engine, *((second, take_in) if other_first else (take_in, second)))
    assert both.waited
    assert (both.first.error, both.second.error) == (None, None)
    came_second = 1 if other == "withdraw" and not other_first else 0
    assert (both.first.value, both.second.value) == (1, came_second)
    async with reading(engine) as reads:
        withdrawn = await reads.session.scalars(select(RatingWithdrawal.applied))
        rated = await reads.session.get(CandidateRating, asha.id)
        assert (rated is None) == (other == "withdraw" and other_first)
        assert bool(withdrawn.all()) or other == "take_in" or other_first
