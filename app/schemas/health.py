"""What the health endpoints and the clock say."""

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
    """The parts that the product needs; `loops` are the background tasks of the process that answers."""

    database: Check
    redis: Check
    worker: Check
    loops: Check


class ReadinessOut(Out):
    """`degraded` serves candidates; without the database nothing works."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: ChecksOut


class TimeOut(Out):
    """The server's clock."""

    server_time: datetime
