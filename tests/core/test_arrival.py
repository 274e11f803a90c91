"""The arrival time of a request that waited while the event loop was blocked."""

import pytest

from app.core.arrival import INTERVAL, MAX_CORRECTION_SECONDS, TICKS_AFTER_BLOCK, LoopMonitor

START = 1000.0


def after(*gaps: float) -> tuple[LoopMonitor, float]:
    """A monitor that was ticked after each of these gaps, and the time of the last tick."""
    monitor, now = LoopMonitor(START), START
    for gap in gaps:
        now += gap
        monitor.tick(now)
    return monitor, now


class TestLoopMonitor:
    @pytest.mark.parametrize(
        ("gaps", "later", "waited"),
        [
            pytest.param([], 0.01, 0, id="a free loop that has not ticked yet"),
            pytest.param([INTERVAL] * 5, 0.01, 0, id="a free loop"),
            pytest.param([INTERVAL, 0.09], 0.01, 0, id="a tick that is a little late"),
            pytest.param([INTERVAL], 3.0, 3.0, id="the loop is blocked: no tick yet"),
            pytest.param([INTERVAL, 3.0], 0.0, 3.0, id="the tick came before the sockets were read"),
            pytest.param([INTERVAL, 3.0, INTERVAL], 0.0, 3.0 + INTERVAL, id="one iteration later"),
            pytest.param([INTERVAL, 3.0, *[INTERVAL] * TICKS_AFTER_BLOCK], 0.0, 0, id="all were read"),
            pytest.param([2.0, 1.5], 0.0, 3.5, id="reading them blocked the loop again"),
            pytest.param([3.0, *[INTERVAL] * TICKS_AFTER_BLOCK, 3.0], 0.0, 3.0, id="another block, later"),
            pytest.param([0.3] * 100, 0.0, 0.3 * TICKS_AFTER_BLOCK, id="not before the first of many blocks"),
            pytest.param([500.0], 0.0, MAX_CORRECTION_SECONDS, id="at most the longest correction"),
        ],
    )
    def test_a_request_gets_the_time_before_the_block(
        self, gaps: list[float], later: float, waited: float
    ) -> None:
        monitor, now = after(*gaps)
        assert monitor.waited(now + later) == pytest.approx(waited)

    def test_a_tick_returns_its_delay(self) -> None:
        monitor = LoopMonitor(START)
        assert monitor.tick(START + INTERVAL) == 0
        assert monitor.tick(START + 2 * INTERVAL + 0.3) == pytest.approx(0.3)
