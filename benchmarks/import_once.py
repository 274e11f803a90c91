"""Imports a file of questions twice and prints what each import took, for `benchmarks/near_duplicates.py`.

It is started by the Python of the checkout that is measured, and uses only what older checkouts have too.
"""

import asyncio
import gc
import json
import resource
import sys
import time
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text

from app.config import Settings
from app.database import create_engine
from app.services import questions
from app.services.unit_of_work import unit_of_work
from app.services.users import operator


def cpu_of(pid: int) -> float:
    """The CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def peak() -> float:
    """The largest resident memory of this process in megabytes so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


async def main(url: str, file: bytes) -> None:
    """Import the file into an empty bank, and then again."""
    # Imports by the API run without full collections in each checkout, those at the command line not in all.
    gc.set_threshold(*gc.get_threshold()[:2], 1_000_000_000)
    engine = create_engine(Settings(database_url=SecretStr(url)), pool_size=1)
    async with engine.connect() as connection:
        pid = await connection.scalar(text("select pg_backend_pid()"))
    for _ in range(2):
        memory, wall, cpu, database = peak(), time.perf_counter(), time.process_time(), cpu_of(pid)
        async with unit_of_work(engine) as uow:
            report = await questions.import_questions(uow, operator(), file, subject="Polity")
        figures = {
            "wall s": time.perf_counter() - wall,
            "CPU s of the import": time.process_time() - cpu,
            "CPU s of PostgreSQL": cpu_of(pid) - database,
            "MB more": peak() - memory,
            "MB": peak(),
        }
        if report.errors:
            raise SystemExit(str(report.errors[0]))
        counts = {"created": report.created, "unchanged": report.unchanged, "warnings": len(report.warnings)}
        print(json.dumps({"figures": figures, "counts": counts}))
    await engine.dispose()


asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes()))
