"""Receipts of saves: what they prove, and that they stay valid."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.receipts import Receipt
from app.core.signing import digest_of, from_base64url
from app.main import REQUEST_STATEMENT_SECONDS
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, Json, start
from tests.builders.content import PublishedTest, publish_test
from tests.conftest import TestClock


@pytest.fixture(scope="module")
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, [["a"], ["b"], {"value": "3.14", "tolerance": "0.01"}])


@pytest.fixture
async def sitting(candidate: httpx.AsyncClient, made: PublishedTest) -> AttemptClient:
    return await start(candidate, made)


DEFAULTS = {"marked_for_review": False, "time_spent_ms": 0, "confidence": None, "language": None}


def as_signed(*sent: Json, lease: int = 1) -> list[Json]:
    """Responses as the digest of a receipt has them: with the lease, and all fields."""
    return [DEFAULTS | response | {"lease": lease} for response in sent]


async def saved(sitting: AttemptClient, *responses: Json) -> Json:
    answer = await sitting.save(*responses)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def is_genuine(client: httpx.AsyncClient, receipt: Receipt) -> bool:
    keys = {key["id"]: key for key in (await client.get("/response-sheets/keys")).json()["items"]}
    return receipt.is_signed_by(from_base64url(keys[receipt.key_id]["public_key"]))


@asynccontextmanager
async def signing_keys_missing(engine: AsyncEngine) -> AsyncIterator[None]:
    """A block in which the table of the signing keys cannot be read."""
    async with engine.begin() as connection:
        await connection.execute(text("alter table ias.signing_keys rename to signing_keys_elsewhere"))
    try:
        yield
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("alter table ias.signing_keys_elsewhere rename to signing_keys"))


class TestReceipts:
    async def test_it_proves_what_was_sent_and_when(
        self, sitting: AttemptClient, api: httpx.AsyncClient
    ) -> None:
        sent = [sitting.response(0, ["a"], 2, time_spent_ms=900), sitting.response(2, "3.14")]
        body = await saved(sitting, *sent)
        receipt = Receipt.read(body["receipt"])
        assert await is_genuine(api, receipt)
        assert receipt.attempt_id == sitting.id
        assert receipt.digest == digest_of(as_signed(*sent))
        started = datetime.fromisoformat(sitting.attempt["started_at"])
        assert started <= receipt.received_at <= datetime.fromisoformat(body["server_time"])

    async def test_a_retry_gets_one_too(self, sitting: AttemptClient) -> None:
        sent = sitting.response(0, ["a"])
        first, again = await saved(sitting, sent), await saved(sitting, sent)
        assert again["known"] == 1
        receipts = [Receipt.read(body["receipt"]) for body in (first, again)]
        assert receipts[0].digest == receipts[1].digest
        assert receipts[0].received_at < receipts[1].received_at

    async def test_it_leaves_out_what_is_not_in_the_log(self, sitting: AttemptClient) -> None:
        await saved(sitting, sitting.response(0, ["a"], 2))
        older, conflict = sitting.response(0, ["c"], 1), sitting.response(0, ["b"], 2)
        body = await saved(sitting, older, conflict)
        assert (len(body["superseded"]), len(body["conflicts"])) == (1, 1)
        assert Receipt.read(body["receipt"]).digest == digest_of(as_signed(older))
        assert (await saved(sitting, conflict))["receipt"] is None

    async def test_a_refused_save_gets_none(self, sitting: AttemptClient) -> None:
        answer = await sitting.save(sitting.response(0, ["a"]), {"question_id": str(uuid4()), "revision": 1})
        assert answer.status_code == 422
        assert "receipt" not in answer.json()

    async def test_a_save_succeeds_without_one_while_the_key_cannot_be_read(
        self, sitting: AttemptClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        clock.advance(120)  # The process has forgotten the key by then.
        sent = sitting.response(0, ["a"])
        async with signing_keys_missing(engine):
            body = await saved(sitting, sent)
        assert (body["saved"], body["receipt"]) == (1, None)
        again = await saved(sitting, sent)
        assert again["known"] == 1
        assert Receipt.read(again["receipt"]).digest == digest_of(as_signed(sent))

    async def test_a_save_does_not_wait_long_for_the_key(
        self, sitting: AttemptClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        clock.advance(240)  # The test before has let the process read the key at 120.
        sent = sitting.response(0, ["a"])
        async with engine.begin() as connection:
            await connection.execute(text("lock table ias.signing_keys in access exclusive mode"))
            async with asyncio.timeout(REQUEST_STATEMENT_SECONDS / 2):
                body = await saved(sitting, sent)
        assert (body["saved"], body["receipt"]) == (1, None)
        assert Receipt.read((await saved(sitting, sent))["receipt"]).digest == digest_of(as_signed(sent))

    async def test_the_keys_are_public_and_say_nothing_secret(self, api: httpx.AsyncClient) -> None:
        answer = await api.get("/response-sheets/keys")
        assert answer.status_code == 200, answer.text
        for key in answer.json()["items"]:
            assert sorted(key) == ["algorithm", "from", "id", "public_key", "until"]
            assert key["algorithm"] == "Ed25519"
            assert len(from_base64url(key["public_key"])) == 32
