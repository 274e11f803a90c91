"""Who plays what in a rehearsed exam."""

from collections import Counter

from rehearsal.exam.cast import Arrival, Fate, cast


class TestCast:
    def test_the_seed_decides(self) -> None:
        assert cast(1, 50, 2) == cast(1, 50, 2)
        assert cast(1, 50, 2) != cast(2, 50, 2)

    def test_a_small_exam_has_every_part(self) -> None:
        parts = cast(1, 20, 2)

        assert {part.fate for part in parts} == set(Fate)
        assert {part.arrival for part in parts} == set(Arrival)
        assert {part.papers for part in parts} >= {frozenset(), frozenset({0}), frozenset({1})}
        assert any(part.has_own_grant and part.pwbd for part in parts)

    def test_most_sit_everything_with_the_herd(self) -> None:
        parts = cast(1, 300, 2)

        arrivals = Counter(part.arrival for part in parts)
        assert [part.number for part in parts] == list(range(1, 301))
        assert arrivals[Arrival.WITH_THE_HERD] > 240
        assert sum(part.papers == {0, 1} for part in parts) > 250
        assert 50 < sum(part.fate is Fate.PAUSED for part in parts) < 70

    def test_with_one_paper_nobody_sits_a_half(self) -> None:
        assert {part.papers for part in cast(1, 100, 1)} == {frozenset(), frozenset({0})}
