"""Bounds of saving: a device that behaves never meets them, one that does not is slowed and stopped."""

from datetime import UTC, datetime, timedelta

import pytest

from app.engine.save_limits import (
    CALLS_PER_SECOND,
    EVENTS_PER_ATTEMPT,
    EVENTS_PER_QUESTION,
    RESPONSES_PER_SECOND,
    Pace,
    is_full,
    paced,
)

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)


def admitted(calls: int, responses: int, every: timedelta = timedelta(0)) -> int:
    """How many of so many calls are let through."""
    pace, count = Pace(NOW), 0
    for number in range(calls):
        after = paced(pace, responses, NOW + number * every)
        if after is not None:
            pace, count = after, count + 1
    return count


class TestPace:
    @pytest.mark.parametrize(
        ("calls", "responses", "every"),
        [
            pytest.param(10_800, 1, timedelta(seconds=1), id="a save every second for three hours"),
            pytest.param(1_000, 1, timedelta(seconds=1 / CALLS_PER_SECOND), id="100 calls a second"),
            pytest.param(CALLS_PER_SECOND, 1, timedelta(0), id="100 calls at one moment"),
            pytest.param(20, 200, timedelta(0), id="4,000 answers at one moment"),
            pytest.param(81, 200, timedelta(milliseconds=50), id="hours offline, sent in four seconds"),
        ],
    )
    def test_lets_honest_devices_through(self, calls: int, responses: int, every: timedelta) -> None:
        assert admitted(calls, responses, every) == calls

    def test_bounds_calls(self) -> None:
        assert admitted(1_000, 1) == CALLS_PER_SECOND
        assert admitted(10_000, 1, timedelta(milliseconds=1)) <= 11 * CALLS_PER_SECOND

    def test_bounds_answers(self) -> None:
        assert admitted(1_000, 200) == RESPONSES_PER_SECOND // 200
        assert admitted(1_000, 200, timedelta(milliseconds=10)) * 200 <= 11 * RESPONSES_PER_SECOND

    def test_a_refusal_costs_nothing(self) -> None:
        spent = Pace(NOW, calls=0, responses=RESPONSES_PER_SECOND)
        assert paced(spent, 1, NOW) is None
        assert paced(spent, 1, NOW + timedelta(seconds=1 / CALLS_PER_SECOND)) is not None

    def test_one_that_was_overtaken_gives_nothing_back(self) -> None:
        pace = paced(Pace(NOW), 1, NOW + timedelta(seconds=5))
        assert pace is not None
        earlier = paced(pace, 1, NOW)
        assert earlier == Pace(NOW + timedelta(seconds=5), pace.calls - 1, pace.responses - 1)


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
