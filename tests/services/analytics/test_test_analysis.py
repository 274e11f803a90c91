"""The analysis of one attempt: among 21 participants, with a closed review, and under the embargo."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.errors import NotFound, NotGradedYet
from app.services import attempts
from app.services.analytics import figures
from app.services.analytics.test_analysis import TestAnalysis, analyze
from app.services.analytics.trend import Basis
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from tests.builders.attempts import add_candidate, graded_attempt, ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, publish_test
from tests.builders.saves import save_uncommitted
from tests.builders.statistics import add_statistics

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)


async def sat(uow: UnitOfWork, parts: Components, candidate: Principal, made: PublishedTest) -> None:
    """Question 2 first and right, question 1 wrong after it was right; question 3 blank."""
    attempt = await start_attempt(uow, parts, made, NOW, candidate)
    target = target_of(attempt)
    await save_uncommitted(uow, parts, target, [response(made, 1, ["b"], time_spent_ms=9_000)], NOW)
    later = NOW + timedelta(minutes=1)
    first = response(made, 0, ["a"], time_spent_ms=1_000)
    await save_uncommitted(uow, parts, target, [first], later)
    changed = response(made, 0, ["c"], 2, time_spent_ms=4_000, confidence="guess")
    await save_uncommitted(uow, parts, target, [changed], later)
    await attempts.submit(uow, parts, ref_of(attempt), later)


async def analysis(
    uow: UnitOfWork, parts: Components, candidate: Principal, made: PublishedTest
) -> TestAnalysis:
    return await analyze(uow, parts, candidate, made.id, None)


async def test_alone_and_before_the_task(uow: UnitOfWork, parts: Components) -> None:
    made, candidate = await publish_test(uow), await add_candidate(uow)
    with pytest.raises(NotFound):
        await analysis(uow, parts, candidate, made)
    attempt = await start_attempt(uow, parts, made, NOW, candidate)
    with pytest.raises(NotGradedYet):
        await analysis(uow, parts, candidate, made)
    await attempts.submit(uow, parts, ref_of(attempt), NOW)
    found = await analysis(uow, parts, candidate, made)
    assert (found.pending, found.changes, found.score_band) == (True, None, None)
    assert (found.participants.count, list(found.participants.distribution)) == (1, [])
    assert found.participants.reason is not None
    assert {question.outcome for question in found.questions} == {"unattempted"}
    assert {question.own_ms for question in found.questions} == {None}


async def test_among_participants(uow: UnitOfWork, parts: Components) -> None:
    made, candidate = await publish_test(uow), await add_candidate(uow)
    for answers in [{0: ["a"], 1: ["b"], 2: ["c"]}] * 3 + [{0: ["a"], 1: ["c"]}] * 17:
        await graded_attempt(uow, parts, await add_candidate(uow), made, answers, NOW)
    await sat(uow, parts, candidate, made)
    own = (await analysis(uow, parts, candidate, made)).attempt
    await figures.calculate(uow, parts, [own.id])
    await add_statistics(uow, own.id, standard_error=0.5)
    found = await analysis(uow, parts, candidate, made)
    assert found.figures["score"] == "1.34"
    assert found.standing is not None
    assert (found.standing.rank, found.standing.participants) == (4, 21)
    assert found.score_band is not None
    assert (found.score_band.basis, round(found.score_band.low, 2)) == (Basis.RELIABILITY, 0.51)
    assert found.rank_band == (4, 22 - 1)
    assert list(found.participants.distribution) == [("6.00", 3), ("1.34", 18)]
    assert (found.participants.top_mean, found.participants.top_count) == ("6.00", 3)
    assert found.changes is not None
    assert (found.changes.right_to_wrong, found.changes.net_marks) == (1, "-2.66")
    one, two, three = found.questions
    assert (one.own_ms, one.median_ms, one.answered_order, one.confidence) == (4_000, 60_000, 2, "guess")
    assert one.outcome == "incorrect"
    assert one.correct_percent == pytest.approx(100 * 20 / 21)
    assert one.option_percent == {"a": 50.0, "b": 30.0, "c": 10.0, "d": None}
    assert (two.own_ms, two.answered_order, two.outcome) == (9_000, 1, "correct")
    assert (three.own_ms, three.answered_order, three.outcome) == (0, None, "unattempted")
    assert [(section.own_ms, section.median_ms) for section in found.sections] == [(13_000, 180_000)]


async def test_a_closed_review_hides_what_single_outcomes_tell(uow: UnitOfWork, parts: Components) -> None:
    made, candidate = await publish_test(uow, review="never"), await add_candidate(uow)
    await sat(uow, parts, candidate, made)
    own = (await analysis(uow, parts, candidate, made)).attempt
    await figures.calculate(uow, parts, [own.id])
    await add_statistics(uow, own.id)
    found = await analysis(uow, parts, candidate, made)
    assert (found.figures["score"], found.changes, found.pending) == ("1.34", None, False)
    assert {(each.outcome, each.correct_percent, each.option_percent) for each in found.questions} == {
        (None, None, None)
    }
    assert [each.own_ms for each in found.questions] == [4_000, 9_000, 0]
    assert [each.answered for each in found.confidence] == [0, 0, 0]
