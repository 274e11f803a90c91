"""The overview: sums, trend, subjects and what is said of guesses, on prepared attempts."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from app.services import attempts, tests
from app.services.analytics import figures
from app.services.analytics.overview import Overview, overview
from app.services.analytics.subject_analysis import subject_analysis
from app.services.analytics.trend import Basis
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from tests.builders.attempts import add_candidate, graded_attempt, ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, add_questions, add_subject, publish_test
from tests.builders.saves import save_uncommitted
from tests.builders.statistics import add_parameters, add_statistics

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def candidate(uow: UnitOfWork) -> Principal:
    return await add_candidate(uow)


async def seen(uow: UnitOfWork, parts: Components, candidate: Principal) -> Overview:
    """The overview after the task has run."""
    shown = await uow.shown.attempts(tests.viewer(candidate))
    await figures.calculate(uow, parts, [attempt.id for attempt in shown])
    return await overview(uow, parts, candidate, NOW + 9 * DAY)


async def test_somebody_new(uow: UnitOfWork, parts: Components, candidate: Principal) -> None:
    found = await overview(uow, parts, candidate, NOW)
    assert (found.all.attempts, found.all.accuracy, found.tests_taken, found.pending) == (0, None, 0, 0)
    assert (list(found.trend), list(found.subjects)) == ([], [])
    assert [each.verdict for each in found.confidence] == ["not_proven"] * 3
    assert found.guessing.left_on_table.value is None
    assert all(chance.probability is None and chance.reason for chance in found.cutoffs)


async def test_official_and_practice_apart(uow: UnitOfWork, parts: Components, candidate: Principal) -> None:
    made = await publish_test(uow)
    await graded_attempt(uow, parts, candidate, made, {0: ["a"], 1: ["c"]}, NOW, time_spent_ms=1_000)
    await graded_attempt(uow, parts, candidate, made, {0: ["a"], 1: ["b"], 2: ["c"]}, NOW + DAY)
    pending = await overview(uow, parts, candidate, NOW + 2 * DAY)
    assert (pending.pending, pending.all.attempts, pending.all.marks_gained) == (2, 2, Fraction(0))
    found = await seen(uow, parts, candidate)
    assert (found.all.attempts, found.official.attempts, found.practice.attempts) == (2, 1, 1)
    assert (found.all.answered, found.official.answered, found.pending) == (5, 2, 0)
    assert (found.official.accuracy, found.practice.accuracy) == (0.5, 1.0)
    assert (found.all.marks_gained, found.all.marks_lost) == (Fraction(8), Fraction(2, 3))
    assert (found.all.study_ms, found.practice.study_ms, found.tests_taken) == (2_000, 0, 1)
    assert [point.practice for point in found.trend] == [False, True]
    official = found.trend[0]
    assert (official.score_percent, official.percentile) == (22.22, 100.0)
    assert official.band is not None
    assert official.band.basis is Basis.ANSWERS
    assert [point.verdict for point in found.trend] == [None, None]
    [subject] = found.subjects
    assert (subject.sums.questions, subject.sums.correct, subject.accuracy.n) == (6, 4, 5)


async def test_an_accuracy_has_the_same_interval_everywhere(
    uow: UnitOfWork, parts: Components, candidate: Principal
) -> None:
    made = await publish_test(uow, [["a"]] * 5)
    answers = {0: ["a"], 1: ["a"], 2: ["a"], 3: ["b"]}
    await graded_attempt(uow, parts, candidate, made, answers, NOW)
    [subject] = (await seen(uow, parts, candidate)).subjects
    alone = await subject_analysis(uow, candidate, subject.subject.id)
    assert subject.accuracy == alone.figures.official.accuracy


async def test_no_improvement_inside_luck(uow: UnitOfWork, parts: Components, candidate: Principal) -> None:
    """With a mean of 2, a deviation of 2 and an error of 1, 2 marks more are no improvement."""
    verdicts = []
    for number, (answers, error) in enumerate([({0: ["a"]}, 1.0), ({0: ["a"], 1: ["b"]}, 1.0), ({}, 0.1)]):
        made = await publish_test(uow)
        attempt = await graded_attempt(uow, parts, candidate, made, answers, NOW + number * DAY)
        await add_statistics(uow, attempt.id, standard_error=error)
    for point in (await seen(uow, parts, candidate)).trend:
        assert point.band is not None
        assert (point.band.basis, point.band.n) == (Basis.RELIABILITY, 200)
        verdicts.append(point.verdict)
    assert verdicts == [None, "within_noise", "down"]


async def test_a_strength_needs_known_difficulties_and_two_subjects(
    uow: UnitOfWork, parts: Components, candidate: Principal
) -> None:
    strong, weak = await add_subject(uow, "Polity"), await add_subject(uow, "Economy")
    ids = [*await add_questions(uow, [["a"]] * 20, subject=strong)]
    ids += await add_questions(uow, [["a"]] * 20, subject=weak)
    made = await publish_test(uow, same_as=PublishedTest(ids[0], ids))
    answers = {position: ["a" if position < 20 else "b"] for position in range(40)}
    attempt = await graded_attempt(uow, parts, candidate, made, answers, NOW)
    unknown = {each.subject.id: each.strength for each in (await seen(uow, parts, candidate)).subjects}
    assert {strength.verdict for strength in unknown.values()} == {"not_proven"}
    assert all(strength.reason for strength in unknown.values())
    await add_parameters(uow, made, attempt.id, [0.0] * 40)
    known = {each.subject.id: each for each in (await seen(uow, parts, candidate)).subjects}
    assert known[strong.id].strength.verdict == "strength"
    assert known[weak.id].strength.verdict == "weakness"
    assert known[weak.id].strength.n == 20
    assert (known[weak.id].expected_gain.value or 0) > (known[strong.id].expected_gain.value or 0) >= 0


async def test_guesses_that_pay_and_guesses_that_cost(uow: UnitOfWork, parts: Components) -> None:
    """Thirty of forty guesses right, sixty blank; and two of forty right."""
    for right, verdict in ((30, "strength"), (2, "weakness")):
        candidate = await add_candidate(uow)
        made = await publish_test(uow, [["a"]] * 100)
        attempt = await start_attempt(uow, parts, made, NOW, candidate)
        sent = [
            response(made, position, ["a" if position < right else "b"], confidence="guess")
            for position in range(40)
        ]
        await save_uncommitted(uow, parts, target_of(attempt), sent, NOW)
        await attempts.submit(uow, parts, ref_of(attempt), NOW + timedelta(minutes=5))
        found = await seen(uow, parts, candidate)
        guess = next(each for each in found.confidence if each.confidence == "guess")
        assert (guess.answered, guess.right, guess.verdict) == (40, right, verdict)
        assert guess.break_even == pytest.approx(0.25)
        left, over = found.guessing.left_on_table, found.guessing.over_reached
        for each in (left, over):
            assert each.low is not None
            assert each.value is not None
            assert each.high is not None
            assert each.low <= each.value <= each.high
        # A blank is worth (8 p - 2) / 3 marks.
        chance = (right + 1) / 42
        assert left.value == pytest.approx(max(60 * (8 * chance - 2) / 3, 0))
        assert over.value == pytest.approx(max(40 * (2 - 8 * chance) / 3, 0))
        assert all(chance.n == 40 for chance in found.cutoffs)
