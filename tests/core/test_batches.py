"""Requests that are carried out together: who is in which batch, and what becomes of each."""

import asyncio
from collections.abc import Sequence

import pytest

from app.core.batches import Batches
from app.core.errors import Unavailable


class Work:
    """Carries out batches when the test lets it, and remembers them."""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []
        self.may_go_on = asyncio.Event()

    async def __call__(self, requests: Sequence[int]) -> Sequence[int]:
        self.batches.append(requests)
        await self.may_go_on.wait()
        if 13 in requests:
            raise ValueError("13")
        return [2 * request for request in requests]


async def all_begun() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_came_during_a_batch_is_the_next_one() -> None:
    batches, work = Batches(), Work()
    first = asyncio.create_task(batches.outcome("a", 1, work))
    await all_begun()
    later = [asyncio.create_task(batches.outcome("a", number, work)) for number in (2, 3)]
    other = asyncio.create_task(batches.outcome("b", 4, work))
    await all_begun()
    assert work.batches == [[1], [4]]
    work.may_go_on.set()
    assert await asyncio.gather(first, *later, other) == [2, 4, 6, 8]
    assert work.batches == [[1], [4], [2, 3]]


async def test_a_batch_has_a_limit_and_so_has_the_queue() -> None:
    batches, work = Batches(most=2, most_waiting=3), Work()
    first = [asyncio.create_task(batches.outcome("a", number, work)) for number in range(3)]
    await all_begun()
    assert work.batches == [[0, 1]]
    more = [asyncio.create_task(batches.outcome("a", number, work)) for number in (3, 4)]
    await all_begun()
    with pytest.raises(Unavailable):
        await batches.outcome("a", 5, work)
    work.may_go_on.set()
    assert await asyncio.gather(*first, *more) == [0, 2, 4, 6, 8]
    assert work.batches == [[0, 1], [2, 3], [4]]


async def test_an_error_is_that_of_each_request_of_the_batch_alone() -> None:
    batches, work = Batches(most=2), Work()
    tasks = [asyncio.create_task(batches.outcome("a", number, work)) for number in (1, 13, 2)]
    work.may_go_on.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ValueError, ValueError, int]


async def test_a_caller_that_leaves_or_waits_too_long_does_not_disturb_the_others() -> None:
    batches, work = Batches(longest_wait=0.05), Work()
    leaving = asyncio.create_task(batches.outcome("a", 1, work))
    await all_begun()
    leaving.cancel()
    with pytest.raises(Unavailable):
        await batches.outcome("a", 2, work)
    work.may_go_on.set()
    assert await batches.outcome("a", 3, work) == 6
    await batches.close()
    assert work.batches == [[1], [3]]


async def test_a_batch_that_is_cancelled_does_not_hold_up_later_requests() -> None:
    batches, work = Batches(longest_wait=0.5), Work()

    async def cancelled_once(requests: Sequence[int]) -> Sequence[int]:
        if 1 in requests:
            raise asyncio.CancelledError
        return await work(requests)

    work.may_go_on.set()
    with pytest.raises(Unavailable):
        await batches.outcome("a", 1, cancelled_once)
    assert await batches.outcome("a", 2, cancelled_once) == 4
