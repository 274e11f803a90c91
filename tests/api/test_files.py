"""Files over HTTP: read and typeset in child processes, of which there are few, never among the requests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import ClientDisconnect, Request

from app.api.disconnects import while_connected
from app.core.errors import TooComplex
from app.core.images import UnusableImage
from app.core.process_pool import PoolLimits, ProcessPool
from app.services import questions, tests
from app.services.components import Components
from app.services.printing import PrintJob
from app.services.questions import media
from app.services.tests import Printout
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import operator
from devservers.processes import wait_for
from tests.builders.answer_sheets import send_sheets, sheet_file
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import MINUTE, HeldExam, hold_exam
from tests.builders.images import encoded, new_image, send
from tests.conftest import TestClock
from tests.core import pool_jobs
from tests.services.printing.papers import document
from tests.services.printing.papers import question as printed_question
from tests.waiting import PATIENCE

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
SHEET = b"subject,question,option_a,option_b,key\nPolity,Which?,x,y,a\n"
Ask = Callable[[], Awaitable[httpx.Response]]


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


@pytest.fixture
async def held(author: httpx.AsyncClient, made: PublishedTest, clock: TestClock) -> HeldExam:
    return await hold_exam(author, made, starts_at=clock.now() - MINUTE)


@asynccontextmanager
async def all_places_taken(pool: ProcessPool, folder: Path) -> AsyncIterator[None]:
    """All children are at work, and as many callers wait as may."""
    gate, limits = folder / "gate", PoolLimits()
    work = [
        asyncio.create_task(pool.run(pool_jobs.wait_for, str(gate), caller=f"caller {number}", advice=""))
        for number in range(limits.processes + limits.queue)
    ]
    await asyncio.sleep(0)
    yield
    gate.touch()
    await asyncio.gather(*work)


class TestQueue:
    async def test_when_it_is_full_each_route_says_so(
        self,
        author: httpx.AsyncClient,
        made: PublishedTest,
        held: HeldExam,
        parts: Components,
        tmp_path: Path,
    ) -> None:
        async def import_sheet() -> httpx.Response:
            return await author.post("/questions/import", files={"file": ("q.csv", SHEET)})

        async def import_answers() -> httpx.Response:
            return await send_sheets(author, held, sheet_file(["R1", "a"]))

        async def print_paper() -> httpx.Response:
            return await author.get(f"{made.path}/print")

        async def upload() -> httpx.Response:
            return await send(author, new_image())

        routes: list[Ask] = [import_sheet, import_answers, print_paper, upload]
        async with all_places_taken(parts.files, tmp_path):
            refused = [await ask() for ask in routes]
            assert (await author.get("/time")).status_code == 200
        assert [answer.status_code for answer in refused] == [503] * 4
        assert {answer.headers["retry-after"] for answer in refused} == {"10"}
        assert {answer.json()["code"] for answer in refused} == {"unavailable"}
        assert [(await ask()).status_code for ask in routes] == [200, 200, 200, 201]


class TestWaiting:
    async def test_an_exam_can_be_steered_meanwhile_and_is_then_read_again(
        self, author: httpx.AsyncClient, held: HeldExam, parts: Components, tmp_path: Path
    ) -> None:
        """Nothing is locked while a file of answer sheets waits and is read; what changed is seen then."""
        gate = tmp_path / "gate"
        work = [
            asyncio.create_task(parts.files.run(pool_jobs.wait_for, str(gate), caller=number, advice=""))
            for number in range(PoolLimits().processes)
        ]
        importing = asyncio.create_task(send_sheets(author, held, sheet_file(["R1", "a"])))
        assert await asyncio.to_thread(wait_for, lambda: parts.files.waiting == 1, timeout=PATIENCE)
        cancelled = await author.post(f"{held.path}/cancel", json={"reason": "Flood"})
        gate.touch()
        await asyncio.gather(*work)
        assert cancelled.status_code == 200, cancelled.text
        answer = await importing
        assert (answer.status_code, answer.json()["code"]) == (409, "not_possible")


class TestLimits:
    async def test_a_sheet_that_takes_too_long(self, uow: UnitOfWork) -> None:
        """The reading process ends; what it would have read never comes into this one."""
        sheet = SHEET + b"Polity,Which?,x,y,a\n" * 19_999
        pool = ProcessPool(PoolLimits(processes=1, memory_bytes=150_000_000))
        with pytest.raises(TooComplex, match="Split the file"):
            await questions.import_questions(uow, operator(), sheet, files=pool)
        pool.close()

    async def test_an_image_that_needs_too_much(self, uow: UnitOfWork, parts: Components) -> None:
        pool = ProcessPool(PoolLimits(processes=1, memory_bytes=100_000_000))
        with pytest.raises(UnusableImage, match="more memory"):
            await media.encoded_anew(large_png(), operator(), pool)
        pool.close()

    async def test_a_paper_that_takes_too_long(self, parts: Components) -> None:
        pool = ProcessPool(PoolLimits(processes=1, seconds=1))
        with pytest.raises(TooComplex, match="Shorten the longest texts"):
            await tests.pdf(winding_paper(), parts.media, pool, operator(), NOW)
        pool.close()
        job = PrintJob(orjson.dumps(document(([printed_question(1)], {}))), None, "en", False)
        pdf = await tests.pdf(Printout(job, [], "x.pdf"), parts.media, parts.files, operator(), NOW)
        assert pdf.startswith(b"%PDF")


def large_png() -> bytes:
    return encoded(Image.new("L", (6_000, 6_000)))


def winding_paper() -> Printout:
    """Two hundred questions, each with a table of two thousand cells."""
    table = "|a" * 19 + "\n" + "|-" * 19 + "\n" + ("|b" * 19 + "\n") * 100
    asked = [printed_question(number, text={"en": table}) for number in range(1, 201)]
    return Printout(PrintJob(orjson.dumps(document((asked, {}))), None, "en", False), [], "x.pdf")


def request_of(*messages: dict[str, Any]) -> Request:
    waiting = list(messages)

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    return Request({"type": "http", "method": "GET", "headers": []}, receive)


class TestWhileConnected:
    async def test_the_result_of_the_work(self) -> None:
        async def work() -> str:
            await asyncio.sleep(0)
            return "done"

        body = {"type": "http.request", "body": b"", "more_body": False}
        assert await while_connected(request_of(body), work()) == "done"

    async def test_nobody_works_for_a_client_that_has_gone(self, parts: Components) -> None:
        """The child that worked for it is free for the next."""
        asked = parts.files.run(pool_jobs.wait_for_ever, caller="gone", advice="")
        with pytest.raises(ClientDisconnect):
            await while_connected(request_of({"type": "http.disconnect"}), asked)
        assert await parts.files.run(pool_jobs.add, 1, 2, caller="gone", advice="") == 3

    async def test_what_the_work_raises(self) -> None:
        async def work() -> None:
            raise TooComplex("no")

        with pytest.raises(TooComplex):
            await while_connected(request_of(), work())
