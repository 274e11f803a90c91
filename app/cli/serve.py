"""`ias serve`: the API."""

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

SHUTDOWN_SECONDS = 8


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

        configure_logging(get_settings().log_level, console=sys.stdout.isatty())
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
