"""The circuit breaker, step by step."""

import structlog

from app.core.breaker import Breaker


class TestBreaker:
    def test_a_working_server_is_always_asked(self) -> None:
        breaker = Breaker("x")
        assert all(breaker.allows() for _ in range(3))

    def test_a_server_that_failed_is_left_alone(self) -> None:
        breaker = Breaker("x", pause=60)
        breaker.failed(OSError())
        assert not breaker.allows()

    def test_after_the_pause_one_caller_probes(self) -> None:
        breaker = Breaker("x", pause=60)
        breaker.failed(OSError())
        breaker._probe_at = 0
        assert [breaker.allows() for _ in range(3)] == [True, False, False]

    def test_an_answer_closes_it(self) -> None:
        breaker = Breaker("x", pause=60)
        breaker.failed(OSError())
        breaker.succeeded()
        assert all(breaker.allows() for _ in range(3))

    def test_an_outage_is_two_lines_however_long(self) -> None:
        breaker = Breaker("x")
        with structlog.testing.capture_logs() as logs:
            for _ in range(5):
                breaker.failed(OSError())
            for _ in range(5):
                breaker.succeeded()
        assert [line["event"] for line in logs] == ["server_down", "server_up"]
