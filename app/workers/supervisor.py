"""`ias worker`: the loops run in this process, the Celery worker in a child process."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from app.config import Settings
from app.core.repeating import end, keep_running, repeat
from app.services import attempts, realtime
from app.services.components import Components
from app.startup import open_components
from app.workers.broker import Broker
from app.workers.consumer import Consumer
from app.workers.deliveries import DeliveryLoop
from app.workers.expiry import ExpiryLoop
from app.workers.loops import Heartbeat, Housekeeping, Relay, WakeUp
from app.workers.metrics import serve_metrics
from app.workers.ratings import RatingsLoop
from app.workers.statistics import StatisticsLoop

log = structlog.get_logger(__name__)

EVEN_IF_NOTHING_IS_DUE = 5.0
"""After so many seconds a loop runs without being woken. So messages come back that Redis has lost."""


def run_worker(settings: Settings, concurrency: int) -> None:
    """Run until SIGTERM or SIGINT. Raises SystemExit(1) if Celery ends, so that it is started again."""
    consumer = Consumer(concurrency)
    with asyncio.Runner() as runner:
        runner.run(_work(settings, consumer))


async def _work(settings: Settings, consumer: Consumer) -> None:
    try:
        async with open_components(settings, application_name="ias-worker", pool_size=6) as parts:
            await _Worker(parts, consumer).work()
    finally:
        # Python waits for the child at its exit, and the child ends when its parent does.
        await consumer.stop()


class _Worker:
    def __init__(self, parts: Components, consumer: Consumer) -> None:
        engine, clock = parts.engine, parts.clock
        self._parts = parts
        self._consumer = consumer
        self._broker = Broker(parts.settings.redis)
        self._relay = Relay(engine, clock, self._broker)
        self._heartbeat = Heartbeat(engine, clock)
        self._housekeeping = Housekeeping(engine, clock, attempts.closing_delay(parts.settings))
        self._delivery_loop = DeliveryLoop(parts)
        self._expiry_loop = ExpiryLoop(parts)
        self._ratings_loop = RatingsLoop(parts)
        self._statistics_loop = StatisticsLoop(parts)
        self._wake = WakeUp(engine, clock, attempts.closing_delay(parts.settings))
        self._publisher = realtime.Publisher(engine, parts.stream, clock)

    async def work(self) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        loops = self._start_loops()
        died = asyncio.create_task(self._consumer.ended())
        try:
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait([stopped, died], return_when=asyncio.FIRST_COMPLETED)
        finally:
            log.info("worker_stopping")
            await self._stop(loops)
        if died.done() and not stop.is_set():
            log.error("celery_died")
            raise SystemExit(1)

    def _start_loops(self) -> Sequence[asyncio.Task[None]]:
        routines = (
            repeat("heartbeat", 5, self._heartbeat.beat),
            repeat("partitions", 24 * 3600, self._housekeeping.make_partitions),
            repeat("old_logs", 24 * 3600, self._housekeeping.pack_logs),
            repeat("due_work", 0.5, self._wake.look),
            self._when_due("overdue_attempts", self._housekeeping.close_overdue, "overdue_attempts"),
            self._when_due("exam_windows", self._housekeeping.announce_windows, "exam_windows"),
            self._when_due("relay", self._relay.step, "jobs"),
            self._when_due("messages", self._publisher.publish_all, "messages"),
            self._when_due("deliveries", self._delivery_loop.deliver, "deliveries"),
            self._when_due("auth_mails", self._delivery_loop.send_auth_mails, "auth_mails"),
            self._when_due("invitations", self._delivery_loop.send_invitations, "invitations"),
            repeat("popularity", 300, self._housekeeping.count_candidates),
            repeat("test_statistics", 600, self._statistics_loop.request),
            repeat("ratings_left_out", 600, self._ratings_loop.take_in_left_out),
            repeat("abilities", 600, self._ratings_loop.estimate_abilities),
            repeat("ratings_stale", 24 * 3600, self._ratings_loop.replay_stale),
            repeat("delete_old", 600, self._housekeeping.delete_old),
            repeat("reminders", 5, self._delivery_loop.remind),
            repeat("delete_old_deliveries", 3600, self._delivery_loop.delete_old),
            repeat("account_purges", 60, self._expiry_loop.purge),
            repeat("expired_exports", 60, self._expiry_loop.delete_exports),
            repeat("expired_result_files", 60, self._expiry_loop.delete_result_files),
            keep_running("metrics", lambda: serve_metrics(self._parts)),
            repeat("repair_attempts", 600, self._housekeeping.repair_attempts),
            keep_running("announce_ready", self._announce_ready),
        )
        return [asyncio.create_task(routine) for routine in routines]

    def _when_due(
        self, name: str, step: Callable[[], Awaitable[None]], kind: str
    ) -> Coroutine[Any, Any, None]:
        return repeat(name, EVEN_IF_NOTHING_IS_DUE, step, wake=self._wake.events[kind])

    async def _announce_ready(self) -> None:
        await self._consumer.ready()
        await self._heartbeat.first_beat.wait()
        log.info("worker_ready")
        if path := os.environ.get("IAS_READY_FILE"):
            Path(path).touch()  # noqa: ASYNC240 -- once, and empty

    async def _stop(self, loops: Sequence[asyncio.Task[None]]) -> None:
        await end(loops)
        await self._consumer.stop()
        with suppress(Exception):  # Without a database the row stays; another worker deletes it later.
            async with asyncio.timeout(2):
                await self._heartbeat.stop()
        await self._broker.close()
