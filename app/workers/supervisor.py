"""`ias worker`: the loops in this process, the Celery worker in a child."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import structlog

from app.config import Settings
from app.core.clock import SystemClock
from app.core.realtime.stream import Stream
from app.core.repeating import end, repeat
from app.database import create_engine
from app.services import realtime
from app.workers.broker import Broker
from app.workers.consumer import Consumer
from app.workers.loops import Heart, Housekeeping, Relay

log = structlog.get_logger(__name__)


def run_worker(settings: Settings, concurrency: int) -> None:
    """Work until SIGTERM or SIGINT. SystemExit(1) if Celery dies: whoever started us starts us again."""
    consumer = Consumer(concurrency)
    with asyncio.Runner() as runner:
        runner.run(_Worker(settings, consumer).work())


class _Worker:
    def __init__(self, settings: Settings, consumer: Consumer) -> None:
        clock = SystemClock()
        self._consumer = consumer
        self._engine = create_engine(settings, application_name="ias-worker", pool_size=4)
        self._broker = Broker(settings.redis)
        self._stream = Stream(settings.redis)
        self._publisher = realtime.Publisher(self._engine, self._stream, clock)
        self._relay = Relay(self._engine, clock, self._broker)
        self._heart = Heart(self._engine, clock)
        self._keeper = Housekeeping(self._engine, clock, timedelta(seconds=settings.grace_seconds))

    async def work(self) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        loops = self._start_loops()
        died = asyncio.create_task(self._consumer.ended())
        await asyncio.wait([asyncio.create_task(stop.wait()), died], return_when=asyncio.FIRST_COMPLETED)
        log.info("worker_stopping")
        await self._stop(loops)
        if died.done() and not stop.is_set():
            log.error("celery_died")
            raise SystemExit(1)

    def _start_loops(self) -> Sequence[asyncio.Task[None]]:
        routines = (
            repeat("heartbeat", 5, self._heart.beat),
            repeat("partitions", 24 * 3600, self._keeper.make_partitions),
            repeat("overdue_attempts", 1, self._keeper.close_overdue),
            repeat("exam_windows", 1, self._keeper.tell_windows),
            repeat("relay", 0.5, self._relay.step),
            repeat("messages", 0.5, self._publisher.publish_all),
            repeat("forget", 600, self._keeper.forget),
            repeat("forgotten_attempts", 600, self._keeper.grade_forgotten),
            self._announce_ready(),
        )
        return [asyncio.create_task(routine) for routine in routines]

    async def _announce_ready(self) -> None:
        await self._consumer.ready()
        await self._heart.first_beat.wait()
        log.info("worker_ready")
        if path := os.environ.get("IAS_READY_FILE"):
            Path(path).touch()  # noqa: ASYNC240 -- once, and empty

    async def _stop(self, loops: Sequence[asyncio.Task[None]]) -> None:
        await end(loops)
        await self._consumer.stop()
        with suppress(Exception):  # without a database the row stays, and is forgotten later
            async with asyncio.timeout(2):
                await self._heart.stop()
        await self._broker.close()
        await self._stream.close()
        await self._engine.dispose()
