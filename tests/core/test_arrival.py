"""When a request arrived, where the event loop was held while it waited."""

import pytest

from app.core.arrival import INTERVAL, LONGEST_HOLD, TICKS_AFTER_HOLD, LoopHold

START = 1000.0


def after(*gaps: float) -> tuple[LoopHold, float]:
    """A hold that has seen a tick after each of these gaps, and the time of the last."""
    hold, now = LoopHold(START), START
    for gap in gaps:
        now += gap
        hold.tick(now)
    return hold, now


class TestLoopHold:
    @pytest.mark.parametrize(
        ("gaps", "later", "waited"),
        [
            pytest.param([], 0.01, 0, id="a free loop that has not ticked yet"),
            pytest.param([INTERVAL] * 5, 0.01, 0, id="a free loop"),
            pytest.param([INTERVAL, 0.09], 0.01, 0, id="a tick that is a little late"),
            pytest.param([INTERVAL], 3.0, 3.0, id="the loop is held: no tick since it was free"),
            pytest.param([INTERVAL, 3.0], 0.0, 3.0, id="the tick came before the sockets were read"),
            pytest.param([INTERVAL, 3.0, INTERVAL], 0.0, 3.0 + INTERVAL, id="one round later"),
            pytest.param([INTERVAL, 3.0, *[INTERVAL] * TICKS_AFTER_HOLD], 0.0, 0, id="all of them were read"),
            pytest.param([2.0, 1.5], 0.0, 3.5, id="reading them held the loop again"),
            pytest.param([3.0, *[INTERVAL] * TICKS_AFTER_HOLD, 3.0], 0.0, 3.0, id="another hold, later"),
            pytest.param(
                [0.3] * 100, 0.0, 0.3 * TICKS_AFTER_HOLD, id="not to the first of many holds after each other"
            ),
            pytest.param([500.0], 0.0, LONGEST_HOLD, id="no further back than the longest hold"),
        ],
    )
    def test_a_request_is_dated_to_when_the_loop_was_last_free(
        self, gaps: list[float], later: float, waited: float
    ) -> None:
        hold, now = after(*gaps)
        assert hold.waited(now + later) == pytest.approx(waited)

    def test_a_tick_says_by_how_much_it_was_late(self) -> None:
        hold = LoopHold(START)
        assert hold.tick(START + INTERVAL) == 0
        assert hold.tick(START + 2 * INTERVAL + 0.3) == pytest.approx(0.3)
