"""A real worker: what it promises about jobs, whatever is killed around it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.services.unit_of_work import unit_of_work
from app.workers.broker import Broker
from app.workers.leases import MAX_DELIVERIES
from devservers.postgres import Postgres
from devservers.valkey import Valkey
from tests.thorough import thorough_only
from tests.waiting import PATIENCE, eventually
from tests.workers.conftest import Database, StartWorker, WorkerProcess, open_database
from tests.workers.probes import GATE

pytestmark = pytest.mark.anyio


def events(worker: WorkerProcess) -> list[dict[str, Any]]:
    # The worker may be in the middle of writing the last line.
    complete, _, _ = worker.log.read_text().rpartition("\n")
    return [json.loads(line) for line in complete.splitlines() if line.startswith("{")]


class TestJobs:
    async def test_a_committed_job_runs_once(self, database: Database, start_worker: StartWorker) -> None:
        await start_worker().ready()
        jobs = [await database.add_job("trace", name=f"{number:02}") for number in range(30)]
        for job in jobs:
            await eventually(lambda job=job: database.finished(job))  # type: ignore[misc]
        assert await database.traces() == [f"{number:02}" for number in range(30)]
        assert {(await database.job(job)).deliveries for job in jobs} == {1}

    async def test_a_job_of_a_rolled_back_transaction_never_runs(
        self, database: Database, start_worker: StartWorker
    ) -> None:
        await start_worker().ready()
        with pytest.raises(RuntimeError, match="rolled back"):
            await self._add_and_roll_back(database)
        later = await database.add_job("trace", name="later")
        await eventually(lambda: database.finished(later))
        assert await database.traces() == ["later"]

    async def test_a_failing_job_rests_longer_each_time_and_is_given_up(
        self, database: Database, start_worker: StartWorker
    ) -> None:
        worker = await start_worker().ready()
        job = await database.add_job("trace_and_fail", name="undone")

        async def failed(times: int) -> bool:
            return [event["event"] for event in events(worker)].count("job_attempt_failed") == times

        await eventually(lambda: failed(1))
        assert not await database.finished(job)
        await database.execute("update ias.jobs set deliveries = :n", n=MAX_DELIVERIES - 2)
        await database.end_leases()
        await eventually(lambda: failed(2))
        await database.end_leases()
        await eventually(lambda: database.finished(job))
        row = await database.job(job)
        assert row.deliveries == MAX_DELIVERIES
        assert row.error.startswith("RuntimeError: the password")
        assert "swordfish" not in row.error
        assert await database.traces() == []
        assert "swordfish" not in worker.log.read_text()

    async def test_a_job_that_kills_its_process_is_given_up_too(
        self, database: Database, start_worker: StartWorker
    ) -> None:
        await start_worker().ready()
        deadly = await database.add_job("die")
        await eventually(lambda: self._delivered(database, deadly))
        await database.execute(
            "update ias.jobs set deliveries = :n, leased_until = now() where id = :id",
            n=MAX_DELIVERIES,
            id=deadly,
        )
        await eventually(lambda: database.finished(deadly))
        assert (await database.job(deadly)).error == f"not done after {MAX_DELIVERIES} deliveries"
        other = await database.add_job("trace", name="life goes on")
        await eventually(lambda: database.finished(other))

    async def test_a_running_job_is_never_run_beside_itself(
        self, database: Database, valkey: Valkey, start_worker: StartWorker
    ) -> None:
        await start_worker().ready()
        await start_worker().ready()
        async with database.engine.begin() as connection:
            await connection.execute(text("select pg_advisory_xact_lock(:gate)"), {"gate": GATE})
            job = await database.add_job("pass_gate", name="once")
            await eventually(database.waiting_at_gate)
            bystander = await database.add_job("trace", name="bystander")
            await eventually(lambda: database.finished(bystander))
            await self._send_again(valkey, job)
        await eventually(lambda: database.finished(job))
        last = await database.add_job("trace", name="last")
        await eventually(lambda: database.finished(last))
        assert await database.traces() == ["bystander", "last", "once"]

    async def _add_and_roll_back(self, database: Database) -> None:
        async with unit_of_work(database.engine) as uow:
            uow.jobs.add("trace", name="never")
            await uow.session.flush()
            raise RuntimeError("rolled back")

    async def _delivered(self, database: Database, job: Any) -> bool:
        return bool((await database.job(job)).deliveries)

    async def _send_again(self, valkey: Valkey, job: Any) -> None:
        """A message for a job that runs: the relay would not send it, Redis may."""
        broker = Broker(valkey.url)
        await broker.publish([(job, "pass_gate")])
        await broker.close()


class TestKilled:
    async def test_another_worker_does_what_a_killed_one_had_begun(
        self, database: Database, start_worker: StartWorker
    ) -> None:
        first = await start_worker().ready()
        async with database.engine.begin() as connection:
            await connection.execute(text("select pg_advisory_xact_lock(:gate)"), {"gate": GATE})
            job = await database.add_job("pass_gate", name="once")
            await eventually(database.waiting_at_gate)
            first.kill()
        await database.end_leases()
        await start_worker().ready()
        await eventually(lambda: database.finished(job))
        assert await database.traces() == ["once"]
        assert (await database.job(job)).deliveries >= 2

    async def test_celery_follows_a_killed_parent(
        self, database: Database, start_worker: StartWorker
    ) -> None:
        worker = await start_worker().ready()
        worker.process.kill()
        worker.process.wait()

        async def group_gone() -> bool:
            try:
                os.killpg(worker.process.pid, 0)
            except ProcessLookupError:
                return True
            return False

        await eventually(group_gone)

    async def test_a_worker_whose_celery_dies_ends_for_its_supervisor_to_see(
        self, start_worker: StartWorker
    ) -> None:
        worker = await start_worker().ready()
        os.kill(self._celery(worker.process.pid), signal.SIGKILL)
        assert worker.process.wait(timeout=PATIENCE) == 1

    def _celery(self, parent: int) -> int:
        """The only child, once it is ready."""
        listed = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=True)
        return int(listed.stdout)


class TestStopped:
    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
    async def test_it_leaves_in_order(
        self, how: signal.Signals, database: Database, start_worker: StartWorker
    ) -> None:
        worker = await start_worker().ready()
        assert await database.all("select 1 from ias.workers")
        os.killpg(worker.process.pid, how) if how is signal.SIGINT else worker.process.send_signal(how)
        assert worker.process.wait(timeout=PATIENCE) == 0
        assert await database.all("select 1 from ias.workers") == []
        assert "Traceback" not in worker.log.read_text()

    async def test_a_running_task_may_end(self, database: Database, start_worker: StartWorker) -> None:
        worker = await start_worker().ready()
        async with database.engine.begin() as connection:
            await connection.execute(text("select pg_advisory_xact_lock(:gate)"), {"gate": GATE})
            job = await database.add_job("pass_gate", name="finished")
            await eventually(database.waiting_at_gate)
            worker.process.terminate()
            await eventually(lambda: self._stopping(worker))
        assert worker.process.wait(timeout=PATIENCE) == 0
        assert await database.finished(job)

    async def _stopping(self, worker: WorkerProcess) -> bool:
        return any(event["event"] == "worker_stopping" for event in events(worker))


class TestRedisDown:
    async def test_jobs_wait_and_the_loops_go_on(
        self, database: Database, valkey: Valkey, start_worker: StartWorker
    ) -> None:
        worker = await start_worker().ready()
        valkey.stop()
        job = await database.add_job("trace", name="patient")
        await eventually(lambda: self._failing(worker))
        seen = await self._seen(database)
        await eventually(lambda: self._seen_after(database, seen))
        assert (await database.job(job)).deliveries == 0
        valkey.start()
        await eventually(lambda: database.finished(job))
        assert await database.traces() == ["patient"]

    async def test_messages_that_redis_forgot_are_sent_again(
        self, database: Database, valkey: Valkey, start_worker: StartWorker
    ) -> None:
        worker = await start_worker().ready()
        valkey.stop()
        job = await database.add_job("trace", name="forgotten")
        # Leased and published, as far as the relay knew; and then Redis lost it.
        await database.execute("update ias.jobs set deliveries = 1, leased_until = now() + interval '1 hour'")
        valkey.start()
        other = await database.add_job("trace", name="other")
        await eventually(lambda: database.finished(other))
        assert not await database.finished(job)
        await database.end_leases()
        await eventually(lambda: database.finished(job))
        assert worker.terminate() == 0

    async def _failing(self, worker: WorkerProcess) -> bool:
        return any(event.get("loop") == "relay" for event in events(worker))

    async def _seen(self, database: Database) -> Any:
        return (await database.all("select max(seen_at) as seen from ias.workers"))[0].seen

    async def _seen_after(self, database: Database, moment: Any) -> bool:
        return bool(await self._seen(database) > moment)


class TestPostgresKilled:
    @thorough_only
    async def test_the_worker_heals_when_it_is_back(self, tmp_path: Path, start_worker: StartWorker) -> None:
        server = Postgres(tmp_path / "postgres")  # Durable: it is killed, and its tables must outlive that.
        server.start()
        try:
            await self._kill_and_restart(server, start_worker)
        finally:
            server.stop()

    async def _kill_and_restart(self, server: Postgres, start_worker: StartWorker) -> None:
        server.ensure_database("ias", "ias", "test")
        url = server.url("ias", "ias", "test")
        migrate = [sys.executable, "-m", "app.cli", "migrate"]
        await asyncio.to_thread(subprocess.run, migrate, env=os.environ | {"DATABASE_URL": url}, check=True)
        async with open_database(url) as database:
            worker = await start_worker(DATABASE_URL=url).ready()
            assert server.child is not None
            assert server.child.pid is not None
            os.kill(server.child.pid, signal.SIGKILL)
            await eventually(lambda: self._noticed(worker))
            server.start()
            await database.engine.dispose()
            job = await database.add_job("trace", name="after")
            await eventually(lambda: database.finished(job))
            assert await database.traces() == ["after"]
            assert worker.process.poll() is None

    async def _noticed(self, worker: WorkerProcess) -> bool:
        failing = {event["loop"] for event in events(worker) if event["event"] == "loop_failing"}
        return {"overdue_attempts", "relay"} <= failing
