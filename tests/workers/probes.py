"""Tasks whose effects a test can see. `python -m tests.workers.probes` is `ias worker` with them."""

import os
import signal

from sqlalchemy import text

from app.config import get_settings
from app.core.telemetry import configure_logging
from app.workers.runtime import TaskContext, task
from app.workers.supervisor import run_worker

GATE = 7
"""An advisory lock: a test that holds it keeps `pass_gate` in the middle of its context."""


async def leave_trace(context: TaskContext, name: str) -> None:
    await context.uow.session.execute(text("insert into public.traces (name) values (:name)"), {"name": name})


@task
async def trace(context: TaskContext, *, name: str) -> None:
    await leave_trace(context, name)


@task
async def trace_and_fail(context: TaskContext, *, name: str) -> None:
    await leave_trace(context, name)
    raise RuntimeError("the password=swordfish is wrong")


@task
async def pass_gate(context: TaskContext, *, name: str) -> None:
    await leave_trace(context, name)
    await context.uow.session.execute(text("select pg_advisory_xact_lock(:gate)"), {"gate": GATE})


@task
async def die(context: TaskContext) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    configure_logging()
    run_worker(get_settings(), concurrency=2)
