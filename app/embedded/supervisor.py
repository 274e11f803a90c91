"""Servers that belong together: started in order, replaced when they die, stopped in the reverse order."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from app.embedded.errors import ServerError
from app.embedded.processes import Child

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_CALM = 60.0  # A server that ran this long is trusted again.


class Server(Protocol):
    """What a supervisor must know of a server; `child` is None before its first start."""

    @property
    def child(self) -> Child | None: ...

    def start(self) -> object: ...

    def stop(self) -> None: ...


class Program:
    """A server that is one child process and no more."""

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


class Supervisor:
    """Watches the servers given to it. It says in sentences what it sees; it never gives up on a server."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._watched: list[_Watched] = []

    @property
    def children(self) -> list[Child]:
        return [watched.server.child for watched in self._watched if watched.server.child]

    def watch(self, server: Server) -> None:
        """Take charge of a server that runs or is about to be started."""
        self._watched.append(_Watched(server))

    def look(self) -> None:
        """Look once at every server; to be called a few times a second."""
        for watched in self._watched:
            child = watched.server.child
            if child is None:
                continue
            child.trim_log()
            if watched.restart_at is not None:
                self._restart_when_due(watched)
            elif not child.running:
                self._schedule(watched, child)

    def stop(self) -> None:
        while self._watched:
            self._watched.pop().server.stop()

    def _schedule(self, watched: _Watched, child: Child) -> None:
        now = time.monotonic()
        if now - watched.started_at > _CALM:
            watched.delay = _FIRST_DELAY
        self._say(
            f"{child.name} {child.ending}; it starts again in {watched.delay:g} s. Its log: {child.log}"
        )
        watched.restart_at = now + watched.delay
        watched.delay = min(2 * watched.delay, _LONGEST_DELAY)

    def _restart_when_due(self, watched: _Watched) -> None:
        if watched.restart_at is None or time.monotonic() < watched.restart_at:
            return
        watched.restart_at, watched.started_at = None, time.monotonic()
        try:
            watched.server.start()
        except ServerError as error:
            self._say(str(error))
