"""Streaks as tables: consecutive days, what counts as activity, and days on which the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.engine.streaks import Presence, day_of, longest_streak, streak_days

NOON = datetime(2026, 6, 7, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DELHI, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")


class TestStreakDays:
    @pytest.mark.parametrize(
        ("days_ago", "length"),
        [
            pytest.param([], 0, id="never"),
            pytest.param([0], 1, id="today"),
            pytest.param([1], 1, id="yesterday, and nothing yet today"),
            pytest.param([2], 0, id="two days ago"),
            pytest.param([0, 0, 1, 2], 3, id="three days, twice on one"),
            pytest.param([1, 2, 3], 3, id="three days until yesterday"),
            pytest.param([0, 1, 3, 4, 5], 2, id="since a gap"),
            pytest.param([-1, 0], 1, id="tomorrow does not count"),
        ],
    )
    def test_consecutive_days(self, days_ago: list[int], length: int) -> None:
        assert streak_days([NOON - ago * DAY for ago in days_ago], NOON, UTC) == length

    def test_over_a_leap_day(self) -> None:
        noons = [datetime(2028, *day, 12, tzinfo=UTC) for day in ((2, 28), (2, 29), (3, 1))]
        assert streak_days(noons, noons[-1], UTC) == 3

    @pytest.mark.parametrize(("zone", "length"), [("Asia/Kolkata", 2), ("UTC", 1), ("Pacific/Kiritimati", 1)])
    def test_days_are_those_of_the_time_zone(self, zone: str, length: int) -> None:
        """18:28 and 18:33 in UTC are two days in India only."""
        moments = [NOON.replace(hour=18, minute=28), NOON.replace(hour=18, minute=33)]
        assert streak_days(moments, moments[-1], ZoneInfo(zone)) == length

    @pytest.mark.parametrize(
        "change", [datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 10, 25, tzinfo=BERLIN)]
    )
    def test_a_day_of_23_or_25_hours_is_one_day(self, change: datetime) -> None:
        """The first and the last minute of the day, and those beside it."""
        before, after = change - timedelta(minutes=1), change + DAY  # in local time, as Python adds them
        edges = [before, change, after - timedelta(minutes=1), after]
        moments = [moment.astimezone(UTC) for moment in edges]
        assert streak_days(moments, moments[-1], BERLIN) == 3
        assert streak_days(moments[1:3], moments[2], BERLIN) == 1

    def test_a_midnight_that_does_not_exist(self) -> None:
        """In Beirut the clocks went from 0:00 to 1:00 on 30 March 2025."""
        beirut = ZoneInfo("Asia/Beirut")
        before, after = datetime(2025, 3, 29, 21, 59, tzinfo=UTC), datetime(2025, 3, 29, 22, 1, tzinfo=UTC)
        assert (day_of(before, beirut).day, day_of(after, beirut).day) == (29, 30)
        assert streak_days([before, after], after, beirut) == 2


class TestPresence:
    def test_a_start_a_save_and_a_submission(self) -> None:
        assert Presence(NOON, NOON + 2 * HOUR, NOON + HOUR).moments == [NOON, NOON + HOUR, NOON + 2 * HOUR]

    def test_an_end_by_the_deadline_is_no_activity(self) -> None:
        assert Presence(NOON).moments == [NOON]


class TestLongestStreak:
    @pytest.mark.parametrize(
        ("days_ago", "length"),
        [((), 0), ((5,), 1), ((0, 1, 2), 3), ((0, 1, 9, 8, 7, 20), 3), ((3, 3, 4, 4), 2)],
    )
    def test_of_all_days(self, days_ago: tuple[int, ...], length: int) -> None:
        assert longest_streak([NOON - ago * DAY for ago in days_ago], UTC) == length

    def test_days_are_those_of_the_time_zone(self) -> None:
        """Two moments of one day in UTC are on two days in India."""
        moments = [datetime(2026, 6, 7, hour, tzinfo=UTC) for hour in (10, 20)]
        assert (longest_streak(moments, UTC), longest_streak(moments, ZoneInfo("Asia/Kolkata"))) == (1, 2)
