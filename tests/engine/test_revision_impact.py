"""The impact of another key: counts, ranks before and after, and the biggest changes."""

from fractions import Fraction
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.engine.revision_impact import MAX_SHOWN_CHANGES, Impact, ImpactCount, Regraded, ResultMark

COHORT, OTHER = UUID(int=1), UUID(int=2)


def mark(score: str, *, ranked: bool = True, qualification: str = "qualified") -> ResultMark:
    return ResultMark(Fraction(score), score, ranked, qualification)


def impact_of(*pairs: tuple[ResultMark, ResultMark], cohort_id: UUID = COHORT) -> Impact:
    counted = ImpactCount()
    for number, (before, after) in enumerate(pairs):
        counted.add(UUID(int=number), Regraded(before, after, cohort_id, cohort_id))
    return counted.impact({})


def figures(impact: Impact) -> tuple[int, int, int, int]:
    return impact.attempts, impact.scores_changed, impact.ranks_changed, impact.qualified_changed


class TestImpact:
    def test_of_nobody(self) -> None:
        assert impact_of() == Impact(0, 0, 0, 0, 0, [], [])

    def test_a_rank_may_change_without_a_score(self) -> None:
        impact = impact_of((mark("4"), mark("4")), (mark("2"), mark("14/3")), (mark("0"), mark("0")))
        assert figures(impact) == (3, 1, 2, 0)
        assert [
            (change.attempt_id.int, change.rank_before, change.rank_after)
            for change in impact.biggest_changes
        ] == [(1, 2, 1), (0, 1, 2)]
        assert impact.distribution == [(3, 1)]

    def test_ties_share_a_rank_and_the_next_is_skipped(self) -> None:
        impact = impact_of((mark("4"), mark("4")), (mark("2"), mark("4")), (mark("0"), mark("0")))
        assert [
            (change.attempt_id.int, change.rank_before, change.rank_after)
            for change in impact.biggest_changes
        ] == [(1, 2, 1)]

    def test_practice_has_no_rank_and_takes_none(self) -> None:
        impact = impact_of((mark("4", ranked=False), mark("6", ranked=False)), (mark("2"), mark("2")))
        assert figures(impact) == (2, 1, 0, 0)
        assert impact.biggest_changes[0].rank_after is None

    def test_who_is_disqualified_no_more_gets_a_rank(self) -> None:
        out = mark("2", ranked=False, qualification="disqualified")
        impact = impact_of((out, mark("2")), (mark("0"), mark("0")))
        assert figures(impact) == (2, 0, 2, 1)

    def test_cohorts_are_ranked_apart(self) -> None:
        counted = ImpactCount()
        counted.add(UUID(int=1), Regraded(mark("1"), mark("5"), COHORT, COHORT))
        counted.add(UUID(int=2), Regraded(mark("3"), mark("3"), OTHER, OTHER))
        assert figures(counted.impact({})) == (2, 1, 0, 0)

    def test_who_joins_a_cohort_is_ranked_with_it_and_moves_those_below(self) -> None:
        counted = ImpactCount()
        counted.add(UUID(int=1), Regraded(mark("0"), mark("2"), COHORT, OTHER))
        counted.add(UUID(int=2), Regraded(mark("2"), mark("0"), COHORT, OTHER))
        assert counted.cohorts == {COHORT, OTHER}
        now = {COHORT: {Fraction(0): 1, Fraction(2): 1}, OTHER: {Fraction(4): 3, Fraction(1): 2}}
        impact = counted.impact(now)
        ranks = [(each.attempt_id.int, each.rank_before, each.rank_after) for each in impact.biggest_changes]
        assert ranks == [(2, 1, 7), (1, 2, 4)]
        assert (impact.ranks_changed, impact.other_ranks_changed) == (2, 2)

    def test_who_leaves_a_cohort_moves_those_who_stay(self) -> None:
        counted = ImpactCount()
        counted.add(UUID(int=1), Regraded(mark("4"), mark("4"), COHORT, OTHER))
        impact = counted.impact({COHORT: {Fraction(4): 1, Fraction(1): 5}, OTHER: {}})
        assert (impact.ranks_changed, impact.other_ranks_changed) == (0, 5)

    def test_a_histogram_that_is_older_than_the_attempts_does_no_harm(self) -> None:
        counted = ImpactCount()
        counted.add(UUID(int=1), Regraded(mark("4"), mark("2"), COHORT, COHORT))
        assert figures(counted.impact({COHORT: {Fraction(3): 1}})) == (1, 1, 1, 0)

    def test_shows_a_bounded_number_the_biggest_first(self) -> None:
        pairs = [(mark("0"), mark(str(number % 50))) for number in range(100)]
        shown = impact_of(*pairs).biggest_changes
        assert len(shown) == MAX_SHOWN_CHANGES
        assert [change.after.score for change in shown[:4]] == [49, 49, 48, 48]
        assert [change.attempt_id.int for change in shown[:2]] == [49, 99]


scores = st.integers(-2, 6).map(lambda number: Fraction(number, 3))


@given(st.lists(st.tuples(scores, scores, st.booleans()), max_size=30))
def test_equals_what_counting_one_by_one_gives(drawn: list[tuple[Fraction, Fraction, bool]]) -> None:
    counted = ImpactCount()
    for number, (before, after, ranked) in enumerate(drawn):
        one, other = (ResultMark(score, str(score), ranked, "qualified") for score in (before, after))
        counted.add(UUID(int=number), Regraded(one, other, COHORT, COHORT))
    ranked_ones = [(before, after) for before, after, ranked in drawn if ranked]
    moved = [
        (before, after)
        for before, after in ranked_ones
        if sum(other > before for other, _ in ranked_ones) != sum(other > after for _, other in ranked_ones)
    ]
    impact = counted.impact({})
    assert impact.ranks_changed == len(moved)
    assert impact.scores_changed == sum(before != after for before, after, _ in drawn)
    assert sum(attempts for _, attempts in impact.distribution) == impact.scores_changed
