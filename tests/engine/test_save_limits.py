"""Limits on saves: normal clients stay below them; faster clients are refused."""

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


def allowed_calls(calls: int, every: timedelta = timedelta(0)) -> int:
    """How many of `calls` calls are allowed."""
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
            # The most calls that app/engine/save_limits.py expects after hours offline: 54 to 81.
            pytest.param(81, timedelta(0), id="hours offline, sent at one moment"),
        ],
    )
    def test_normal_clients_are_allowed(self, calls: int, every: timedelta) -> None:
        assert allowed_calls(calls, every) == calls

    def test_faster_clients_are_refused(self) -> None:
        assert allowed_calls(1_000) == CALLS_PER_SECOND
        assert allowed_calls(10_000, timedelta(milliseconds=1)) <= 11 * CALLS_PER_SECOND

    def test_a_refused_call_uses_no_tokens(self) -> None:
        spent = Pace(NOW, calls=0)
        assert paced(spent, NOW) is None
        assert paced(spent, NOW + timedelta(seconds=1 / CALLS_PER_SECOND)) is not None

    def test_an_earlier_time_adds_no_tokens(self) -> None:
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
