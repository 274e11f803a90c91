"""A circuit breaker: a server that is down costs one caller a timeout now and then, not every caller."""

import time

import structlog

log = structlog.get_logger(__name__)


class Breaker:
    """Opens when a call fails; then lets one caller probe every `pause` seconds until a call succeeds."""

    def __init__(self, name: str, pause: float = 1.0) -> None:
        self._name = name
        self._pause = pause
        self._down = False
        self._probe_at = 0.0

    def allows(self) -> bool:
        """Whether to try the server now. While it is down, asking takes the next probe for the caller."""
        if not self._down:
            return True
        if time.monotonic() < self._probe_at:
            return False
        self._probe_at = time.monotonic() + self._pause
        return True

    def failed(self, error: BaseException) -> None:
        """Note a failure; only the first of an outage is logged."""
        if not self._down:
            log.warning("server_down", server=self._name, error=repr(error))
        self._down = True
        self._probe_at = time.monotonic() + self._pause

    def succeeded(self) -> None:
        """Note an answer, which ends an outage."""
        if self._down:
            log.info("server_up", server=self._name)
        self._down = False
