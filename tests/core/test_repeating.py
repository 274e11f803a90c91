"""Tasks that go on for as long as a process lives, and end with it."""

import asyncio

import pytest

from app.core.repeating import MAX_TIME, end, failing_loops, keep_running, repeat, repeat_full_batches
from tests.conftest import TestClock
from tests.waiting import PATIENCE


class TestRepeat:
    async def test_goes_on_after_a_failure(self) -> None:
        steps = 0
        enough = asyncio.Event()

        async def step() -> None:
            nonlocal steps
            steps += 1
            if steps == 1:
                raise ValueError
            enough.set()

        task = asyncio.create_task(repeat("test", 60, step))
        async with asyncio.timeout(PATIENCE):
            await enough.wait()
        await end([task])
        assert steps == 2

    async def test_a_loop_that_is_woken_does_not_wait_for_its_time(self) -> None:
        steps: asyncio.Queue[None] = asyncio.Queue()
        wake = asyncio.Event()

        async def step() -> None:
            steps.put_nowait(None)

        task = asyncio.create_task(repeat("test", 3600, step, wake=wake))
        async with asyncio.timeout(PATIENCE):
            await steps.get()
            wake.set()
            await steps.get()
        assert not wake.is_set()
        await end([task])

    async def test_what_is_asked_for_during_a_step_is_done_after_it(self) -> None:
        steps = 0
        wake, twice = asyncio.Event(), asyncio.Event()

        async def step() -> None:
            nonlocal steps
            steps += 1
            (wake if steps == 1 else twice).set()

        task = asyncio.create_task(repeat("test", 3600, step, wake=wake))
        async with asyncio.timeout(PATIENCE):
            await twice.wait()
        await end([task])


class TestRepeatFullBatches:
    @pytest.mark.parametrize(("sizes", "runs"), [([3, 3, 2, 3], 3), ([0], 1)])
    async def test_the_last_batch_is_not_full(self, sizes: list[int], runs: int) -> None:
        left = iter(sizes)

        async def run() -> int:
            return next(left)

        await repeat_full_batches(TestClock(), run, 3)
        assert len(list(left)) == len(sizes) - runs

    async def test_no_batch_begins_when_the_time_is_over(self) -> None:
        clock, runs = TestClock(), 0
        clock.stop_entirely()

        async def run() -> int:
            nonlocal runs
            runs += 1
            clock.advance(MAX_TIME.total_seconds() / 2)
            return 3

        await repeat_full_batches(clock, run, 3)
        assert runs == 2


class TestKeepRunning:
    async def test_a_routine_that_fails_is_started_again(self) -> None:
        starts = 0
        again, forever = asyncio.Event(), asyncio.Event()

        async def routine() -> None:
            nonlocal starts
            starts += 1
            if starts == 1:
                raise OSError(24, "Too many open files")
            again.set()
            await forever.wait()

        task = asyncio.create_task(keep_running("test", routine))
        async with asyncio.timeout(PATIENCE):
            await again.wait()
        assert failing_loops() == ["test"]  # It is trusted when it has run for a while.
        await end([task])
        assert failing_loops() == []

    async def test_one_that_returns_has_ended(self) -> None:
        async def routine() -> None: ...

        async with asyncio.timeout(PATIENCE):
            await keep_running("test", routine)


class TestEnd:
    async def test_insists(self) -> None:
        """As the Redis driver does now and then, the task loses the first cancellation."""
        losses = 0
        forever = asyncio.Event()

        async def stubborn() -> None:
            nonlocal losses
            try:
                await forever.wait()
            except asyncio.CancelledError:
                losses += 1
            await forever.wait()

        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            await end([task])
        assert (losses, task.cancelled()) == (1, True)

    async def test_minds_no_failures(self) -> None:
        async def fail() -> None:
            raise ValueError

        await end([asyncio.create_task(fail())])
        await end([])
