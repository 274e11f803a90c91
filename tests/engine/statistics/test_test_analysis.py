"""The analysis of a whole test, with simulated answers: counts, flags, groups, models and priors.

Many figures are null below a minimum number of attempts.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.engine.statistics.difficulty_priors import Calibrated, DifficultyPrior, difficulty_prior
from app.engine.statistics.distractors import BLANK
from app.engine.statistics.group_differences import MIN_COMPARED
from app.engine.statistics.irt.model import Model
from app.engine.statistics.item_response import item_response, model_for
from app.engine.statistics.result_data import Membership, QuestionData, ResultData
from app.engine.statistics.test_analysis import MIN_GROUP_SIZE, analyze

QUESTION: dict[str, Any] = {
    "max_marks": 2.0,
    "wrong_marks": -2 / 3,
    "options": 4,
    "listed_options": 4,
    "guess": 1 / 4,
    "right_option": 0,
    "section": 0,
    "is_dropped": False,
    "is_optional": False,
}


def simulated(
    attempts: int,
    questions: int = 20,
    *,
    seed: int = 1,
    harder_for: tuple[str, float] | None = None,
    changes: dict[int, dict[str, Any]] | None = None,
) -> ResultData:
    """Answers by a Rasch model. `harder_for`: a group and how much harder the first question is for it."""
    chance = np.random.default_rng(seed)
    ability = chance.normal(size=attempts)
    difficulty = np.tile(np.linspace(-1.5, 1.5, questions), (attempts, 1))
    positions = (np.arange(attempts) % 2).astype(np.int8)
    if harder_for is not None:
        difficulty[positions == ("en", "hi").index(harder_for[0]), 0] += harder_for[1]
    right = chance.random((attempts, questions)) < 1 / (1 + np.exp(difficulty - ability[:, None]))
    blank = chance.random((attempts, questions)) < 0.1
    wrong = chance.integers(1, 4, (attempts, questions))
    kinds = [QUESTION | (changes or {}).get(position, {}) for position in range(questions)]
    return ResultData(
        questions=[QuestionData(**kind) for kind in kinds],
        marks=np.where(blank, 0, np.where(right, 2, -2 / 3)),
        letters=np.where(blank, ord("u"), np.where(right, ord("c"), ord("i"))).astype(np.uint8),
        choices=np.where(blank, BLANK, np.where(right, 0, wrong)).astype(np.int8),
        times_ms=np.full((attempts, questions), 1000, dtype=np.int32),
        groups={"language": Membership(positions, ("en", "hi"), "en")},
    )


def first_questions(data: ResultData, count: int) -> ResultData:
    """The same answers to a test of the first `count` questions only."""
    arrays = {name: getattr(data, name)[:, :count] for name in ("marks", "letters", "choices", "times_ms")}
    return replace(data, questions=data.questions[:count], **arrays)


class TestAnalyze:
    def test_counts_add_up(self) -> None:
        found = analyze(simulated(200))
        assert [sum(counts) for counts in found.option_counts] == [200] * 20
        assert sum(found.document["score_groups"]) == 200
        for item, counts in zip(found.document["options"], found.option_counts, strict=True):
            assert np.array(item).sum(axis=0).tolist() == counts
        for item in found.document["items"]:
            assert item["correct"] + item["incorrect"] + item["partial"] + item["unattempted"] == 200
            assert item["facility_interval"]["low"] < item["facility"] < item["facility_interval"]["high"]

    def test_a_question_that_is_dropped_or_has_no_options(self) -> None:
        changes = {
            0: {"is_dropped": True, "right_option": -1},
            1: {"options": 0, "listed_options": 0, "right_option": -1},
        }
        data = simulated(200, changes=changes)
        data.letters[:, 0], data.marks[:, 0] = ord("d"), 0
        data.choices[:, 1] = np.where(data.choices[:, 1] == BLANK, BLANK, -2)
        found = analyze(data)
        assert not [flag for flag in found.document["flags"] if flag["position"] == 1]
        assert len(found.option_counts[1]) == 2
        assert found.document["items"][0] is None
        assert found.document["items"][1]["guess_facility"] is None
        assert found.document["irt"]["items"][0] is None
        assert found.document["irt"]["items"][1] is not None

    @pytest.mark.parametrize("marks", [0.0, 2.0], ids=["prorated", "full marks to all"])
    def test_a_dropped_question_is_no_part_of_the_test(self, marks: float) -> None:
        """With a dropped twentieth question, alpha, errors and weights are those of the other nineteen."""
        data = simulated(200, changes={19: {"is_dropped": True, "right_option": -1}})
        data.letters[:, 19], data.marks[:, 19] = ord("d"), marks
        found, alone = analyze(data), analyze(first_questions(simulated(200), 19))
        assert found.document["items"] == [*alone.document["items"], None]
        assert (found.alpha, found.standard_error) == (alone.alpha, alone.standard_error)
        assert found.mean == pytest.approx((alone.mean or 0) + marks)
        for each in ("sections", "languages"):
            for whole, part in zip(found.document[each], alone.document[each], strict=True):
                assert whole["scores"]["alpha_interval"] == part["scores"]["alpha_interval"]
                *others, dropped = whole["items"]
                assert others == part["items"]
                assert (dropped["facility"], dropped["discrimination_index"]) == (None, None)

    def test_not_attempted_is_no_distractor(self) -> None:
        """An option that a marking scheme adds is listed, and is not called rarely chosen."""
        found = analyze(simulated(200, changes={0: {"listed_options": 5}}))
        assert len(found.option_counts[0]) == 7
        rare = {"option_rarely_chosen"}
        assert not [f for f in found.document["flags"] if f["flag"] in rare and f["position"] == 1]

    @pytest.mark.parametrize("attempts", [0, 1, 9])
    def test_too_few(self, attempts: int) -> None:
        found = analyze(simulated(attempts))
        assert (found.attempts, found.alpha, found.standard_error) == (attempts, None, None)
        assert found.document["items"] is None
        assert found.document["irt"] is None
        assert found.document["flags"] == []
        assert found.median_ms == [None] * 20

    def test_everybody_alike(self) -> None:
        """Undefined figures are null."""
        data = simulated(40)
        data.letters[:], data.marks[:], data.choices[:] = ord("c"), 2, 0
        found = analyze(data)
        assert found.alpha is None
        assert found.document["irt"] is None
        assert {item["discrimination_index"] for item in found.document["items"]} == {None}

    def test_small_groups_are_hidden(self) -> None:
        data = simulated(2 * MIN_GROUP_SIZE)
        assert [found["language"] for found in analyze(data).document["languages"]] == ["en", "hi"]
        read_first = Membership(1 - data.groups["language"].places, ("hi", "en"), "en")
        other_order = replace(data, groups={"language": read_first})
        assert analyze(other_order).document["languages"] == analyze(data).document["languages"]
        fewer = simulated(2 * MIN_GROUP_SIZE - 1)
        assert [found["language"] for found in analyze(fewer).document["languages"]] == ["en"]

    def test_median_times(self) -> None:
        data = simulated(MIN_GROUP_SIZE)
        data.times_ms[:, 1] = -1
        data.times_ms[0, 2] = 0
        assert analyze(data).median_ms[:4] == [1000, None, None, 1000]

    def test_sections_are_tests_of_their_own(self) -> None:
        changes = {position: {"section": 1} for position in range(10, 20)}
        first, second = analyze(simulated(200, changes=changes)).document["sections"]
        alone = analyze(simulated(200)).document
        assert (first["positions"], second["positions"]) == (
            list(range(1, 11)),
            list(range(11, 21)),
        )
        means = first["scores"]["mean"] + second["scores"]["mean"]
        assert means == pytest.approx(alone["scores"]["mean"], abs=1e-5)


def chosen(data: ResultData, count: int, *, asked: int) -> ResultData:
    """The same test where each candidate chose `asked` of the first `count` questions."""
    chance = np.random.default_rng(7)
    order = chance.permuted(np.tile(np.arange(count), (len(data.marks), 1)), axis=1)
    left = np.zeros(data.marks.shape, dtype=np.bool_)
    left[:, :count] = order >= asked
    data.letters[left], data.marks[left], data.choices[left] = ord("u"), 0, BLANK
    questions = [
        replace(question, is_optional=place < count, section=int(place >= count))
        for place, question in enumerate(data.questions)
    ]
    return replace(data, questions=questions)


class TestChoice:
    def test_a_question_is_measured_among_those_who_chose_it(self) -> None:
        data = chosen(simulated(400), 10, asked=6)
        found = analyze(data)
        rows = data.letters[:, 0] != ord("u")
        own, totals = data.marks[rows, 0], data.marks[rows].sum(axis=1)
        item = found.document["items"][0]
        assert item["attempts"] == rows.sum() < 260
        assert item["facility"] == pytest.approx(own.mean() / 2, abs=1e-6)
        index = 100 * np.corrcoef(own, totals - own)[0, 1]
        assert item["discrimination_index"] == pytest.approx(index, abs=1e-6)
        low, high = item["facility_interval"].values()
        assert high - low == pytest.approx(2 * 1.64485 * own.std(ddof=1) / 2 / rows.sum() ** 0.5, abs=1e-4)
        assert (item["intended_weight"], item["effective_weight"]) == (None, None)
        required = found.document["items"][15]
        assert (required["attempts"], required["effective_weight"]) == (400, None)
        part = found.document["sections"][0]["items"][0]
        assert (part["attempts"], part["facility"]) == (item["attempts"], item["facility"])

    def test_alpha_needs_the_same_questions_for_all(self) -> None:
        found = analyze(chosen(simulated(400), 10, asked=6))
        assert (found.alpha, found.standard_error) == (None, None)
        assert found.mean is not None
        optional, required = found.document["sections"]
        assert (optional["scores"]["alpha"], optional["scores"]["error_ratio"]) == (None, None)
        assert required["scores"]["alpha"] is not None

    def test_too_few_chose_it(self) -> None:
        data = chosen(simulated(400), 10, asked=6)
        few = np.arange(400) >= 9
        data.letters[few, 0], data.marks[few, 0], data.choices[few, 0] = ord("u"), 0, BLANK
        found = analyze(data).document
        item = found["items"][0]
        assert (item["facility"], item["discrimination_index"]) == (None, None)
        assert item["attempts"] < 10
        assert not [flag for flag in found["flags"] if flag["position"] == 1]

    def test_a_question_that_a_group_rarely_chooses_is_not_harder_for_it(self) -> None:
        data = simulated(2000, changes={0: {"is_optional": True}})
        of_group = data.groups["language"].places == 1
        left = np.random.default_rng(3).random(2000) < np.where(of_group, 0.7, 0.1)
        data.letters[left, 0], data.marks[left, 0], data.choices[left, 0] = ord("u"), 0, BLANK
        (comparison,) = analyze(data).document["dif"]
        assert comparison["items"][0]["ets_class"] == "A"
        rarely = of_group & (np.cumsum(of_group) > MIN_COMPARED - 1)
        data.letters[rarely, 0] = ord("u")
        (comparison,) = analyze(data).document["dif"]
        assert comparison["items"][0] is None


class TestDifferences:
    def test_a_question_that_is_harder_for_a_group_is_flagged(self) -> None:
        found = analyze(simulated(2000, harder_for=("hi", 1.2))).document
        (comparison,) = found["dif"]
        assert (comparison["by"], comparison["focal"], comparison["focal_attempts"]) == (
            "language",
            "hi",
            1000,
        )
        classes = [item["ets_class"] for item in comparison["items"]]
        assert classes[0] == "C"
        assert classes[1:].count("C") == 0
        flags = [flag for flag in found["flags"] if flag["by"] == "language"]
        assert [(flag["flag"], flag["position"], flag["group"]) for flag in flags] == [
            ("harder_for_group", 1, "hi")
        ]

    def test_false_alarms_are_rare(self) -> None:
        """If the groups do not differ, at most 5 % of questions are classed B or C."""
        classes = [
            item["ets_class"]
            for seed in range(5)
            for item in analyze(simulated(400, seed=seed)).document["dif"][0]["items"]
        ]
        assert sum(each != "A" for each in classes) <= len(classes) * 0.05

    def test_groups_that_are_too_small(self) -> None:
        assert analyze(simulated(2 * MIN_COMPARED - 1)).document["dif"] == []


class TestModel:
    @pytest.mark.parametrize(
        ("attempts", "options", "model"),
        [
            (29, 4, None),
            (30, 4, Model.ONE),
            (499, 4, Model.ONE),
            (500, 4, Model.TWO),
            (2_999, 4, Model.TWO),
            (3_000, 4, Model.THREE),
            (3_000, 2, Model.TWO),
            (3_000, 0, Model.TWO),
        ],
    )
    def test_by_attempts_and_options(self, attempts: int, options: int, model: Model | None) -> None:
        data = simulated(2, changes={position: {"options": options} for position in range(20)})
        assert model_for(attempts, data) is model

    def test_options_that_differ(self) -> None:
        assert model_for(3_000, simulated(2, changes={0: {"options": 5}})) is Model.TWO

    def test_a_sample_of_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.engine.statistics.item_response.MAX_CALIBRATED_ATTEMPTS", 600)
        found = item_response(simulated(700, changes={0: {"options": 5}}))
        assert found is not None
        assert found["answers"] == 600

    def test_difficulties_are_found_again(self) -> None:
        """With 60 attempts, at least 80 % of the 90 % intervals contain the true difficulty."""
        true, inside = np.linspace(-1.5, 1.5, 20), []
        for seed in range(5):
            found = item_response(simulated(60, seed=seed))
            assert found is not None
            inside += [
                item["difficulty_interval"]["low"] < value < item["difficulty_interval"]["high"]
                for item, value in zip(found["items"], true, strict=True)
            ]
        assert 0.8 <= np.mean(inside) <= 1

    def test_the_label_of_a_new_question_counts(self) -> None:
        """The prior of a hard question raises the estimate, more so with fewer answers."""
        hard = {0: {"difficulty": 2.0, "difficulty_deviation": 0.5}}
        shifts = []
        for attempts in (30, 400):
            plain, labeled = (
                item_response(simulated(attempts)),
                item_response(simulated(attempts, changes=hard)),
            )
            assert plain is not None
            assert labeled is not None
            shifts.append(labeled["items"][0]["difficulty"] - plain["items"][0]["difficulty"])
        assert shifts[0] > shifts[1] > 0

    def test_a_blank_of_a_choice_of_questions_is_not_wrong(self) -> None:
        """If candidates choose which questions they answer, a blank does not raise the difficulty."""
        data, optional = simulated(200), simulated(200, changes={0: {"is_optional": True}})
        for each in (data, optional):
            blank = np.arange(200) % 2 == 0
            each.letters[blank, 0], each.marks[blank, 0], each.choices[blank, 0] = ord("u"), 0, BLANK
        found, chosen = item_response(data), item_response(optional)
        assert found is not None
        assert chosen is not None
        assert chosen["items"][0]["difficulty"] < found["items"][0]["difficulty"] - 0.5


@pytest.mark.parametrize(
    ("label", "known", "expected"),
    [
        (None, [], DifficultyPrior(0, 1.5)),
        ("easy", [], DifficultyPrior(-1, 1)),
        ("hard", [], DifficultyPrior(1, 1)),
        ("hard", [Calibrated(10, 2.0)], DifficultyPrior(1.5, 1)),
        ("hard", [Calibrated(10, 2.0), Calibrated(30, 0.5)], DifficultyPrior(0.75, 1)),
        ("medium", [Calibrated(), Calibrated()], DifficultyPrior(0, 1)),
    ],
)
def test_difficulty_prior(label: str | None, known: list[Calibrated], expected: DifficultyPrior) -> None:
    assert difficulty_prior(label, known) == expected
