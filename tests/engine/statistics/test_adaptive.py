"""Stages of adaptive practice: they fit the ability and the chapters, and no question goes to everybody."""

from collections import Counter
from random import Random
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.statistics.adaptive import DRAWN_FROM, StageQuestion, next_stage
from app.engine.statistics.irt.model import Items, probabilities
from app.engine.statistics.irt.posterior import Responses, abilities

CHAPTERS = [UUID(int=1000 + number) for number in range(5)]

questions_of_a_bank = st.lists(
    st.tuples(
        st.sampled_from([None, *CHAPTERS]), st.floats(-4, 4), st.floats(0.2, 3), st.sampled_from([0.0, 0.25])
    ),
    max_size=40,
).map(lambda rows: [StageQuestion(UUID(int=position), *row) for position, row in enumerate(rows)])


def bank(count: int, seed: int) -> list[StageQuestion]:
    random = np.random.default_rng(seed)
    return [
        StageQuestion(
            UUID(int=position),
            CHAPTERS[position % len(CHAPTERS)],
            float(random.normal()),
            float(np.exp(random.normal(0, 0.3))),
            0.25,
        )
        for position in range(count)
    ]


class TestNextStage:
    @settings(max_examples=40)
    @given(questions_of_a_bank, st.floats(-6, 6), st.integers(0, 30), st.integers(0, 2**32))
    def test_has_different_questions_of_the_bank_and_as_many_as_there_are(
        self, questions: list[StageQuestion], ability: float, count: int, seed: int
    ) -> None:
        found = next_stage(questions, ability, count, Random(seed))

        assert len(found) == len(set(found)) == min(count, len(questions))
        assert set(found) <= {question.id for question in questions}
        assert found == next_stage(questions[::-1], ability, count, Random(seed))

    @settings(max_examples=40)
    @given(st.lists(st.integers(1, 9), min_size=5, max_size=5), st.integers(1, 25), st.floats(-3, 3))
    def test_a_chapter_is_less_than_two_questions_from_its_share(
        self, weights: list[int], count: int, ability: float
    ) -> None:
        questions = bank(200, seed=1)
        chapter_of = {question.id: question.chapter_id for question in questions}
        shares: dict[UUID | None, float] = dict(zip(CHAPTERS, map(float, weights), strict=True))

        taken = Counter(chapter_of[each] for each in next_stage(questions, ability, count, Random(2), shares))

        for chapter, weight in shares.items():
            assert abs(taken[chapter] - count * weight / sum(weights)) < 2

    def test_a_chapter_without_a_weight_comes_last(self) -> None:
        questions = bank(20, seed=3)
        found = next_stage(questions, 0.0, 6, Random(4), {CHAPTERS[2]: 1.0})

        assert {question.id for question in questions if question.chapter_id == CHAPTERS[2]} == set(found[:4])
        assert len(found) == 6

    def test_gives_the_able_harder_questions(self) -> None:
        questions = bank(500, seed=5)
        difficulty = {question.id: question.difficulty for question in questions}

        means = [
            np.mean([difficulty[each] for each in next_stage(questions, ability, 10, Random(6))])
            for ability in (-1.5, 0.0, 1.5)
        ]
        assert means[0] + 0.7 < means[1] < means[2] - 0.7

    def test_all_questions_of_a_small_chapter_may_be_drawn_first(self) -> None:
        questions = [
            StageQuestion(UUID(int=position), None, position / 10) for position in range(DRAWN_FROM + 1)
        ]
        first = {next_stage(questions, 0.0, 1, Random(seed))[0] for seed in range(200)}

        assert first == {question.id for question in questions[:DRAWN_FROM]}


def test_exposure_and_precision_in_a_population() -> None:
    """300 candidates take 3 stages of 10 questions out of 500 from a standard normal population.

    Without control some question is given to everybody. With it, none is given to more than 35 %, and the
    error of the ability stays smaller than after 30 questions that are drawn from all.
    """
    questions = bank(500, seed=7)
    random, draw = np.random.default_rng(8), Random(9)
    able = random.standard_normal(300)
    given_to: Counter[UUID] = Counter()
    errors: dict[bool, list[float]] = {True: [], False: []}
    for ability in able:
        adaptive = _session(questions, ability, random, draw)
        given_to.update(adaptive[0])
        errors[True].append(adaptive[1] - ability)
        drawn = draw.sample(questions, 30)
        errors[False].append(_estimate(drawn, ability, random)[0] - ability)

    assert max(given_to.values()) / len(able) < 0.35
    assert len(given_to) > 250
    assert np.std(errors[True]) < 0.9 * np.std(errors[False])


def _session(
    questions: list[StageQuestion], ability: float, random: np.random.Generator, draw: Random
) -> tuple[list[UUID], float]:
    """The questions of three stages, and the ability that is estimated from them."""
    by_id = {question.id: question for question in questions}
    taken: list[UUID] = []
    right: list[float] = []
    estimate = 0.0
    for _ in range(3):
        rest = [question for question in questions if question.id not in taken]
        stage = next_stage(rest, estimate, 10, draw)
        taken += stage
        right += _answers([by_id[each] for each in stage], ability, random)
        estimate = _ability([by_id[each] for each in taken], right)
    return taken, estimate


def _estimate(
    questions: list[StageQuestion], ability: float, random: np.random.Generator
) -> tuple[float, list[float]]:
    right = _answers(questions, ability, random)
    return _ability(questions, right), right


def _answers(questions: list[StageQuestion], ability: float, random: np.random.Generator) -> list[float]:
    curve = probabilities(_items(questions), np.array([ability]))[:, 0]
    return [float(each) for each in random.random(len(questions)) < curve]


def _ability(questions: list[StageQuestion], right: list[float]) -> float:
    return float(abilities(Responses(np.array([right])), _items(questions)).estimate[0])


def _items(questions: list[StageQuestion]) -> Items:
    return Items(
        np.array([question.discrimination for question in questions]),
        np.array([question.difficulty for question in questions]),
        np.array([question.guessing for question in questions]),
    )
