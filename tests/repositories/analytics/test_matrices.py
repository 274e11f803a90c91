"""Results as arrays: which results are in them, and what each array holds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.engine.scoring import Outcome
from app.models import Result, User
from app.repositories.analytics.matrices import Column
from app.repositories.analytics.matrix_arrays import Matrix
from app.services import attempts
from app.services.analytics.item_analysis import columns_of
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from tests.builders.attempts import add_candidate, graded_attempt
from tests.builders.content import PublishedTest, publish_test
from tests.builders.key_versions import correct

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
KEYS: Sequence[Any] = (["a"], ["b"], {"value": "7", "tolerance": "0"})


@pytest.fixture
async def made(uow: UnitOfWork) -> PublishedTest:
    return await publish_test(uow, KEYS)


async def columns(uow: UnitOfWork, parts: Components, made: PublishedTest) -> tuple[Column, ...]:
    group = (await uow.test_statistics.groups(made.id))[0]
    return columns_of(await parts.papers.get(uow, group.paper_id))


async def loaded(uow: UnitOfWork, parts: Components, made: PublishedTest, most: int = 100_000) -> Matrix:
    """The only group of the test."""
    (group,) = await uow.test_statistics.groups(made.id)
    key = await parts.papers.key(uow, group.key_id)
    return await uow.matrices.load(group, await columns(uow, parts, made), key.rules, most)


class TestMatrix:
    async def test_what_each_array_holds(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest
    ) -> None:
        strong, weak = await add_candidate(uow), await add_candidate(uow)
        await uow.session.execute(update(User).where(User.id == weak.id).values(category="sc", pwbd=2))
        first = await graded_attempt(uow, parts, strong, made, {0: ["a"], 1: ["a", "b"], 2: "7"}, NOW)
        second = await graded_attempt(uow, parts, weak, made, {1: ["d"]}, LATER)
        matrix = await loaded(uow, parts, made)
        assert list(matrix.attempt_ids) == [first.id, second.id]
        assert matrix.marks.ravel() == pytest.approx([2, -2 / 3, 2, 0, -2 / 3, 0])
        assert matrix.totals == pytest.approx([10 / 3, -2 / 3])
        assert bytes(matrix.letters).decode() == "cicuiu"
        assert matrix.has(Outcome.CORRECT).tolist() == [[True, False, True], [False, False, False]]
        assert matrix.choices.tolist() == [[0, -2, -2], [-1, 3, -1]]
        assert [len(column.choices) for column in matrix.columns] == [4, 4, 0]
        assert matrix.categories.has("sc").tolist() == [False, True]
        assert matrix.pwbd.tolist() == [False, True]
        assert matrix.languages.places.tolist() == [-1, -1]

    async def test_only_results_that_count(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest
    ) -> None:
        """Retakes are practice, and a withdrawn result is gone; the counts say the same."""
        candidate, other = await add_candidate(uow), await add_candidate(uow)
        first = await graded_attempt(uow, parts, candidate, made, {0: ["a"]}, NOW)
        await graded_attempt(uow, parts, candidate, made, {0: ["a"], 1: ["b"]}, NOW)
        withdrawn = await graded_attempt(uow, parts, other, made, {0: ["a"]}, NOW)
        (before,) = (await uow.test_statistics.counts(made.id)).values()
        assert (before.participants, before.right_answers) == (2, 2)
        await attempts.withdraw_results(uow, [withdrawn.id])
        matrix = await loaded(uow, parts, made)
        assert list(matrix.attempt_ids) == [first.id]
        (after,) = (await uow.test_statistics.counts(made.id)).values()
        assert (after.participants, after.right_answers) == (1, 1)

    async def test_a_score_that_was_kept_is_marked_by_the_key_of_the_others(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest
    ) -> None:
        """As after a revision with `keep: "higher"`: the first result has the earlier key."""
        kept, other = [
            await graded_attempt(uow, parts, await add_candidate(uow), made, {0: [letter]}, at)
            for letter, at in (("a", NOW), ("b", LATER))
        ]
        key = await correct(uow, kept.paper_id, made.question_ids[0], "b")
        await uow.session.execute(
            update(Result)
            .where(Result.attempt_id == other.id)
            .values(key_id=key.id, outcomes="cuu", marks=[2, 0, 0], marks_denominator=1)
        )
        (group,) = await uow.test_statistics.groups(made.id)
        assert (group.key_id, group.results) == (key.id, 2)
        matrix = await loaded(uow, parts, made)
        assert list(matrix.attempt_ids) == [kept.id, other.id]
        assert bytes(matrix.letters).decode() == "iuucuu"
        assert matrix.marks.ravel() == pytest.approx([-2 / 3, 0, 0, 2, 0, 0])
        rules = (await parts.papers.key(uow, key.id)).rules
        sheets = await uow.answer_sheets_in_bulk.load(group, rules, 100)
        assert (sheets.attempt_ids, sheets.outcomes) == ([kept.id, other.id], ["iuu", "cuu"])
        assert sheets.scores[0] == pytest.approx(-2 / 3)

    async def test_a_sample_of_many(self, uow: UnitOfWork, parts: Components, made: PublishedTest) -> None:
        for _ in range(8):
            await graded_attempt(uow, parts, await add_candidate(uow), made, {0: ["a"]}, NOW)
        everybody, sample = await loaded(uow, parts, made), await loaded(uow, parts, made, most=1)
        assert len(everybody.attempt_ids) == 8
        assert set(sample.attempt_ids) < set(everybody.attempt_ids)
        assert sample.attempt_ids == (await loaded(uow, parts, made, most=1)).attempt_ids

    async def test_no_results(self, uow: UnitOfWork, parts: Components, made: PublishedTest) -> None:
        await graded_attempt(uow, parts, await add_candidate(uow), made, {0: ["a"]}, NOW)
        (group,) = await uow.test_statistics.groups(made.id)
        wanted = await columns(uow, parts, made)
        await uow.session.execute(update(Result).values(counted=False))
        rules = (await parts.papers.key(uow, group.key_id)).rules
        matrix = await uow.matrices.load(group, wanted, rules)
        assert (matrix.marks.shape, matrix.choices.shape, matrix.times_ms.shape) == ((0, 3),) * 3
        assert await uow.test_statistics.groups(made.id) == []
