"""Tie-breaks: tables of cases, and what every chain does to an order."""

from fractions import Fraction
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.part_scores import MarkedParts, Part, PartScore
from app.engine.ranking import PercentileDefinition, places
from app.engine.tie_breaks import (
    JEE_SUBJECTS,
    MEASURES,
    NAME,
    WHOLE,
    Compared,
    Criterion,
    Scope,
    chain_of,
    criterion_of,
    scopes_of,
    tie_break_key,
)
from app.schemas.exams.ranking import Measure, Preset

MATHEMATICS, PHYSICS, CHEMISTRY = (Scope(subject=name) for name in JEE_SUBJECTS)


def part(marks: str, right: int = 0, wrong: int = 0) -> PartScore:
    return PartScore(Fraction(marks), right, wrong)


def by(measure: str, scope: Scope = WHOLE) -> list[Criterion]:
    return [Criterion(measure, scope)]


def compared(name: str = "Asha", /, **scores: PartScore) -> Compared:
    scopes = {"whole": WHOLE, "maths": MATHEMATICS, "physics": PHYSICS, "chemistry": CHEMISTRY}
    return Compared(name, {scopes[key]: score for key, score in scores.items()})


class TestCriteria:
    @pytest.mark.parametrize(
        ("chain", "first", "second"),
        [
            pytest.param(by("score"), compared(whole=part("4")), compared(whole=part("11/3")), id="score"),
            pytest.param(by("score"), compared(whole=part("-1")), compared(), id="a missed part is last"),
            pytest.param(
                by("score", PHYSICS),
                compared(physics=part("1/3"), whole=part("1")),
                compared(physics=part("333333/1000000"), whole=part("9")),
                id="exact scores of a subject",
            ),
            pytest.param(
                by("wrong"), compared(whole=part("4", 2, 1)), compared(whole=part("9", 9, 2)), id="wrong"
            ),
            pytest.param(
                by("wrong_ratio"),
                compared(whole=part("0", 9, 3)),
                compared(whole=part("0", 2, 1)),
                id="wrong ratio",
            ),
            pytest.param(
                by("wrong_ratio"),
                compared(whole=part("0", 1, 1000)),
                compared(whole=part("0", 0, 1)),
                id="wrong answers and no right one are worse than any ratio",
            ),
            pytest.param(
                by("wrong_ratio"),
                compared(whole=part("0", 0, 0)),
                compared(whole=part("0", 100, 1)),
                id="no answer at all is a ratio of zero",
            ),
            pytest.param(
                by(NAME), compared("asha  rao"), compared("Asha Sen"), id="names without regard to case"
            ),
            pytest.param(by(NAME), compared("Zoya"), compared("अमर"), id="names by code point"),
        ],
    )
    def test_who_is_first(self, chain: list[Criterion], first: Compared, second: Compared) -> None:
        assert tie_break_key(chain, first) < tie_break_key(chain, second)

    @pytest.mark.parametrize(
        ("chain", "one", "other"),
        [
            ([], compared(whole=part("1")), compared("Zoya", whole=part("2"))),
            (by("wrong_ratio"), compared(whole=part("0", 2, 1)), compared(whole=part("9", 4, 2))),
            (by(NAME), compared("Asha Rao"), compared(" asha  rao ")),
        ],
    )
    def test_who_is_equal(self, chain: list[Criterion], one: Compared, other: Compared) -> None:
        assert tie_break_key(chain, one) == tie_break_key(chain, other)


