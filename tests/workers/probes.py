"""Tasks whose effects a test can see. `python -m tests.workers.probes` is `ias worker` with them."""

import os
import signal

from sqlalchemy import text

from app.config import get_settings
from app.core.telemetry import configure_logging
from app.workers.runtime import Work, task
from app.workers.supervisor import run_worker

GATE = 7
"""An advisory lock: a test that holds it keeps `pass_gate` in the middle of its work."""


async def leave_trace(work: Work, name: str) -> None:
    await work.uow.session.execute(text("insert into public.traces (name) values (:name)"), {"name": name})


@task
async def trace(work: Work, *, name: str) -> None:
    await leave_trace(work, name)


@task
async def trace_and_fail(work: Work, *, name: str) -> None:
    await leave_trace(work, name)
    raise RuntimeError("the password=swordfish is wrong")


@task
async def pass_gate(work: Work, *, name: str) -> None:
    await leave_trace(work, name)
    await work.uow.session.execute(text("select pg_advisory_xact_lock(:gate)"), {"gate": GATE})


@task
async def die(work: Work) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    configure_logging()
    run_worker(get_settings(), concurrency=2)
