"""`Idempotency-Key`: a request that is sent again is answered again and not carried out again."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import Conflict
from app.core.idempotency import KeyedRequest, ResponseNotStored, StoredResponse
from app.models import DEFAULT_INSTITUTE_ID, KeptResponse, Subject
from app.services import idempotency
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.workers.loops import Housekeeping
from tests.api.document import openapi_document
from tests.api.idempotency_table import HARMLESS, KEYED
from tests.builders.exams import body_of
from tests.builders.people import People
from tests.conftest import ROOT, TestClock
from tests.two_connections import alone, overlap

pytestmark = pytest.mark.anyio

WINDOW = {"opens_at": "2090-01-01T04:00:00Z", "closes_at": "2090-01-01T08:00:00Z"}
NOW, DAY = datetime(2026, 5, 24, 12, tzinfo=UTC), timedelta(days=1)
ANSWER = StoredResponse(201, "application/json", b"{}")
PATHS: dict[str, Any] = openapi_document()["paths"]
POSTS = {path: item["post"] for path, item in PATHS.items() if "post" in item}


def keyed(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or uuid4().hex}


def new_subject(name: str = "Polity") -> dict[str, Any]:
    return {"slug": f"s-{uuid4().hex}", "name": name}


class TestTable:
    def test_every_post_is_in_one_group(self) -> None:
        assert POSTS.keys() - KEYED - HARMLESS.keys() == set(), "decide what a second call does"
        assert (KEYED | HARMLESS.keys()) - POSTS.keys() == set()
        assert KEYED & HARMLESS.keys() == set()

    def test_these_take_a_key_and_no_others(self) -> None:
        taking = {path for path, post in POSTS.items() if "Idempotency-Key" in str(post.get("parameters"))}
        assert taking == KEYED

    def test_the_page_for_clients_lists_them(self) -> None:
        page = (ROOT / "docs" / "api.md").read_text()
        sentence = page.partition("These take a key:")[2].partition("All others")[0]
        ends = {name.removeprefix("…") for name in re.findall(r"`([^`]*/[^`]*)`", sentence)}
        paths = {re.sub(r"\{\w+_id\}", "{id}", path) for path in KEYED}
        assert {end for end in ends if not any(path.endswith(end) for path in paths)} == set()
        assert {path for path in paths if not path.endswith(tuple(ends))} == set()

    def test_their_problems_are_documented(self) -> None:
        for path in KEYED:
            assert "`idempotency_key_reused`" in POSTS[path]["responses"]["422"]["description"]
            assert "`answer_not_kept`" in POSTS[path]["responses"]["409"]["description"]


class TestRepeatedRequests:
    async def test_the_first_answer_comes_again(self, author: httpx.AsyncClient) -> None:
        headers, body = keyed(), {"title": "Mock", **WINDOW}
        first = await author.post("/exams", json=body, headers=headers)
        second = await author.post("/exams", json=body, headers=headers)
        assert (first.status_code, second.status_code) == (201, 201)
        assert second.content == first.content
        assert second.headers["Content-Type"] == first.headers["Content-Type"]
        assert "Idempotency-Replayed" not in first.headers
        assert second.headers["Idempotency-Replayed"] == "true"

    async def test_without_a_key_there_are_two(self, author: httpx.AsyncClient) -> None:
        answers = [await author.post("/exams", json={"title": "Mock", **WINDOW}) for _ in range(2)]
        assert len({body_of(answer, 201)["id"] for answer in answers}) == 2

    async def test_another_status_than_201_is_kept_too(self, author: httpx.AsyncClient) -> None:
        sheet = f"subject,question,option_a,option_b,key\nPolity,{uuid4().hex}?,A,B,a\n".encode()
        headers = keyed()
        answers = [
            await author.post("/questions/import", files={"file": sheet}, headers=headers) for _ in range(2)
        ]
        assert [body_of(answer)["created"] for answer in answers] == [1, 1]

    async def test_a_form_has_a_new_boundary_at_each_try(self, author: httpx.AsyncClient) -> None:
        """The contents are compared, so that a client may build the form again."""
        sheet, headers = b"subject,question,option_a,option_b,key\nPolity,Which?,A,B,a\n", keyed()
        for boundary in ("one", "two"):
            content_type = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
            answer = await author.post(
                "/questions/import",
                data={"dry_run": "true"},
                files={"file": sheet},
                headers=headers | content_type,
            )
            assert answer.status_code == 200
        for form, file in (("true", sheet + b"Polity,Who?,A,B,a\n"), ("false", sheet)):
            changed = await author.post(
                "/questions/import", data={"dry_run": form}, files={"file": file}, headers=headers
            )
            assert body_of(changed, 422)["code"] == "idempotency_key_reused"


class TestOtherRequests:
    async def test_another_body_is_refused(self, author: httpx.AsyncClient) -> None:
        headers = keyed()
        body_of(await author.post("/exams", json={"title": "One", **WINDOW}, headers=headers), 201)
        other = await author.post("/exams", json={"title": "Two", **WINDOW}, headers=headers)
        assert body_of(other, 422)["code"] == "idempotency_key_reused"

    async def test_another_address_is_refused(self, author: httpx.AsyncClient) -> None:
        headers, subject = keyed(), body_of(await author.post("/subjects", json=new_subject()), 201)
        body = new_subject()
        body_of(await author.post("/subjects", json=body, headers=headers), 201)
        other = await author.post(f"/subjects/{subject['id']}/chapters", json=body, headers=headers)
        assert body_of(other, 422)["code"] == "idempotency_key_reused"

    async def test_another_person_s_key_is_another_key(
        self, author: httpx.AsyncClient, people: People
    ) -> None:
        headers, body = keyed(), {"title": "Mock", **WINDOW}
        other = await people.member("author")
        ids = [
            body_of(await person.post("/exams", json=body, headers=headers), 201)["id"]
            for person in (author, other)
        ]
        assert ids[0] != ids[1]

    async def test_an_error_is_not_kept(self, author: httpx.AsyncClient) -> None:
        """A client that corrects its request may use the key again."""
        headers, taken = keyed(), new_subject()
        await author.post("/subjects", json=taken)
        assert (await author.post("/subjects", json=taken, headers=headers)).status_code == 409
        assert (await author.post("/subjects", json={"slug": 1}, headers=headers)).status_code == 422
        assert (await author.post("/subjects", json=new_subject(), headers=headers)).status_code == 201

    async def test_who_has_lost_the_right_gets_no_answer(
        self, people: People, admin: httpx.AsyncClient
    ) -> None:
        author = await people.member("author")
        headers, body = keyed(), {"title": "Mock", **WINDOW}
        body_of(await author.post("/exams", json=body, headers=headers), 201)
        me = body_of(await author.get("/auth/me"))["id"]
        body_of(await admin.put(f"/users/{me}/role", json={"role": "student"}))
        assert (await author.post("/exams", json=body, headers=headers)).status_code == 403

    async def test_a_key_is_1_to_255_visible_characters(self, author: httpx.AsyncClient) -> None:
        for key in ["", " ", "a b", "k" * 256, "clé", "a\x7fb"]:
            headers = [(b"Idempotency-Key", key.encode("latin-1"))]
            answer = await author.post("/exams", json={"title": "Mock", **WINDOW}, headers=headers)
            assert [error["field"] for error in body_of(answer, 422)["errors"]] == ["Idempotency-Key"], key

    async def test_two_keys_are_none(self, author: httpx.AsyncClient) -> None:
        headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
        answer = await author.post("/exams", json={"title": "Mock", **WINDOW}, headers=headers)
        assert [error["field"] for error in body_of(answer, 422)["errors"]] == ["Idempotency-Key"]


class TestConcurrentRequests:
    async def test_ten_at_once_make_one(self, author: httpx.AsyncClient) -> None:
        headers, body = keyed(), {"title": "Mock", **WINDOW}
        posts = [author.post("/exams", json=body, headers=headers) for _ in range(8)]
        answers = await asyncio.gather(*posts)
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1

    async def test_the_second_waits_for_the_first(self, engine: AsyncEngine, request_: KeyedRequest) -> None:
        async def first(uow: UnitOfWork) -> None:
            assert await idempotency.find_response(uow, request_, NOW) is None
            await idempotency.keep_response(uow, request_, ANSWER, NOW)

        async def second(uow: UnitOfWork) -> StoredResponse | None:
            return await idempotency.find_response(uow, request_, NOW)

        both = await overlap(engine, first, second)
        assert (both.waited, both.first.error, both.second.result()) == (True, None, ANSWER)

    async def test_the_second_is_carried_out_if_the_first_fails(
        self, engine: AsyncEngine, request_: KeyedRequest
    ) -> None:
        async def first(uow: UnitOfWork) -> None:
            await idempotency.find_response(uow, request_, NOW)
            await idempotency.keep_response(uow, request_, ANSWER, NOW)
            raise Conflict("no")

        async def second(uow: UnitOfWork) -> StoredResponse | None:
            return await idempotency.find_response(uow, request_, NOW)

        assert (await alone(engine, first)).code == "conflict"
        assert (await alone(engine, second)).result() is None


class TestOneTransaction:
    async def test_a_commit_that_fails_leaves_neither(
        self, engine: AsyncEngine, author: httpx.AsyncClient
    ) -> None:
        """One commit makes the thing and keeps the answer, so that there is never one without the other."""
        headers, body = keyed(), new_subject()
        async with failing_commits(engine):
            assert (await author.post("/subjects", json=body, headers=headers)).status_code == 503
        async with engine.connect() as connection:
            kept = select(func.count()).where(KeptResponse.key == headers["Idempotency-Key"])
            made = select(func.count()).where(Subject.slug == body["slug"])
            assert (await connection.scalar(kept), await connection.scalar(made)) == (0, 0)
        again = [await author.post("/subjects", json=body, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in again] == [201, 201]


@asynccontextmanager
async def failing_commits(engine: AsyncEngine) -> AsyncIterator[None]:
    """Transactions that keep an answer fail at their commit, as if the server stopped there."""
    stop = (
        "create function ias.fail_commit() returns trigger language plpgsql as"
        " $$ begin raise exception 'stopped' using errcode = '57P01'; end $$"
    )
    at_commit = (
        "create constraint trigger fail_commit after insert on ias.kept_answers"
        " deferrable initially deferred for each row execute function ias.fail_commit()"
    )
    async with engine.begin() as connection:
        await connection.execute(text(stop))
        await connection.execute(text(at_commit))
    yield
    async with engine.begin() as connection:
        await connection.execute(text("drop function ias.fail_commit cascade"))


class TestKeeping:
    async def test_an_answer_is_kept_for_a_day(self, uow: UnitOfWork, request_: KeyedRequest) -> None:
        await idempotency.keep_response(uow, request_, ANSWER, NOW)
        almost, later = NOW + DAY - timedelta(seconds=1), NOW + DAY
        assert await idempotency.find_response(uow, request_, almost) == ANSWER
        assert await idempotency.find_response(uow, request_, later) is None
        other = StoredResponse(200, "text/plain", b"other")
        await idempotency.keep_response(uow, request_, other, later)
        uow.session.expire_all()
        assert await idempotency.find_response(uow, request_, later) == other

    async def test_a_large_answer_is_not_kept_and_nothing_is_done_twice(
        self, uow: UnitOfWork, request_: KeyedRequest
    ) -> None:
        largest, larger = replace(request_, key="largest"), replace(request_, key="larger")
        whole = StoredResponse(201, "text/plain", b"a" * idempotency.MAX_RESPONSE_BYTES)
        await idempotency.keep_response(uow, largest, whole, NOW)
        await idempotency.keep_response(uow, larger, replace(whole, content=whole.content + b"a"), NOW)
        assert await idempotency.find_response(uow, largest, NOW) == whole
        with pytest.raises(ResponseNotStored) as told:
            await idempotency.find_response(uow, larger, NOW)
        assert told.value.members == {"first_status": 201}

    async def test_old_ones_are_deleted_by_the_worker(
        self, engine: AsyncEngine, request_: KeyedRequest, clock: TestClock
    ) -> None:
        clock.stop_entirely()
        times = {"old": clock.now() - DAY - timedelta(seconds=1), "new": clock.now() - DAY}
        async with unit_of_work(engine) as uow:
            for key, at in times.items():
                await idempotency.keep_response(uow, replace(request_, key=key), ANSWER, at)
        await Housekeeping(engine, clock, timedelta()).delete_old()
        async with engine.connect() as connection:
            kept = select(KeptResponse.key).where(KeptResponse.user_id == request_.user_id)
            assert (await connection.scalars(kept)).all() == ["new"]


@pytest.fixture
async def request_(people: People) -> KeyedRequest:
    """A request of a person."""
    me = body_of(await (await people.candidate()).get("/auth/me"))["id"]
    return KeyedRequest(DEFAULT_INSTITUTE_ID, UUID(me), uuid4().hex, b"the request")
