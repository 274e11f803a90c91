"""Health checks and the server's time."""

from datetime import datetime
from typing import Literal

from app.schemas.common import Out

Check = Literal["ok", "unavailable", "unknown"]


class HealthOut(Out):
    """The process answers."""

    status: Literal["healthy"] = "healthy"
    timestamp: datetime


class DatabaseHealthOut(Out):
    """Whether PostgreSQL answers."""

    status: Literal["healthy", "unhealthy"]


class ChecksOut(Out):
    """The state of each component. `loops` are the background tasks of the process that answers;
    `revocations` says whether it has read the revoked sessions."""

    database: Check
    redis: Check
    worker: Check
    loops: Check
    revocations: Check


class ReadinessOut(Out):
    """The readiness. `degraded` can serve candidates, `unavailable` cannot."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: ChecksOut


class TimeOut(Out):
    """The server's time."""

    server_time: datetime
