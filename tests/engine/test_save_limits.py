"""Bounds of saving: a device that behaves never meets them, one that does not is slowed and stopped."""

from datetime import UTC, datetime, timedelta

import pytest

from app.engine.save_limits import (
    CALLS_PER_SECOND,
    EVENTS_PER_ATTEMPT,
    EVENTS_PER_QUESTION,
    Pace,
    is_full,
    paced,
)

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)


def admitted(calls: int, every: timedelta = timedelta(0)) -> int:
    """How many of so many calls are let through."""
    pace, count = Pace(NOW), 0
    for number in range(calls):
        after = paced(pace, NOW + number * every)
        if after is not None:
            pace, count = after, count + 1
    return count


class TestPace:
    @pytest.mark.parametrize(
        ("calls", "every"),
        [
            pytest.param(10_800, timedelta(seconds=1), id="a save every second for three hours"),
            pytest.param(1_000, timedelta(seconds=1 / CALLS_PER_SECOND), id="100 calls a second"),
            pytest.param(CALLS_PER_SECOND, timedelta(0), id="100 calls at one moment"),
            pytest.param(81, timedelta(0), id="hours offline, sent at one moment"),
        ],
    )
    def test_lets_honest_devices_through(self, calls: int, every: timedelta) -> None:
        assert admitted(calls, every) == calls

    def test_bounds_calls(self) -> None:
        assert admitted(1_000) == CALLS_PER_SECOND
        assert admitted(10_000, timedelta(milliseconds=1)) <= 11 * CALLS_PER_SECOND

    def test_a_refusal_costs_nothing(self) -> None:
        spent = Pace(NOW, calls=0)
        assert paced(spent, NOW) is None
        assert paced(spent, NOW + timedelta(seconds=1 / CALLS_PER_SECOND)) is not None

    def test_one_that_was_overtaken_gives_nothing_back(self) -> None:
        pace = paced(Pace(NOW), NOW + timedelta(seconds=5))
        assert pace is not None
        earlier = paced(pace, NOW)
        assert earlier == Pace(NOW + timedelta(seconds=5), pace.calls - 1)


class TestFullLog:
    @pytest.mark.parametrize(
        ("events", "of_one_question", "full"),
        [
            (0, 0, False),
            (16_200, 16_200, False),  # a save a second of one question for four and a half hours
            (EVENTS_PER_ATTEMPT - 1, EVENTS_PER_QUESTION - 1, False),
            (EVENTS_PER_ATTEMPT, 1, True),
            (EVENTS_PER_QUESTION, EVENTS_PER_QUESTION, True),
        ],
    )
    def test_by_attempt_and_by_question(self, events: int, of_one_question: int, full: bool) -> None:
        assert is_full(events, of_one_question) is full
