"""Work in child processes: within its limits, fairly, and never more than fits."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import TooComplex, TooLarge, Unavailable
from app.core.process_pool import PoolLimits, ProcessPool
from devservers.processes import wait_for
from tests.conftest import ROOT
from tests.core import pool_jobs as jobs
from tests.file_children import start_process
from tests.waiting import PATIENCE

ADVICE = "Split the file."
LISTS_FILES = Path("/proc/self/fd").exists()


@pytest.fixture(autouse=True)
def real_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.process_pool._start", start_process)


@asynccontextmanager
async def a_pool(**limits: Any) -> AsyncIterator[ProcessPool]:
    pool = ProcessPool(PoolLimits(**limits))
    try:
        yield pool
    finally:
        pool.close()


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[ProcessPool]:
    """A pool of one child, for the tests that need nothing else. A child takes 0.3 seconds to start."""
    async with a_pool(processes=1) as pool:
        yield pool


async def run(pool: ProcessPool, function: Any, *arguments: Any, caller: object = "somebody") -> Any:
    return await pool.run(function, *arguments, caller=caller, advice=ADVICE)


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


async def until(condition: Any) -> None:
    assert await asyncio.to_thread(wait_for, condition, timeout=PATIENCE)


class TestRun:
    async def test_the_result_comes_back(self, shared: ProcessPool) -> None:
        assert await run(shared, jobs.add, 1, 2) == 3

    async def test_the_child_stays_for_the_next(self, shared: ProcessPool) -> None:
        first = await run(shared, jobs.process_id)
        assert first != os.getpid()
        assert await run(shared, jobs.process_id) == first

    async def test_items_come_one_by_one(self, shared: ProcessPool) -> None:
        assert await shared.collect(jobs.count_to, 1_000, caller=1, advice=ADVICE) == [*range(1_000)]

    async def test_what_it_raises_is_raised_here(self, shared: ProcessPool) -> None:
        """Also what cannot be made anew from its message alone."""
        with pytest.raises(TooLarge, match="at most 1,000 bytes") as raised:
            await run(shared, jobs.refuse)
        assert raised.value.members == {"limit_bytes": 1_000}
        with pytest.raises(LookupError, match="in the child") as stumbled:
            await run(shared, jobs.stumble)
        assert "in stumble" in "".join(stumbled.value.__notes__)

    async def test_what_a_library_prints_disturbs_nothing(self, shared: ProcessPool) -> None:
        assert await run(shared, jobs.print_much) == "done"


class TestSecrets:
    async def test_a_child_has_none_and_no_socket_and_no_file_of_ours(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("SECRET_KEY", "secret")
        mine = (tmp_path / "mine").open("w")
        with mine:
            async with a_pool() as pool:
                names = await run(pool, jobs.environment)
                files = await run(pool, jobs.open_files) if LISTS_FILES else []
        assert "SECRET_KEY" not in names
        assert "DATABASE_URL" not in names
        assert not [name for name in files if name.startswith(("socket:", str(tmp_path)))]


class TestLimits:
    async def test_time(self) -> None:
        """A child that only waits is killed by the parent; the next one works."""
        async with a_pool(processes=1, seconds=1) as pool:
            with pytest.raises(TooComplex, match=r"within 1 seconds\. Split the file\."):
                await run(pool, jobs.wait_for_ever)
        async with a_pool(processes=1, seconds=30) as pool:
            assert await run(pool, jobs.add, 1, 2) == 3

    async def test_a_child_that_starts_too_late_is_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody waits for it any more, so that nobody else would end it and close its pipes."""
        may_start, started = threading.Event(), list[Any]()

        def start_late(limits: PoolLimits) -> Any:
            may_start.wait(PATIENCE)
            started.append(start_process(limits))
            return started[0]

        monkeypatch.setattr("app.core.process_pool._start", start_late)
        async with a_pool(processes=2, seconds=0) as pool:
            with pytest.raises(TooComplex, match="within 0 seconds"):
                await run(pool, jobs.wait_for_ever)
            may_start.set()
            await until(lambda: started and started[0].returncode is not None)
            await until(lambda: started[0].stdin.closed and started[0].stdout.closed)

    async def test_a_killed_child_is_replaced(self, shared: ProcessPool) -> None:
        before = await run(shared, jobs.process_id)
        with pytest.raises(TooComplex, match="memory"):
            await run(shared, jobs.die)
        after = await run(shared, jobs.process_id)
        assert after != before

    async def test_processor_time(self, shared: ProcessPool) -> None:
        """The system ends a child that works on although nobody waits for it any more."""
        with pytest.raises(TooComplex, match="within 60 seconds"):
            await run(shared, jobs.die, signal.SIGXCPU)

    @pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not limit address space")
    async def test_memory(self) -> None:
        async with a_pool(processes=1, memory_bytes=300_000_000) as pool:
            assert await run(pool, jobs.take_memory, 1_000_000) == 1_000_000
            before = await run(pool, jobs.process_id)
            with pytest.raises(TooComplex, match=r"more memory than is allowed\. Split the file\."):
                await run(pool, jobs.take_memory, 400_000_000)
            assert await run(pool, jobs.process_id) != before

    @pytest.mark.parametrize("job", [jobs.fail_to_load, jobs.fail_in_the_interpreter])
    async def test_what_finds_no_room_is_a_matter_of_memory(
        self, shared: ProcessPool, job: Callable[[], None]
    ) -> None:
        with pytest.raises(TooComplex, match="memory"):
            await run(shared, job)

    async def test_a_child_that_has_grown_is_replaced(self) -> None:
        async with a_pool(processes=1, memory_bytes=300_000_000) as pool:
            before = await run(pool, jobs.process_id)
            await run(pool, jobs.keep_memory, 200_000_000)
            assert await run(pool, jobs.process_id) != before


