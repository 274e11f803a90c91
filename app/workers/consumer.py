"""The Celery worker as a child process of `ias worker`.

Celery forks, and a process with an event loop and open connections must not be forked. So Celery runs in a
child process that is started before the event loop.
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

# Running tasks get time to end; a task that is killed is rolled back and delivered again.
STOPPING = ((signal.SIGTERM, 7), (signal.SIGQUIT, 2), (signal.SIGKILL, 2))


class Consumer:
    """A Celery worker in a child process. It stops when its parent ends, also if that was killed."""

    def __init__(self, concurrency: int) -> None:
        self._ready, ready = Pipe(duplex=False)
        self._process = Process(target=_consume, args=(concurrency, ready), name="celery")
        self._process.start()
        ready.close()

    @property
    def running(self) -> bool:
        return self._process.is_alive()

    async def ready(self) -> None:
        """Wait until messages are consumed, or the process has ended."""
        await _readable(self._ready.fileno())

    async def ended(self) -> None:
        """Wait until the process has ended."""
        await _readable(self._process.sentinel)

    async def stop(self) -> None:
        """Stop the process; running tasks get some seconds to end."""
        for how, seconds in STOPPING:
            if self._process.pid is None or not self.running:
                break
            os.kill(self._process.pid, how)
            try:
                async with asyncio.timeout(seconds):
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
    # Celery warns about root, which is dangerous with pickled messages; ours are JSON. It also warns that
    # tasks go on after the connection to Redis is lost, which is intended.
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
