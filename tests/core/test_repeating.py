"""Tasks that go on for as long as a process lives, and end with it."""

import asyncio

from app.core.repeating import end, repeat


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
        async with asyncio.timeout(5):
            await enough.wait()
        await end([task])
        assert steps == 2


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
        async with asyncio.timeout(5):
            await end([task])
        assert (losses, task.cancelled()) == (1, True)

    async def test_minds_no_failures(self) -> None:
        async def fail() -> None:
            raise ValueError

        await end([asyncio.create_task(fail())])
        await end([])
