"""When the papers of a rehearsed exam are open."""

from datetime import UTC, datetime, timedelta

import pytest

from rehearsal.exam.timetable import MAX_EXTRA_SHARE, windows

NOON = datetime(2027, 5, 23, 12, tzinfo=UTC)


class TestWindows:
    @pytest.mark.parametrize("seconds", [3, 60, 7200])
    def test_a_candidate_with_the_longest_time_can_enter_the_next_paper(self, seconds: int) -> None:
        first, second = windows(NOON, seconds, papers=2, grace=10)

        over = first.starts_at + timedelta(seconds=(1 + MAX_EXTRA_SHARE) * seconds + 10)
        assert second.starts_at <= over < second.entry_closes_at

    @pytest.mark.parametrize("seconds", [3, 60, 7200])
    def test_times_are_in_the_order_that_the_server_wants(self, seconds: int) -> None:
        for window in windows(NOON, seconds, papers=3, grace=10):
            assert window.starts_at < window.entry_closes_at <= window.ends_at

    def test_the_window_shortens_the_last_candidates_time(self) -> None:
        window, _ = windows(NOON, 60, papers=2, grace=10)

        assert window.entry_moment(1) + timedelta(seconds=60) > window.ends_at

    def test_candidates_start_within_five_seconds_at_most(self) -> None:
        assert [windows(NOON, seconds, 1, 10)[0].start_spread_seconds for seconds in (10, 7200)] == [1, 5]

    def test_a_postponement_moves_all_of_it(self) -> None:
        window = windows(NOON, 60, 1, 10)[0]
        postponed = window.postponed(timedelta(minutes=5))

        assert postponed.starts_at - window.starts_at == timedelta(minutes=5)
        assert postponed.ends_at - postponed.starts_at == window.ends_at - window.starts_at
        assert postponed.at(0.5) - window.at(0.5) == timedelta(minutes=5)
