"""The connection of the relay to the message queue."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from app.workers.celery_app import QUEUE, celery_app

# Kombu blocks, so that its calls run in a thread and have short timeouts.
_TIMEOUTS = {"socket_connect_timeout": 2, "socket_timeout": 2, "retry_on_timeout": False}


class Broker:
    """One producer's connection to Redis; a broken connection is replaced at the next call."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None
        self._thread = ThreadPoolExecutor(1, "broker")

    async def waiting(self) -> int:
        """The number of messages that no worker has taken yet."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._waiting)

    async def publish(self, jobs: Sequence[tuple[UUID, str]]) -> None:
        """Send a message for each pair of job id and task name."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._publish, jobs)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _waiting(self) -> int:
        try:
            with self._connect().channel() as channel:
                return int(channel.queue_declare(QUEUE.name).message_count)
        except Exception:
            self._disconnect()
            raise

    def _publish(self, jobs: Sequence[tuple[UUID, str]]) -> None:
        try:
            with self._connect().Producer(auto_declare=False) as producer:
                for job_id, task in jobs:
                    celery_app.send_task(task, task_id=str(job_id), producer=producer, retry=False)
        except Exception:
            self._disconnect()
            raise

    def _connect(self) -> Any:
        if self._connection is None:
            self._connection = celery_app.connection_for_write(self._url, transport_options=_TIMEOUTS)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect(socket_timeout=1)
