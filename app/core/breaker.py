"""A circuit breaker. While a server is down, one caller from time to time waits for its timeout."""

import time

import structlog

log = structlog.get_logger(__name__)


class Breaker:
    """Opens when a call fails. Then it allows one call every `pause` seconds until a call succeeds."""

    def __init__(self, name: str, pause: float = 1.0) -> None:
        self._name = name
        self._pause = pause
        self._down = False
        self._probe_at = 0.0

    def allows(self) -> bool:
        """Whether to call the server. If this returns True while it is down, the caller must call it."""
        if not self._down:
            return True
        if time.monotonic() < self._probe_at:
            return False
        self._probe_at = time.monotonic() + self._pause
        return True

    def failed(self, error: BaseException) -> None:
        """Record a failure. The first failure of an outage is logged."""
        if not self._down:
            log.warning("server_down", server=self._name, error=repr(error))
        self._down = True
        self._probe_at = time.monotonic() + self._pause

    def succeeded(self) -> None:
        """Record a successful call, which ends an outage."""
        if self._down:
            log.info("server_up", server=self._name)
        self._down = False
