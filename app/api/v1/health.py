"""Health checks, metrics and the server's time."""

import asyncio
import secrets
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api.deps import Now, Parts
from app.api.parameters import IGNORES_UNKNOWN_PARAMETERS
from app.api.routing import PrefixRouter
from app.core import telemetry
from app.core.client_address import is_local
from app.core.errors import NotFound, Unauthenticated
from app.core.repeating import failing_loops
from app.core.timeouts import with_timeout
from app.schemas.health import ChecksOut, DatabaseHealthOut, HealthOut, ReadinessOut, TimeOut
from app.services import backlog
from app.services.unit_of_work import reading

PATIENCE_SECONDS = 1.5
WORKER_SILENCE = timedelta(seconds=15)
RETRY_AFTER = {"Retry-After": "2"}

Status = Literal["ready", "degraded", "unavailable"]

router = PrefixRouter(tags=["health"], dependencies=[IGNORES_UNKNOWN_PARAMETERS])
clock_router = PrefixRouter(tags=["time"])
log = structlog.get_logger(__name__)


@router.get("/health")
async def health(now: Now) -> HealthOut:
    """Whether the process answers. Does not check the database."""
    return HealthOut(timestamp=now)


@router.get("/health/db", responses={503: {"model": DatabaseHealthOut, "description": "No database"}})
async def database_health(parts: Parts, response: Response) -> DatabaseHealthOut:
    """Whether the database answers."""
    if await _succeeds("database", _ping_database(parts.probe)):
        return DatabaseHealthOut(status="healthy")
    _mark_unavailable(response)
    return DatabaseHealthOut(status="unhealthy")


@router.get(
    "/health/ready",
    responses={503: {"model": ReadinessOut, "description": "No database, or no revoked sessions read yet"}},
)
async def readiness(parts: Parts, response: Response) -> ReadinessOut:
    """Whether to route requests here.

    503 only if the database does not answer in time, or this process has not read the revoked sessions yet.
    Without Redis, the worker or a loop the status is `degraded`, because candidates can still be served.
    """
    database, redis, heartbeat = await asyncio.gather(
        _succeeds("database", _ping_database(parts.probe)),
        _succeeds("redis", parts.redis.ping()),
        _latest_heartbeat(parts.probe),
    )
    failing = failing_loops()
    worker = heartbeat is not None and parts.clock.now() - heartbeat <= WORKER_SILENCE
    # Until the revocations are loaded, every request with an access token is answered with 503.
    revocations = parts.revocations.is_loaded
    if not (database and revocations):
        _mark_unavailable(response)
    return ReadinessOut(
        status=_status(database and revocations, redis and worker and not failing),
        checks=ChecksOut(
            database="ok" if database else "unavailable",
            redis="ok" if redis else "unavailable",
            worker="ok" if worker else "unavailable" if database else "unknown",
            loops="unavailable" if failing else "ok",
            revocations="ok" if revocations else "unavailable",
        ),
    )


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, parts: Parts) -> Response:
    """Prometheus metrics, for requests from this machine or with METRICS_TOKEN as bearer token.

    Those of this process, or of all processes with PROMETHEUS_MULTIPROC_DIR, and the backlog in PostgreSQL
    and Redis if they answer in time.
    """
    token = parts.settings.metrics_token
    if not is_local(request.scope):
        if token is None:
            raise NotFound("address")
        if not _has_bearer_token(request, token.get_secret_value()):
            raise Unauthenticated("Send METRICS_TOKEN as a bearer token.")
    content, content_type = telemetry.metrics_payload()
    content += telemetry.measured_payload(await backlog.measure(parts))
    return Response(content, media_type=content_type)


@clock_router.get("/time")
async def server_time(parts: Parts) -> TimeOut:
    """The server's time. Deadlines are measured by it."""
    return TimeOut(server_time=parts.clock.now())


def _status(can_serve: bool, others_ok: bool) -> Status:
    if not can_serve:
        return "unavailable"
    return "ready" if others_ok else "degraded"


def _mark_unavailable(response: Response) -> None:
    response.status_code = 503
    response.headers.update(RETRY_AFTER)


def _has_bearer_token(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), token.encode())


async def _ping_database(engine: AsyncEngine) -> None:
    async with reading(engine) as reads:
        await reads.health.ping()


async def _latest_heartbeat(engine: AsyncEngine) -> datetime | None:
    async def ask() -> datetime | None:
        async with reading(engine) as reads:
            return await reads.workers.latest_heartbeat()

    try:
        return await with_timeout(ask(), PATIENCE_SECONDS)
    except Exception as error:  # noqa: BLE001 -- after any failure there is no known heartbeat
        log.warning("health_check_failed", check="worker", error=repr(error))
        return None


async def _succeeds(check: str, attempt: Awaitable[Any]) -> bool:
    try:
        await with_timeout(attempt, PATIENCE_SECONDS)
    except Exception as error:  # noqa: BLE001 -- a check that raises any error has failed
        log.warning("health_check_failed", check=check, error=repr(error))
        return False
    return True
