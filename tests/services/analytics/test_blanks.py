"""What blanks count as: the same in all figures."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.models import Subject
from app.services import tests
from app.services.analytics import evidence, item_analysis, subject_answers, taking_in
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from tests.builders.analytics import sit
from tests.builders.attempts import add_candidate
from tests.builders.content import PublishedTest, add_questions, add_subject, publish_test

NOON = datetime(2026, 6, 10, 6, 30, tzinfo=UTC)


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
