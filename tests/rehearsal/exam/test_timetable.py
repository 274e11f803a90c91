"""When the papers of a rehearsed exam are open."""

from datetime import UTC, datetime, timedelta

import pytest

from rehearsal.exam.timetable import LONGEST_EXTRA, windows

NOON = datetime(2027, 5, 23, 12, tzinfo=UTC)


class TestWindows:
    @pytest.mark.parametrize("seconds", [3, 60, 7200])
    def test_who_has_the_longest_time_still_finds_the_next_door_open(self, seconds: int) -> None:
        first, second = windows(NOON, seconds, papers=2, grace=10)

        over = first.starts_at + timedelta(seconds=(1 + LONGEST_EXTRA) * seconds + 10)
        assert second.starts_at <= over < second.entry_closes_at

    @pytest.mark.parametrize("seconds", [3, 60, 7200])
    def test_times_are_in_the_order_that_the_server_wants(self, seconds: int) -> None:
        for window in windows(NOON, seconds, papers=3, grace=10):
            assert window.starts_at < window.entry_closes_at <= window.ends_at

    def test_the_last_one_in_is_cut_short(self) -> None:
        window, _ = windows(NOON, 60, papers=2, grace=10)

        assert window.in_entry(1) + timedelta(seconds=60) > window.ends_at

    def test_a_herd_has_five_seconds_at_most(self) -> None:
        assert [windows(NOON, seconds, 1, 10)[0].herd_seconds for seconds in (10, 7200)] == [1, 5]

    def test_a_postponement_moves_all_of_it(self) -> None:
        window = windows(NOON, 60, 1, 10)[0]
        later = window.later(timedelta(minutes=5))

        assert later.starts_at - window.starts_at == timedelta(minutes=5)
        assert later.ends_at - later.starts_at == window.ends_at - window.starts_at
        assert later.at(0.5) - window.at(0.5) == timedelta(minutes=5)
