"""What blanks count as: the same in all figures, and nothing where candidates choose what they answer."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.models import ReviewCard, Subject
from app.services import tests
from app.services.analytics import evidence, item_analysis, subject_answers, taking_in
from app.services.analytics.performance import percent_of
from app.services.analytics.subject_analysis import subject_analysis
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from tests.builders.analytics import Given, sit
from tests.builders.attempts import add_candidate
from tests.builders.content import PublishedTest, add_questions, add_subject, publish_test

NOON = datetime(2026, 6, 10, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def candidate(uow: UnitOfWork) -> Principal:
    return await add_candidate(uow)


@pytest.fixture
async def subject(uow: UnitOfWork) -> Subject:
    return await add_subject(uow)


async def evidence_of(uow: UnitOfWork, parts: Components, candidate: Principal) -> list[evidence.Evidence]:
    """What the estimates of the candidate rest on."""
    attempts = evidence.newest_official(await uow.shown.attempts(tests.viewer(candidate)))
    questions = await uow.shown.questions({each.paper_id for each in attempts})
    return list((await evidence.gather(uow, parts, attempts, questions)).answers)


async def test_a_blank_is_worth_the_same_in_all_figures(
    uow: UnitOfWork, parts: Components, candidate: Principal, subject: Subject
) -> None:
    """A choice of four options and "not attempted", true or false, a number."""
    ids = [
        *await add_questions(uow, [["a"]], subject=subject),
        *await add_questions(uow, [["true"]], subject=subject, type="true_false"),
        *await add_questions(uow, [{"value": "7", "tolerance": "0"}], subject=subject),
    ]
    made = await publish_test(
        uow, same_as=PublishedTest(UUID(int=0), ids), marking={"not_attempted_option": "e"}
    )
    attempt = await sit(uow, parts, candidate, made, {}, NOON)
    shown = await uow.shown.attempts(tests.viewer(candidate))
    (group,) = await uow.test_statistics.groups(made.id)
    places = await uow.ratings.places({attempt.paper_id})
    figures = {
        "IRT": [each.guess for each in (await item_analysis.load(uow, parts, group)).data.questions],
        "strengths": [each.guess for each in await evidence_of(uow, parts, candidate)],
        "subject": [each.guess for each in await subject_answers.gather(uow, subject.id, shown)],
        "Elo": [each.guess for each in await taking_in._asked(uow, parts, attempt.paper_id, places)],
    }
    for name, shares in figures.items():
        assert shares == [1 / 4, 1 / 2, 0], name
    abilities = {each.question_id: each.guess for each in await uow.abilities.first_answers([candidate.id])}
    assert [abilities[question_id] for question_id in ids] == [1 / 4, 1 / 2, 0]


class TestChoice:
    """Five questions keyed a, of which two are to be answered."""

    @pytest.fixture
    async def made(self, uow: UnitOfWork, subject: Subject) -> PublishedTest:
        ids = await add_questions(uow, [["a"]] * 5, subject=subject)
        return await publish_test(uow, same_as=PublishedTest(UUID(int=0), ids), section={"choose": 2})

    async def test_only_answers_that_count_are_evidence(
        self,
        uow: UnitOfWork,
        parts: Components,
        candidate: Principal,
        subject: Subject,
        made: PublishedTest,
    ) -> None:
        """One wrong, one right, a third right answer that does not count, and two blanks that were seen."""
        right, wrong = Given(["a"], 9_000), Given(["b"], 9_000)
        seen = Given(None, 5_000)
        given = {0: wrong, 1: right, 2: right, 3: seen, 4: seen}
        attempt = await sit(uow, parts, candidate, made, given, NOON)
        counted = list(made.question_ids[:2])
        assert [each.question_id for each in await evidence_of(uow, parts, candidate)] == counted
        shown = await uow.shown.attempts(tests.viewer(candidate))
        of_subject = await subject_answers.gather(uow, subject.id, shown)
        assert [each.question_id for each in of_subject] == counted
        first = await uow.abilities.first_answers([candidate.id])
        assert {each.question_id for each in first} == set(counted)
        assert await taking_in.take_in(uow, parts, [attempt.id]) == 1
        cards = await uow.session.scalars(select(ReviewCard).where(ReviewCard.user_id == candidate.id))
        assert [(card.question_id, card.ground) for card in cards] == [(counted[0], "missed")]

    async def test_whoever_has_all_right_that_count_has_everything(
        self,
        uow: UnitOfWork,
        parts: Components,
        candidate: Principal,
        subject: Subject,
        made: PublishedTest,
    ) -> None:
        await sit(uow, parts, candidate, made, {3: Given(["a"]), 4: Given(["a"])}, NOON)
        found = await subject_analysis(uow, candidate, subject.id)
        assert (found.official_marks.percent, found.figures.official.seen) == (100, 2)
        assert [point.score_percent for point in found.trend] == [100]
        (attempt,) = await uow.shown.attempts(tests.viewer(candidate))
        assert attempt.figures is not None
        assert attempt.figures.total.questions == 2
        assert percent_of(attempt.figures.total) == 100

    async def test_a_question_is_new_where_it_was_answered_first(
        self, uow: UnitOfWork, parts: Components, candidate: Principal, made: PublishedTest
    ) -> None:
        """A question that was not chosen in one test and is right in another one counts as right."""
        other = await publish_test(uow, same_as=made)
        await sit(uow, parts, candidate, made, {0: Given(["b"]), 1: Given(["b"])}, NOON)
        await sit(uow, parts, candidate, other, {4: Given(["a"], 9_000), 0: Given(["a"], 9_000)}, NOON + DAY)
        found = {each.question_id: each.outcome for each in await uow.abilities.first_answers([candidate.id])}
        assert found == dict(zip((made.question_ids[place] for place in (0, 1, 4)), "iic", strict=True))