class TestQueue:
    async def test_no_more_wait_than_fit(self, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        async with a_pool(processes=1, queue=1) as pool:
            running = asyncio.create_task(run(pool, jobs.wait_for, str(gate), caller=1))
            waiting = asyncio.create_task(run(pool, jobs.add, 1, 2, caller=2))
            await asyncio.sleep(0)
            with pytest.raises(Unavailable) as raised:
                await run(pool, jobs.add, 1, 2, caller=3)
            assert raised.value.headers["Retry-After"] == "10"
            gate.touch()
            assert await running == str(gate)
            assert await waiting == 3

    async def test_a_caller_has_one_child_at_a_time(self, tmp_path: Path) -> None:
        """Whoever sends much waits for themselves; others pass."""
        gate = tmp_path / "gate"
        async with a_pool(processes=2) as pool:
            mine = [asyncio.create_task(run(pool, jobs.wait_for, str(gate), caller=1)) for _ in range(3)]
            await asyncio.sleep(0)
            assert await run(pool, jobs.add, 1, 2, caller=2) == 3
            assert not any(task.done() for task in mine)
            gate.touch()
            assert await asyncio.gather(*mine) == [str(gate)] * 3

    async def test_who_gives_up_frees_the_place(self) -> None:
        async with a_pool(processes=1) as pool:
            child = await run(pool, jobs.process_id)
            running = asyncio.create_task(run(pool, jobs.wait_for_ever, caller=1))
            waiting = asyncio.create_task(run(pool, jobs.wait_for_ever, caller=2))
            await asyncio.sleep(0)
            for task in (waiting, running):
                task.cancel()
            assert [
                type(each) for each in await asyncio.gather(running, waiting, return_exceptions=True)
            ] == [asyncio.CancelledError] * 2
            assert await run(pool, jobs.add, 1, 2) == 3
            await until(lambda: not is_alive(child))

    async def test_who_gives_up_just_when_their_turn_comes(self, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        async with a_pool(processes=1) as pool:
            running = asyncio.create_task(run(pool, jobs.wait_for, str(gate), caller=1))
            waiting = asyncio.create_task(run(pool, jobs.add, 1, 2, caller=2))
            await asyncio.sleep(0)
            running.add_done_callback(lambda _: waiting.cancel())
            gate.touch()
            await asyncio.wait([running, waiting])
            assert await run(pool, jobs.add, 1, 2, caller=3) == 3

    async def test_waiting_has_an_end(self) -> None:
        async with a_pool(processes=1, seconds=1) as pool:
            both = [run(pool, jobs.wait_for_ever, caller=caller) for caller in (1, 2)]
            kinds = {type(each) for each in await asyncio.gather(*both, return_exceptions=True)}
        assert kinds <= {TooComplex, Unavailable}


class TestEnd:
    async def test_closing_ends_the_children(self) -> None:
        async with a_pool() as pool:
            child = await run(pool, jobs.process_id)
        assert not is_alive(child)

    def test_children_end_with_their_parent(self, tmp_path: Path) -> None:
        """Also in the middle of work, and where the parent is killed."""
        program = (
            "import asyncio\n"
            "from app.core.process_pool import PoolLimits, ProcessPool\n"
            "from tests.core import pool_jobs as jobs\n"
            "async def main():\n"
            "    pool = ProcessPool(PoolLimits())\n"
            "    print(await pool.run(jobs.process_id, caller=1, advice=''), flush=True)\n"
            "    await pool.run(jobs.work_for_ever, caller=1, advice='')\n"
            "asyncio.run(main())\n"
        )
        command = [sys.executable, "-c", program]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            parent.kill()
        assert wait_for(lambda: not is_alive(child), timeout=PATIENCE)
