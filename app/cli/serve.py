"""`ias serve`: the API."""

import asyncio
import signal
import sys
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.metrics import shared_metrics
from app.cli.open_files import allow_many
from app.cli.servers import ensure_servers

if TYPE_CHECKING:
    from uvicorn import Config

    from app.config import Settings

SHUTDOWN_SECONDS = 8
_REMEDIES = {
    "fsync": "Set fsync to on in postgresql.conf.",
    "synchronous_commit": (
        "Set synchronous_commit for the role of DATABASE_URL: alter role ias set synchronous_commit = on"
    ),
}
"""What to do about a setting of PostgreSQL that is off."""


def serve(
    host: Annotated[str, typer.Option(envvar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(envvar="API_WORKERS", min=1, help="Number of processes.")] = 1,
) -> None:
    """Serve the API until Ctrl-C or SIGTERM. Requests in progress are answered first."""
    allow_many()
    # After a shutdown, uvicorn raises the signal again; then our own resources are closed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ensure_servers(), shared_metrics() if workers > 1 else nullcontext():
        import uvicorn  # noqa: PLC0415 -- slow to import

        from app.config import get_settings  # noqa: PLC0415 -- only now is the environment complete
        from app.core import http_protocol, socket_protocol  # noqa: PLC0415
        from app.core.telemetry import configure_logging  # noqa: PLC0415

        settings = get_settings()
        configure_logging(settings.log_level, console=sys.stdout.isatty())
        if settings.environment == "production":
            asyncio.run(refuse_lossy_database(settings))
        config = uvicorn.Config(
            "app.main:create_app",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            log_config=None,
            access_log=False,
            server_header=False,
            # Our middleware reads X-Forwarded-For, because it knows the trusted proxies.
            proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            **http_protocol.OPTIONS,
            **socket_protocol.OPTIONS,
        )
        _run(config)


async def refuse_lossy_database(settings: "Settings") -> None:
    """End the command if a crash of PostgreSQL could lose saved answers. If it does not answer, go on."""
    import asyncpg  # noqa: PLC0415 -- slow to import
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from app.database import create_engine, lossy_settings  # noqa: PLC0415

    engine = create_engine(settings, application_name="ias-serve", pool_size=1, statement_seconds=5)
    try:
        lossy = await lossy_settings(engine)
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return  # Requests get 503, and /health/ready says why.
    finally:
        await engine.dispose()
    if lossy:
        found = " and ".join(f"{name} = off" for name in lossy)
        remedies = " ".join(_REMEDIES[name] for name in lossy)
        raise SystemExit(f"PostgreSQL runs with {found}: a crash loses saved answers. {remedies}")


def _run(config: "Config") -> None:
    """`uvicorn.run` with several listening sockets."""
    from uvicorn import Server  # noqa: PLC0415 -- slow to import
    from uvicorn.config import STARTUP_FAILURE  # noqa: PLC0415

    from app.cli import forked_workers  # noqa: PLC0415 -- it imports uvicorn
    from app.core.listening import listeners  # noqa: PLC0415

    sockets = list(listeners(config.bind_socket()))
    if config.workers > 1:
        forked_workers.serve(config, sockets)
        return
    server = Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=sockets)
    if not server.started:
        sys.exit(STARTUP_FAILURE)
