"""The worker's page for Prometheus."""

import re
import socket
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from app.services import backlog
from app.workers import metrics
from app.workers.celery_app import QUEUE, TASK_SECONDS, celery_app
from devservers.network import free_port
from tests.waiting import PATIENCE, eventually
from tests.workers.conftest import Database, StartWorker

pytestmark = pytest.mark.anyio


def value(page: str, series: str) -> float | None:
    """The value of `name{label="…"}`."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else None


class TestServed:
    async def test_all_processes_of_a_worker_are_on_one_page(
        self, database: Database, start_worker: StartWorker, tmp_path: Path
    ) -> None:
        port, folder = free_port(), tmp_path / "metrics"
        folder.mkdir()
        await start_worker(WORKER_METRICS_PORT=str(port), PROMETHEUS_MULTIPROC_DIR=str(folder)).ready()
        done = await database.add_job("trace", name="done")
        failed = await database.add_job("trace_and_fail", name="failed")
        await eventually(lambda: database.finished(done))

        async def page() -> str:
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE)
            assert answer.headers["Content-Type"].startswith("text/plain")
            return answer.text

        async def counted() -> bool:
            return value(await page(), 'ias_tasks_total{outcome="failed",task="trace_and_fail"}') is not None

        await eventually(counted)
        text = await page()
        assert value(text, 'ias_tasks_total{outcome="done",task="trace"}') == 1
        assert value(text, 'ias_task_seconds_count{task="trace"}') == 1
        assert (value(text, 'ias_loop_seconds_count{loop="overdue_attempts"}') or 0) >= 1
        lag = value(text, 'ias_loop_lag_seconds{loop="relay"}')
        assert lag is not None
        assert lag < 5
        assert value(text, "ias_jobs_waiting") == 1
        assert value(text, "ias_queue_messages") == 0
        assert value(text, 'ias_deliveries_waiting{channel="email"}') == 0
        assert value(text, "ias_attempts_overdue") == 0
        assert value(text, "ias_messages_unpublished") == 0
        assert (value(text, "ias_worker_silence_seconds") or 0) < 15
        assert value(text, 'ias_backlog_known{part="database"}') == 1
        assert not await database.finished(failed)

    async def test_a_port_that_is_taken_stops_no_work(
        self, database: Database, start_worker: StartWorker
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            worker = await start_worker(WORKER_METRICS_PORT=str(other.getsockname()[1])).ready()
            job = await database.add_job("trace", name="all the same")
            await eventually(lambda: database.finished(job))
        assert "metrics_not_served" in worker.log.read_text()


class TestPermission:
    @pytest.mark.parametrize(
        ("request_line", "peer", "token", "authorization", "status"),
        [
            ("GET /metrics HTTP/1.1", "127.0.0.1", None, "", HTTPStatus.OK),
            ("GET /metrics?x=1 HTTP/1.1", "::1", "good", "", HTTPStatus.OK),
            ("GET / HTTP/1.1", "127.0.0.1", None, "", HTTPStatus.NOT_FOUND),
            ("POST /metrics HTTP/1.1", "127.0.0.1", None, "", HTTPStatus.NOT_FOUND),
            ("nonsense", "127.0.0.1", None, "", HTTPStatus.NOT_FOUND),
            ("GET /metrics HTTP/1.1", "192.0.2.7", None, "", HTTPStatus.NOT_FOUND),
            ("GET /metrics HTTP/1.1", "192.0.2.7", "good", "", HTTPStatus.UNAUTHORIZED),
            ("GET /metrics HTTP/1.1", "192.0.2.7", "good", "Bearer bad", HTTPStatus.UNAUTHORIZED),
            ("GET /metrics HTTP/1.1", "192.0.2.7", "good", "Basic good", HTTPStatus.UNAUTHORIZED),
            ("GET /metrics HTTP/1.1", "192.0.2.7", "good", "Bearer good", HTTPStatus.OK),
            ("GET /metrics HTTP/1.1", "fe80::1%eth0", "good", "bearer good", HTTPStatus.OK),
        ],
    )
    def test_this_machine_may_and_others_with_the_token(
        self, request_line: str, peer: str, token: str | None, authorization: str, status: HTTPStatus
    ) -> None:
        head = f"{request_line}\r\nHost: x\r\nauthorization: {authorization}\r\n\r\n".encode()
        assert metrics._permission(head, peer, token) is status


class TestSettings:
    """docs/decisions/0016 relies on these settings of Celery. A changed default of Celery fails this test."""

    def test_nothing_is_lost_when_a_worker_is_killed(self) -> None:
        conf = celery_app.conf
        assert conf.task_acks_late
        assert conf.task_reject_on_worker_lost
        assert conf.worker_prefetch_multiplier == 1
        assert conf.task_acks_on_failure_or_timeout
        assert not conf.worker_enable_prefetch_count_reduction

    def test_a_task_ends_before_its_message_is_given_to_another(self) -> None:
        conf = celery_app.conf
        assert TASK_SECONDS < conf.task_time_limit < conf.broker_transport_options["visibility_timeout"]

    def test_the_queue_is_measured_by_its_name(self) -> None:
        assert QUEUE.name == backlog.QUEUE
