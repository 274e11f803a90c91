"""Servers that belong together: started in order, replaced when they die, stopped in the reverse order."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from devservers.errors import ServerError
from devservers.processes import Child

_FIRST_DELAY = 0.5
_MAX_DELAY = 30.0
_STABLE_AFTER = 60.0  # After so many seconds, the delay before a restart is the shortest again.
_UPKEEP_EVERY = 1.0


class Server(Protocol):
    """The interface of a supervised server; `child` is None before its first start."""

    @property
    def child(self) -> Child | None: ...

    def start(self) -> object: ...

    def stop(self) -> None: ...


class Program:
    """A server that is a single child process."""

    def __init__(self, child: Child) -> None:
        self.child = child

    def start(self) -> None:
        self.child.start()

    def stop(self) -> None:
        self.child.stop()


@dataclass
class _Watched:
    server: Server
    delay: float = _FIRST_DELAY
    restart_at: float | None = None
    started_at: float = field(default_factory=time.monotonic)
    upkeep_at: float = 0.0
    upkeep_fails: bool = False


class Supervisor:
    """Starts its servers again whenever they end, and reports it in sentences."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._watched: list[_Watched] = []

    @property
    def children(self) -> list[Child]:
        return [watched.server.child for watched in self._watched if watched.server.child]

    def watch(self, server: Server) -> None:
        """Supervise a server that runs or is about to be started."""
        self._watched.append(_Watched(server))

    def check(self) -> None:
        """Check every server once and start those again that have ended; call it a few times a second."""
        for watched in self._watched:
            child = watched.server.child
            if child is None:
                continue
            if time.monotonic() >= watched.upkeep_at:
                self._keep_files(watched, child)
            if watched.restart_at is not None:
                self._restart_when_due(watched)
            elif not child.running:
                self._schedule(watched, child)

    def stop(self) -> None:
        """Stop all servers, the last one first. An error does not keep the others from being stopped."""
        while self._watched:
            server = self._watched.pop().server
            try:
                server.stop()
            except (ServerError, OSError) as error:
                self._report(str(error))

    def _keep_files(self, watched: _Watched, child: Child) -> None:
        """Write the pid file and limit the log. A full disk is reported once and stops no server."""
        watched.upkeep_at = time.monotonic() + _UPKEEP_EVERY
        try:
            child.record()
            child.trim_log()
        except OSError as error:
            if not watched.upkeep_fails:
                self._report(f"{child.name} runs, but its files could not be written: {error}")
            watched.upkeep_fails = True
        else:
            watched.upkeep_fails = False

    def _schedule(self, watched: _Watched, child: Child) -> None:
        now = time.monotonic()
        if now - watched.started_at > _STABLE_AFTER:
            watched.delay = _FIRST_DELAY
        self._report(
            f"{child.name} {child.ending}; it starts again in {watched.delay:g} s. Its log: {child.log}"
        )
        watched.restart_at = now + watched.delay
        watched.delay = min(2 * watched.delay, _MAX_DELAY)

    def _restart_when_due(self, watched: _Watched) -> None:
        if watched.restart_at is None or time.monotonic() < watched.restart_at:
            return
        watched.restart_at, watched.started_at = None, time.monotonic()
        try:
            watched.server.start()
        except ServerError as error:
            self._report(str(error))
        except Exception as error:  # noqa: BLE001 -- the other servers must still be supervised
            name = watched.server.child.name if watched.server.child else "A server"
            self._report(f"{name} could not be started: {error}")