class TestPresets:
    def test_without_a_chain_everybody_stays_tied(self) -> None:
        assert chain_of("none", ["P1"]) == ()

    def test_nta_compares_scores_of_subjects_and_then_ratios(self) -> None:
        """JEE (Main) 2025: Mathematics, Physics, Chemistry; ratio overall; ratios in the same order."""
        chain = chain_of("nta", ["P1"])
        same = {"maths": part("60", 15, 0), "physics": part("50", 13, 2), "chemistry": part("40", 11, 4)}
        whole = part("150", 39, 6)
        order = [
            compared(**same | {"maths": part("61"), "physics": part("49"), "whole": part("150", 1, 99)}),
            compared(**same | {"physics": part("51"), "chemistry": part("39"), "whole": part("150", 1, 99)}),
            compared(**same | {"whole": part("150", 39, 5)}),
            compared(**same | {"physics": part("50", 13, 1), "chemistry": part("40", 11, 5), "whole": whole}),
            compared(**same | {"whole": whole}),
        ]
        keys = [tie_break_key(chain, each) for each in order]
        assert keys == sorted(keys)
        assert len(set(keys)) == len(keys)

    def test_ssc_compares_papers_and_then_names(self) -> None:
        chain = chain_of("ssc", ["P1", "P2"])
        p1, p2 = Scope(paper="P1"), Scope(paper="P2")
        assert chain == [Criterion("score", p1), Criterion("score", p2), Criterion(NAME)]
        assert scopes_of(chain) == {p1, p2}

    def test_a_list_is_read_as_it_is_stored(self) -> None:
        stored = [{"by": "score", "paper": "P1", "section": "Reasoning"}, {"by": "name"}]
        expected = [Criterion("score", Scope("P1", "Reasoning")), Criterion(NAME)]
        assert chain_of(stored, ["P1"]) == expected == [criterion_of(each) for each in stored]

    def test_the_api_has_all_of_them(self) -> None:
        for preset in get_args(Preset):
            chain_of(preset, ["P1"])
        assert {*get_args(Measure)} == {*MEASURES, NAME}


class TestPart:
    @pytest.mark.parametrize(
        ("chosen", "expected"),
        [([0, 1, 2, 3, 4], part("8/3", 2, 1)), ([1], part("-2/3", 0, 1)), ([0, 3], part("3", 1, 0))],
    )
    def test_marks_after_proration_and_counts(self, chosen: list[int], expected: PartScore) -> None:
        graded = MarkedParts("cicpu", [6, -2, 1, 3, 0], Fraction(1, 3))
        assert Part(chosen).score(graded) == expected


class TestPlaces:
    def test_a_tie_break_changes_ranks_and_no_percentile(self) -> None:
        found = places([(9, ()), (7, (0,)), (7, (1,)), (7, (1,)), (5, ())])
        assert [each.rank for each in found] == [1, 2, 3, 3, 5]
        assert [each.percentile for each in found] == [100.0, 80.0, 80.0, 80.0, 20.0]

    @given(
        st.lists(st.tuples(st.integers(0, 5), st.tuples(st.integers(0, 2))), max_size=30),
        st.sampled_from(PercentileDefinition),
        st.randoms(use_true_random=False),
    )
    def test_a_chain_refines_the_ranks_and_the_input_order_does_not_matter(
        self, candidates: list[tuple[int, Any]], definition: PercentileDefinition, random: Random
    ) -> None:
        def ranks(order: list[int], keys: list[tuple[int, Any]]) -> dict[int, tuple[int, float]]:
            best_first = sorted(order, key=lambda place: (-keys[place][0], keys[place][1]))
            found = places([keys[place] for place in best_first], definition)
            return {
                place: (each.rank, each.percentile) for place, each in zip(best_first, found, strict=True)
            }

        order = list(range(len(candidates)))
        refined, plain = ranks(order, candidates), ranks(order, [(total, ()) for total, _ in candidates])
        for one, (total, key) in enumerate(candidates):
            better = sum(other > total or (other == total and own < key) for other, own in candidates)
            assert refined[one][0] == better + 1
            assert plain[one][0] == 1 + sum(other > total for other, _ in candidates)
            assert refined[one][1] == plain[one][1]
        shuffled = order.copy()
        random.shuffle(shuffled)
        assert ranks(shuffled, candidates) == refined
