"""`ias worker`: tasks and loops."""

import os
import sys
from typing import Annotated

import typer

from app.cli.metrics import shared_metrics
from app.cli.servers import ensure_servers


def worker(
    concurrency: Annotated[
        int, typer.Option(min=1, envvar="WORKER_CONCURRENCY", help="Processes that run tasks.")
    ] = min(4, os.cpu_count() or 1),
) -> None:
    """Run tasks, close overdue attempts and publish jobs until Ctrl-C or SIGTERM."""
    with ensure_servers(), shared_metrics():
        from app.config import get_settings  # noqa: PLC0415 -- heavy, and only now is the environment complete
        from app.core.telemetry import configure_logging  # noqa: PLC0415
        from app.workers.supervisor import run_worker  # noqa: PLC0415

        settings = get_settings()
        configure_logging(settings.log_level, console=sys.stdout.isatty())
        run_worker(settings, concurrency)
