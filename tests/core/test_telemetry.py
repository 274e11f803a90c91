"""Logs as they are written, without secrets, and metrics of several processes."""

import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

from app.core import telemetry

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """Where the logs go; the logging of pytest itself is put back afterwards."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    yield io.StringIO()
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = False


@pytest.fixture
def lines(output: io.StringIO) -> Lines:
    """What has been logged as JSON."""
    telemetry.configure_logging("INFO", stream=output)
    return lambda: [json.loads(line) for line in output.getvalue().splitlines()]


class TestConfigureLogging:
    def test_our_own_line(self, lines: Lines) -> None:
        with structlog.contextvars.bound_contextvars(request_id="r-1"):
            structlog.get_logger("app.x").info("graded", attempts=3)
        (line,) = lines()
        assert line["event"] == "graded"
        assert line["attempts"] == 3
        assert line["level"] == "info"
        assert line["logger"] == "app.x"
        assert line["request_id"] == "r-1"
        assert line["time"].endswith("Z")
        assert datetime.fromisoformat(line["time"]).utcoffset() is not None

    def test_a_library_s_line_with_the_request_s_id(self, lines: Lines) -> None:
        with structlog.contextvars.bound_contextvars(request_id="r-1"):
            logging.getLogger("uvicorn.error").warning("lost %s", "a socket")
        (line,) = lines()
        assert (line["event"], line["logger"], line["request_id"]) == (
            "lost a socket",
            "uvicorn.error",
            "r-1",
        )

    def test_the_server_s_access_log_with_its_query_strings_is_off(self, lines: Lines) -> None:
        logging.getLogger("uvicorn.access").info("GET /?ticket=abc")
        assert lines() == []

    def test_secrets_in_a_traceback(self, lines: Lines) -> None:
        try:
            raise ConnectionError(f"postgresql://ias:hunter2@db/ias refused, token={JWT}")  # noqa: TRY301
        except ConnectionError:
            structlog.get_logger().exception("failed")
            logging.getLogger("celery").exception("failed with password=hunter2")
        ours, theirs = lines()
        assert "ConnectionError" in ours["exception"]
        assert "ConnectionError" in theirs["exception"]
        assert "hunter2" not in str(ours) + str(theirs)
        assert "eyJ" not in str(ours) + str(theirs)

    def test_whatever_is_logged_makes_a_line(self, lines: Lines) -> None:
        structlog.get_logger().info("odd \ud800", thing=object(), raw=b"\xff", number=2**70, items={1, 2})
        assert len(lines()) == 1

    def test_a_readable_form(self, output: io.StringIO) -> None:
        telemetry.configure_logging("INFO", console=True, stream=output)
        structlog.get_logger().info("graded", attempts=3, password="hunter2")
        assert "graded" in output.getvalue()
        assert "hunter2" not in output.getvalue()


class TestRedact:
    @pytest.mark.parametrize(
        "name",
        [
            "password", "current_password", "token", "access_token", "refresh_token", "attempt_token",
            "Authorization", "secret", "secret_key", "apikey", "api_key", "X-Api-Key", "cookie",
            "Set-Cookie", "ticket", "SUPABASE_SERVICE_KEY", "supabase_jwt_secret", "token_hash",
        ],
    )  # fmt: skip
    def test_by_name_at_any_depth(self, name: str) -> None:
        event = telemetry.redact(None, "info", {"a": [{"b": {name: "hunter2"}}], name: "hunter2"})
        assert "hunter2" not in str(event)

    @pytest.mark.parametrize("name", ["token_type", "email", "user_id", "key", "passwordless", "status"])
    def test_not_what_only_looks_alike(self, name: str) -> None:
        assert telemetry.redact(None, "info", {name: "value"}) == {name: "value"}


class TestRedactText:
    @pytest.mark.parametrize(
        "text",
        [
            "Authorization: Bearer hunter2xyz",
            "got bearer hunter2xyz.abc",
            "authorization: Basic aHVudGVyMg==hunter2",
            f"token {JWT[:0]}eyJhbGciOi.eyJhunter2.sig rejected",
            "postgresql://ias:hunter2@localhost/ias",
            "redis://:hunter2@localhost:6379/0",
            "postgresql+asyncpg://ias:hun@ter:hunter2@db/ias",
            "GET /ws/exam/1?since=3&ticket=hunter2&x=1",
            "{'email': 'a@b', 'password': 'hunter2 with spaces'}",
            '{"refresh_token": "hunter2"}',
            "password=hunter2",
            "Cookie: session=1; id=hunter2",
            "apikey='hunter2'",
            "SUPABASE_SERVICE_KEY=hunter2",
        ],
    )
    def test_secrets_go(self, text: str) -> None:
        redacted = telemetry.redact_text(text)
        assert "hunter2" not in redacted
        assert telemetry.REDACTED in redacted

    @pytest.mark.parametrize(
        "text",
        [
            "The token has expired: sign in again",
            "https://ias.example/v1/tests?subject=polity",
            "ratio 3:4 at 12:30 by a@b.org",
            "password must have at least 8 characters",
        ],
    )
    def test_everything_else_stays(self, text: str) -> None:
        assert telemetry.redact_text(text) == text

    @pytest.mark.parametrize("unit", ["a", ":", "://", "'", "token", "eyJ.", "Bearer ", "password=", "-"])
    def test_a_long_text_takes_no_long_time(self, unit: str) -> None:
        begin = time.process_time()
        telemetry.redact_text(unit * 20_000)
        assert time.process_time() - begin < 1


class TestMetricsPayload:
    def test_one_process(self) -> None:
        telemetry.observe_request("GET", "/only-here", 200, 0.01)
        content, content_type = telemetry.metrics_payload()
        assert b'ias_http_requests_total{method="GET",route="/only-here",status="200"} 1.0' in content
        assert content_type.startswith("text/plain")

    def test_several_processes_add_up(self, tmp_path: Path) -> None:
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        count = "from app.core import telemetry; telemetry.observe_request('GET', '/x', 200, 0.01)"
        show = f"{count}; print(telemetry.metrics_payload()[0].decode())"
        for program in (count, count, show):
            run = subprocess.run(
                [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True
            )
        assert 'ias_http_requests_total{method="GET",route="/x",status="200"} 3.0' in run.stdout


class TestObservePool:
    def test_connections_open_and_in_use(self) -> None:
        open_, in_use = self._connections()
        engine = create_engine("sqlite://", poolclass=QueuePool)
        telemetry.observe_pool(engine.pool, "here")
        with engine.connect():
            assert self._connections() == (open_ + 1, in_use + 1)
        assert self._connections() == (open_ + 1, in_use)
        engine.dispose()
        assert self._connections() == (open_, in_use)

    @staticmethod
    def _connections() -> tuple[float, float]:
        gauges = (telemetry.database_connections.labels("here", state) for state in ("open", "in_use"))
        open_, in_use = (gauge._value.get() for gauge in gauges)
        return open_, in_use
