"""How `tests.faults.timing` decides: by all rounds together, and never by the last alone."""

import random

import httpx
import pytest

from tests.faults import timing
from tests.faults.timing import Measured, Round, Route

ROUTE = Route("POST /somewhere", "http://api.test", lambda email: {"email": email}, 202, {})
LEVEL = [1.0, 2.0, 3.0, 4.0] * 100
SLOWER = [value + 2.0 for value in LEVEL]


def test_a_quiet_last_round_does_not_hide_a_telling_one() -> None:
    measured = Measured(ROUTE, [Round(SLOWER, LEVEL), Round(SLOWER, LEVEL), Round(LEVEL, LEVEL)])
    assert measured.auc == pytest.approx((0.875 + 0.875 + 0.5) / 3)
    assert measured.verdict == "TELLS"


def test_equal_times_hold_when_there_are_enough_of_them() -> None:
    assert Measured(ROUTE, [Round(LEVEL, LEVEL)] * 5).verdict == "holds"


def test_few_calls_prove_nothing() -> None:
    assert Measured(ROUTE, [Round(LEVEL[:20], LEVEL[:20])]).verdict == "undecided"


def test_a_slow_hour_between_rounds_is_no_difference_of_addresses() -> None:
    later = [value * 1000 for value in LEVEL]
    assert Measured(ROUTE, [Round(LEVEL, LEVEL), Round(later, later)]).auc == 0.5


def test_the_interval_holds_the_true_value_in_about_99_of_100_cases() -> None:
    dice, true, inside = random.Random(8), 0.6382, 0  # of two normal distributions, half a deviation apart
    for _ in range(500):
        rounds = [
            Round([dice.gauss(0.5, 1) for _ in range(40)], [dice.gauss(0, 1) for _ in range(40)])
            for _ in range(3)
        ]
        low, high = Measured(ROUTE, rounds).interval
        inside += low <= true <= high
    assert 485 <= inside <= 499


async def test_every_round_is_measured_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(202))
    async with httpx.AsyncClient(transport=transport) as http:
        measured = await timing.measure(http, ROUTE, ["a@example.org"] * 4, random.Random(8), 3)
    count = len(measured.rounds)
    assert count in (3, 6, 9)
    assert [line.split()[:4] for line in capsys.readouterr().out.splitlines()] == [
        ["POST", "/somewhere", "round", str(number)] for number in range(1, count + 1)
    ]
