"""Keys of receipts and response sheets: made at first use, rotated, kept. Each test has a database."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.database import create_engine
from app.services.signing_keys import SignerStore, public_keys
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from tests.conftest import TestClock, cloned_database
from tests.two_connections import alone, overlap

MINUTE = timedelta(minutes=1)


@pytest.fixture
def own_url(superuser_url: str, template: str) -> Iterator[str]:
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture
async def empty(own_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=SecretStr(own_url)), pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
def store(clock: TestClock) -> SignerStore:
    clock.stop()
    return SignerStore("the secret of a test", clock)


async def ids(engine: AsyncEngine) -> list[str]:
    async with reading(engine) as reads:
        return [key.id for key in await public_keys(reads)]


async def test_the_first_use_makes_a_key_and_later_ones_use_it(
    empty: AsyncEngine, store: SignerStore, clock: TestClock
) -> None:
    assert await ids(empty) == []
    first = await store.signer_of_reading(empty)
    again = await store.signer_of_reading(empty)
    other_process = await SignerStore("the secret of a test", clock).signer_of_reading(empty)
    assert first.key_id == again.key_id == other_process.key_id
    assert await ids(empty) == [first.key_id]


async def test_a_first_use_that_is_rolled_back_leaves_no_key_behind(
    empty: AsyncEngine, store: SignerStore
) -> None:
    async def fail(uow: UnitOfWork) -> None:
        await store.signer(uow)
        raise RuntimeError

    assert (await alone(empty, fail)).code == "RuntimeError"
    assert await ids(empty) == []
    signer = await store.signer_of_reading(empty)
    assert await ids(empty) == [signer.key_id]


async def test_two_first_uses_at_once_make_one_key(empty: AsyncEngine, clock: TestClock) -> None:
    stores = [SignerStore("the secret of a test", clock) for _ in range(2)]
    both = await overlap(empty, stores[0].signer, stores[1].signer)
    assert both.waited
    assert both.first.result().key_id == both.second.result().key_id
    assert len(await ids(empty)) == 1


async def test_a_rotation_reaches_other_processes_within_a_minute(
    empty: AsyncEngine, store: SignerStore, clock: TestClock
) -> None:
    old = await store.signer_of_reading(empty)
    await store.signer_of_reading(empty)
    async with unit_of_work(empty) as uow:
        new = await SignerStore("the secret of a test", clock).rotate(uow)
    assert (await store.signer_of_reading(empty)).key_id == old.key_id
    clock.advance(60)
    assert (await store.signer_of_reading(empty)).key_id == new.key_id
    async with reading(empty) as reads:
        newest, oldest = await public_keys(reads)
    assert (newest.id, newest.retired_at) == (new.key_id, None)
    assert (oldest.id, oldest.public_key) == (old.key_id, old.public_key)
    assert oldest.retired_at is not None
    assert timedelta() < oldest.retired_at - newest.created_at <= 3 * MINUTE


async def test_two_rotations_at_once_make_one_key(empty: AsyncEngine, clock: TestClock) -> None:
    store = SignerStore("the secret of a test", clock)
    await store.signer_of_reading(empty)
    both = await overlap(empty, store.rotate, store.rotate)
    assert both.first.result().key_id == both.second.result().key_id
    assert len(await ids(empty)) == 2


async def test_another_secret_has_another_key_and_the_old_one_stays(
    empty: AsyncEngine, store: SignerStore, clock: TestClock
) -> None:
    old = await store.signer_of_reading(empty)
    new = await SignerStore("a new secret of a test", clock).signer_of_reading(empty)
    assert sorted(await ids(empty)) == sorted([old.key_id, new.key_id])
