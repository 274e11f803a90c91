"""The Celery worker as a child process of `ias worker`.

Celery forks; a process with an event loop and open connections is not one to fork from. So it gets a process
of its own, started before there is a loop.
"""

import asyncio
import os
import signal
import warnings
from multiprocessing import Pipe, Process, parent_process
from multiprocessing.connection import Connection
from threading import Thread

from celery.apps.worker import Worker
from celery.exceptions import CPendingDeprecationWarning, SecurityWarning
from celery.signals import worker_ready

from app.workers import tasks  # noqa: F401 -- loaded once, before the pool is forked
from app.workers.celery_app import celery_app

# Running tasks may end; one that is cut short is rolled back and delivered again.
STOPPING = ((signal.SIGTERM, 7), (signal.SIGQUIT, 2), (signal.SIGKILL, 2))


class Consumer:
    """A Celery worker. It stops in order when its parent is gone, however that happened."""

    def __init__(self, concurrency: int) -> None:
        self._ready, ready = Pipe(duplex=False)
        self._process = Process(target=_consume, args=(concurrency, ready), name="celery")
        self._process.start()
        ready.close()

    @property
    def running(self) -> bool:
        return self._process.is_alive()

    async def ready(self) -> None:
        """Return when messages are being consumed, or the process has ended."""
        await _readable(self._ready.fileno())

    async def ended(self) -> None:
        """Return when the process has ended."""
        await _readable(self._process.sentinel)

    async def stop(self) -> None:
        """Let running tasks end, for a while."""
        for how, patience in STOPPING:
            if self._process.pid is None or not self.running:
                break
            os.kill(self._process.pid, how)
            try:
                async with asyncio.timeout(patience):
                    await self.ended()
            except TimeoutError:
                continue
        self._process.join()


async def _readable(descriptor: int) -> None:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)


def _consume(concurrency: int, ready: Connection) -> None:
    def announce(**_: object) -> None:
        ready.send(True)

    worker_ready.connect(announce)
    # Root is dangerous where messages are pickled, ours are JSON. Tasks are to outlive an outage of Redis.
    for warning in (SecurityWarning, CPendingDeprecationWarning):
        warnings.simplefilter("ignore", warning)
    Thread(target=_follow_parent, name="follow-parent", daemon=True).start()
    worker = Worker(
        app=celery_app,
        concurrency=concurrency,
        loglevel="INFO",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    raise SystemExit(worker.exitcode)


def _follow_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
