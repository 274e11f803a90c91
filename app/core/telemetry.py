"""Logs (structlog, as JSON lines without secrets) and metrics (Prometheus)."""

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TextIO

import orjson
import structlog
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import event
from sqlalchemy.pool import Pool
from starlette.types import Scope
from structlog.typing import EventDict, WrappedLogger

REDACTED = "[redacted]"
UNMATCHED = "unmatched"
REFUSED = "refused"
"""The route of a request that was refused before its route was looked up."""
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

# All metrics of the API and the worker are declared here. Each process has its own values.
requests_total = Counter("ias_http_requests_total", "HTTP requests", ["method", "route", "status"])
request_seconds = Histogram(
    "ias_http_request_seconds",
    "Time until the end of the response",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
requests_in_progress = Gauge(
    "ias_http_requests_in_progress", "HTTP requests in progress", multiprocess_mode="livesum"
)
event_loop_delay_seconds = Histogram(
    "ias_event_loop_delay_seconds",
    "Delay of a timer of the event loop. While the loop is blocked, no request is processed",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
database_connections = Gauge(
    "ias_database_connections", "Connections to PostgreSQL", ["pool", "state"], multiprocess_mode="livesum"
)
replica_lag_seconds = Gauge(
    "ias_replica_lag_seconds",
    "How far the read replica is behind; -1 if it cannot be used",
    multiprocess_mode="livemax",
)
replica_reads_total = Counter(
    "ias_replica_reads_total",
    "Requests that may read from the replica, by the server that they used",
    ["server"],
)

sockets_open = Gauge("ias_sockets_open", "Open sockets", ["kind"], multiprocess_mode="livesum")
socket_messages_total = Counter("ias_socket_messages_total", "Messages sent to sockets", ["type"])
sockets_closed_total = Counter(
    "ias_sockets_closed_total", "Sockets that the server rejected or closed", ["reason"]
)
realtime_delay_seconds = Histogram(
    "ias_realtime_delay_seconds",
    "Time from the creation of a message to its delivery to the sockets of this process",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)
realtime_readers = Gauge(
    "ias_realtime_readers", "Processes that read the stream in Redis", multiprocess_mode="livesum"
)

# Metrics of the worker. Its tasks run in separate processes.
SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60)
tasks_total = Counter("ias_tasks_total", "Jobs that were run", ["task", "outcome"])
task_seconds = Histogram("ias_task_seconds", "Duration of a job", ["task"], buckets=SECONDS)
loop_seconds = Histogram("ias_loop_seconds", "Duration of a run of a loop", ["loop"], buckets=SECONDS)
loop_failures_total = Counter("ias_loop_failures_total", "Failed runs of a loop", ["loop"])
loop_lag_seconds = Gauge(
    "ias_loop_lag_seconds",
    "Delay of the last run of a loop after its due time. It grows while runs fail",
    ["loop"],
    multiprocess_mode="livemax",
)
deliveries_total = Counter(
    "ias_deliveries_total", "Deliveries of notifications by outcome", ["channel", "outcome"]
)


TIME_STAMP = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Record a finished request."""
    count, duration = _series(method if method in METHODS else "OTHER", route, status)
    count.inc()
    duration.observe(seconds)


@cache
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """The series of these labels: finding them takes longer than counting."""
    return requests_total.labels(method, route, str(status)), request_seconds.labels(method, route)


def route_template(scope: Scope) -> str:
    """The template of the path, such as `/v1/tests/{test_id}/start`, which bounds the number of labels."""
    # For a route of an included router, only FastAPI's route context has the whole path.
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return getattr(route, "path_format", UNMATCHED)


def observe_pool(pool: Pool, name: str) -> None:
    """Update `ias_database_connections` by the events of the pool."""
    opened, in_use = [database_connections.labels(name, state) for state in ("open", "in_use")]
    event.listen(pool, "connect", lambda *_: opened.inc())
    event.listen(pool, "close", lambda *_: opened.dec())
    event.listen(pool, "checkout", lambda *_: in_use.inc())
    event.listen(pool, "checkin", lambda *_: in_use.dec())


def metrics_payload() -> tuple[bytes, str]:
    """The metrics page and its content type. With PROMETHEUS_MULTIPROC_DIR it covers all processes."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class Measured:
    """The value of a gauge that is measured for each page, such as the length of a queue."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


_MEASURED_GAUGES = {
    "ias_backlog_known": "Whether this part of the backlog could be measured",
    "ias_jobs_waiting": "Unfinished jobs of the outbox",
    "ias_jobs_oldest_due_seconds": "Time for which the oldest unpublished job has been due",
    "ias_queue_messages": "Messages in Redis that no worker has received",
    "ias_attempts_overdue": "Attempts in progress whose deadline and grace period have passed",
    "ias_messages_unpublished": "Unpublished messages for sockets",
    "ias_messages_oldest_seconds": "Age of the oldest unpublished message for sockets",
    "ias_deliveries_waiting": "Unsent deliveries, including those that wait for a retry or for quiet hours",
    "ias_deliveries_oldest_due_seconds": "Time for which the oldest unsent delivery has been due",
    "ias_worker_silence_seconds": "Time since the last sign of life of any worker",
}


def measured_payload(measured: Sequence[Measured]) -> bytes:
    """Lines with measured gauges, to be appended to the metrics page."""
    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for each in measured:
        if each.name not in gauges:
            help_text = _MEASURED_GAUGES[each.name]
            gauges[each.name] = Gauge(each.name, help_text, [*each.labels], registry=registry)
        gauge = gauges[each.name]
        (gauge.labels(**each.labels) if each.labels else gauge).set(each.value)
    return generate_latest(registry)


def configure_logging(level: str = "INFO", *, console: bool = False, stream: TextIO | None = None) -> None:
    """Write all log lines of the process, including those of libraries, to stdout.

    The lines are JSON, or text for people if `console` is true.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        TIME_STAMP,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        # A line below the level ends at the first processor: formatting and redacting take most of the time.
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    # No line has these fields, and finding them takes longer than the rest of a record.
    logging.logThreads = logging.logProcesses = False
    logging.logMultiprocessing = False
    handler = logging.StreamHandler(stream or sys.stdout)
    renderer = _renderer(console)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    request_log.write_to(handler, renderer)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    _redirect_to_root("uvicorn", "uvicorn.error", "uvicorn.access", "sqlalchemy", "celery")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # At INFO it logs each request.
    logging.getLogger("uvicorn.access").disabled = True  # AccessLog logs requests without query strings.
    logging.getLogger("uvicorn.error").addFilter(_no_socket_lines)


_requests = logging.getLogger("app.requests")


class RequestLog:
    """Writes the lines of requests to the output of the log.

    It does not use structlog's processor chain or a logging record for them: that takes longer than all other
    work for a line. The time stamp and the renderer are the same as for other lines.
    """

    def __init__(self) -> None:
        self.write: Callable[[EventDict], object] = lambda _: None

    def write_to(
        self, handler: "logging.StreamHandler[TextIO]", renderer: structlog.typing.Processor
    ) -> None:
        """Write all further lines to the output of a handler."""

        def write(fields: EventDict) -> None:
            line = str(renderer(_requests, "info", fields)) + "\n"
            try:
                with handler.lock or nullcontext():
                    handler.stream.write(line)
                    handler.stream.flush()
            except (OSError, ValueError):
                handler.handleError(logging.makeLogRecord(fields))

        self.write = write


request_log = RequestLog()


def log_request(fields: EventDict) -> None:
    """Write the line of a request.

    A client may have chosen the request id. It has letters, digits, dots, hyphens and underscores. Of the
    secrets that `redact` looks for, only a JWT has this form.
    """
    if _requests.isEnabledFor(logging.INFO):
        if "eyJ" in fields["request_id"]:
            fields["request_id"] = redact_text(fields["request_id"])
        fields.update(event="request", logger=_requests.name, level="info")
        request_log.write(TIME_STAMP(_requests, "info", fields))


def _no_socket_lines(record: logging.LogRecord) -> bool:
    """A filter for uvicorn's lines about WebSockets: their query strings contain tickets."""
    return not str(record.msg).startswith('%s - "WebSocket ')


def _renderer(console: bool) -> structlog.typing.Processor:
    if console:
        return structlog.dev.ConsoleRenderer(
            timestamp_key="time", exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.processors.JSONRenderer(serializer=lambda line, **_: orjson.dumps(line).decode())


def _redirect_to_root(*names: str) -> None:
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


# Fields whose values are secret, by their names.
_SECRET_NAME = re.compile(
    r"[\w-]*(password|passwd|token|secret|api[_-]?key|service[_-]?key|authorization|cookie|ticket|dsn)([_-](key|hash))?s?",
    re.IGNORECASE,
)
_TOKEN_TYPE = {"token_type"}
# Secrets inside texts such as messages, tracebacks and URLs.
_SECRET_TEXTS = (
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?"), REDACTED),
    (re.compile(r"(?<=://)[^\s/?#@:'\"]*:[^\s/?#'\"]*@"), f"{REDACTED}@"),
    (re.compile(r"\b((?:set-)?cookie|authorization)(['\"]?\s*[:=]\s*).+", re.IGNORECASE), rf"\1\2{REDACTED}"),
    (
        re.compile(
            rf"(?<![\w-])(?P<name>{_SECRET_NAME.pattern})(?P<sign>=|['\"]\s*[:=]\s*)('[^']*'|\"[^\"]*\"|[^\s&,;)}}\]]+)",
            re.IGNORECASE,
        ),
        rf"\g<name>\g<sign>{REDACTED}",
    ),
)


def redact(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """A structlog processor that replaces secrets."""
    return {
        name: value if name.startswith("_") else _redacted(name, value) for name, value in event_dict.items()
    }


def _redacted(name: str, value: Any) -> Any:
    if name not in _TOKEN_TYPE and _SECRET_NAME.fullmatch(name):
        return REDACTED
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted("", item) for item in value]
    if value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    return redact_text(value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def redact_text(text: str) -> str:
    """The text without passwords, tokens and the user part of URLs."""
    for pattern, replacement in _SECRET_TEXTS:
        text = pattern.sub(replacement, text)
    return text.encode(errors="replace").decode()
