"""Images over HTTP: what is taken, and who may see it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.storage import CHUNK_BYTES, S3Access, Storage
from app.database import create_engine
from app.models import Attempt, QuestionVersion, User
from app.services.components import Components
from app.services.questions import media
from app.services.questions.media import MAX_BYTES
from app.services.tests import SectionDraft
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start
from tests.builders.content import PublishedTest, add_passage, add_questions, publish_test
from tests.builders.images import (
    SCRIPT,
    camera_exif,
    decoded,
    encoded,
    new_image,
    noise,
    png_header,
    send,
    uploaded,
)
from tests.builders.people import People, add_stranger
from tests.waiting import PATIENCE

Json = dict[str, Any]


async def publish_with(engine: AsyncEngine, media_id: str, *, in_passage: bool = False) -> PublishedTest:
    """A published test whose one question, or its passage, shows an image."""
    async with unit_of_work(engine) as uow:
        ids = await add_questions(uow, [["a"]])
        values: Json = {"media": [media_id]}
        if in_passage:
            values = {"passage_id": (await add_passage(uow, media=[media_id])).id}
        await uow.session.execute(
            update(QuestionVersion).where(QuestionVersion.question_id == ids[0]).values(**values)
        )
        return await publish_test(uow, sections=[SectionDraft({"en": "Paper"}, ids)])


class TestUpload:
    async def test_it_comes_back_as_described(self, author: httpx.AsyncClient) -> None:
        made = await uploaded(author)
        assert (made["content_type"], made["width"], made["height"]) == ("image/png", 40, 20)
        assert made["url"] == f"/v1/media/{made['id']}"
        fetched = await author.get(f"/media/{made['id']}")
        assert len(fetched.content) == made["size_bytes"]
        assert decoded(fetched.content).size == (40, 20)

    async def test_the_same_image_is_kept_once(self, author: httpx.AsyncClient) -> None:
        content = new_image()
        first, second = await send(author, content), await send(author, content, name="another.jpg")
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json() == second.json()

    @pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
    async def test_what_we_served_is_taken_back_as_the_same(
        self, author: httpx.AsyncClient, kind: str
    ) -> None:
        """An export that is imported again changes nothing, though encoding anew would change a pixel."""
        made = await uploaded(author, new_image(kind, quality=60))
        again = await send(author, (await author.get(f"/media/{made['id']}")).content)
        assert (again.status_code, again.json()) == (200, made)

    async def test_the_type_is_what_the_content_says(self, author: httpx.AsyncClient) -> None:
        answer = await send(author, new_image("JPEG"), name="photo.html")
        assert answer.json()["content_type"] == "image/jpeg"
        for disguised in (b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT, SCRIPT, b""):
            refused = await send(author, disguised)
            assert refused.status_code == 422
            assert [error["field"] for error in refused.json()["errors"]] == ["file"]

    async def test_where_it_was_taken_stays_with_the_author(self, author: httpx.AsyncClient) -> None:
        made = await uploaded(author, new_image("JPEG", exif=camera_exif(orientation=6)))
        fetched = await author.get(f"/media/{made['id']}")
        assert (made["width"], made["height"]) == (20, 40)
        assert b"SecretCamera" not in fetched.content

    async def test_limits(self, author: httpx.AsyncClient) -> None:
        large = await send(author, new_image() + b"\0" * MAX_BYTES)
        assert (large.status_code, large.json()["limit_bytes"]) == (413, MAX_BYTES)
        bomb = await send(author, png_header(50_000, 50_000))
        assert bomb.status_code == 422
        assert "million pixels" in bomb.json()["detail"]

    async def test_only_authors_send(self, people: People) -> None:
        for role in ["student", "evaluator", "proctor"]:
            assert (await send(await people.member(role), new_image())).status_code == 403, role

    async def test_a_file_is_needed(self, author: httpx.AsyncClient) -> None:
        assert (await author.post("/media", json={})).status_code == 422
        assert (await author.post("/media", data={"file": "text"})).status_code == 422

    async def test_each_institute_has_its_own(
        self, author: httpx.AsyncClient, admin: httpx.AsyncClient, engine: AsyncEngine, parts: Components
    ) -> None:
        content = new_image()
        ours = await uploaded(author, content)
        async with unit_of_work(engine) as uow:
            theirs = await media.upload(uow, parts.media, await add_stranger(uow), content)
        assert theirs.is_new
        assert theirs.media.sha256 == await digest(author, ours)
        for client in (author, admin):
            assert (await client.get(f"/media/{theirs.media.id}")).status_code == 404


async def digest(author: httpx.AsyncClient, image: Json) -> str:
    return str((await author.get(f"/media/{image['id']}")).headers["etag"]).strip('"')


@dataclass(frozen=True)
class Hall:
    """An image in a paper, and everybody who may want to see it."""

    image: Json
    made: PublishedTest
    other: PublishedTest
    clients: dict[str, httpx.AsyncClient]


@pytest.fixture(scope="module", params=["question", "passage"])
async def hall(
    request: pytest.FixtureRequest, people: People, author: httpx.AsyncClient, engine: AsyncEngine
) -> AsyncIterator[Hall]:
    image = await uploaded(author)
    made = await publish_with(engine, image["id"], in_passage=request.param == "passage")
    async with unit_of_work(engine) as uow:
        other = await publish_test(uow)
    sitting = await start(await people.candidate(), made)
    elsewhere = await start(await people.candidate(), other)
    void = await start(await people.candidate(), made)
    banned = await start(await people.candidate(), made)
    async with unit_of_work(engine) as uow:
        await uow.session.execute(update(Attempt).where(Attempt.id == void.id).values(status="void"))
        theirs = (await uow.session.get_one(Attempt, banned.id)).user_id
        await uow.session.execute(update(User).where(User.id == theirs).values(active=False))
    async with AsyncExitStack() as stack:

        async def holder(token: str | None) -> httpx.AsyncClient:
            return await stack.enter_async_context(people.client(token))

        yield Hall(
            image,
            made,
            other,
            {
                "nobody": await holder(None),
                "author": author,
                "evaluator": await people.member("evaluator"),
                "admin": await people.member("admin"),
                "proctor": await people.member("proctor"),
                "candidate without attempt": await people.candidate(),
                "candidate with attempt": sitting.client,
                "candidate with another attempt": elsewhere.client,
                "candidate with a void attempt": void.client,
                "attempt token": await holder(sitting.attempt["attempt_token"]),
                "attempt token of another test": await holder(elsewhere.attempt["attempt_token"]),
                "attempt token of a void attempt": await holder(void.attempt["attempt_token"]),
                "attempt token of the banned": await holder(banned.attempt["attempt_token"]),
            },
        )


MAY_SEE = {
    "nobody": 401,
    "author": 200,
    "evaluator": 200,
    "admin": 200,
    "proctor": 404,
    "candidate without attempt": 404,
    "candidate with attempt": 200,
    "candidate with another attempt": 404,
    "candidate with a void attempt": 404,
    "attempt token": 200,
    "attempt token of another test": 404,
    "attempt token of a void attempt": 404,
    "attempt token of the banned": 404,
}


class TestWhoSees:
    async def test_an_image_of_a_paper(self, hall: Hall) -> None:
        unchanged = {"If-None-Match": await etag(hall)}
        for who, status in MAY_SEE.items():
            answer = await hall.clients[who].get(f"/media/{hall.image['id']}")
            assert answer.status_code == status, who
            known = await hall.clients[who].get(f"/media/{hall.image['id']}", headers=unchanged)
            assert known.status_code == (304 if status == 200 else status), who

    async def test_what_is_not_there_looks_like_what_one_may_not_see(self, hall: Hall) -> None:
        client = hall.clients["candidate without attempt"]
        hidden = (await client.get(f"/media/{hall.image['id']}")).json()
        absent = (await client.get(f"/media/{uuid4()}")).json()
        assert hidden | {"request_id": ""} == absent | {"request_id": ""}

    async def test_an_image_of_no_paper_is_for_the_bank_alone(
        self, hall: Hall, author: httpx.AsyncClient
    ) -> None:
        image = await uploaded(author)
        for who in ("candidate with attempt", "attempt token"):
            assert (await hall.clients[who].get(f"/media/{image['id']}")).status_code == 404

    async def test_a_token_opens_nothing_else_that_its_owner_may_see(
        self, hall: Hall, people: People
    ) -> None:
        candidate = hall.clients["candidate with attempt"]
        other = await start(candidate, hall.other)
        async with people.client(other.attempt["attempt_token"]) as holder:
            assert (await holder.get(f"/media/{hall.image['id']}")).status_code == 404
        assert (await candidate.get(f"/media/{hall.image['id']}")).status_code == 200

    async def test_an_attempt_goes_on_seeing_the_images_of_its_version(
        self, people: People, author: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        old, new = await uploaded(author), await uploaded(author)
        made = await publish_with(engine, old["id"])
        early = await start(await people.candidate(), made)
        async with unit_of_work(engine) as uow:
            ids = await add_questions(uow, [["a"]])
            changed = update(QuestionVersion).where(QuestionVersion.question_id == ids[0])
            await uow.session.execute(changed.values(media=[new["id"]]))
        sections = [{"name": "Paper", "question_ids": [str(ids[0])]}]
        assert (await author.patch(made.path, json={"sections": sections})).status_code == 200
        assert (await author.post(f"{made.path}/publish")).status_code == 200
        late = await start(await people.candidate(), made)
        seen = [
            (await sitting.client.get(f"/media/{image['id']}")).status_code
            for sitting in (early, late)
            for image in (old, new)
        ]
        assert seen == [200, 404, 404, 200]


async def etag(hall: Hall) -> str:
    return str((await hall.clients["author"].get(f"/media/{hall.image['id']}")).headers["etag"])


class TestServed:
    async def test_headers_that_a_browser_cannot_misread(
        self, author: httpx.AsyncClient, parts: Components
    ) -> None:
        image = await uploaded(author)
        answer = await author.get(f"/media/{image['id']}", headers={"Origin": "https://evil.example"})
        headers = answer.headers
        assert headers["content-type"] == "image/png"
        assert headers["content-length"] == str(image["size_bytes"])
        assert headers["cache-control"] == "private, max-age=31536000, immutable"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-disposition"] == "inline"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "access-control-allow-origin" not in headers

    async def test_a_large_image_arrives_whole(self, author: httpx.AsyncClient) -> None:
        sent = noise(400)
        image = await uploaded(author, encoded(sent))
        assert image["size_bytes"] > 4 * CHUNK_BYTES
        fetched = (await author.get(f"/media/{image['id']}")).content
        assert decoded(fetched).tobytes() == sent.tobytes()

    async def test_a_storage_that_is_silent_holds_no_connection(
        self, app: FastAPI, author: httpx.AsyncClient, parts: Components
    ) -> None:
        """Answers are saved while nobody gets an image."""
        image, asked = await uploaded(author), asyncio.Event()

        async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await reader.read()
            writer.close()

        async with await asyncio.start_server(say_nothing, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            access = S3Access(f"http://127.0.0.1:{port}", key_id="key", secret="secret")
            small = create_engine(parts.settings, pool_size=1, pool_timeout=2)
            app.state.components = replace(parts, engine=small, media=Storage("s3://images", access))
            try:
                fetching = asyncio.create_task(author.get(f"/media/{image['id']}"))
                async with asyncio.timeout(PATIENCE):
                    await asked.wait()
                    assert (await author.get("/passages")).status_code == 200
                assert not fetching.done()
                fetching.cancel()
            finally:
                app.state.components = parts
        await small.dispose()

    async def test_the_paper_says_where_it_is(self, hall: Hall) -> None:
        client = hall.clients["candidate with attempt"]
        paper = (await client.get(f"{hall.made.path}/questions")).json()
        shown = [*paper["questions"][0]["media"], *(each for p in paper["passages"] for each in p["media"])]
        expected = {name: hall.image[name] for name in ("id", "content_type", "width", "height", "url")}
        assert shown == [expected]
        address = client.base_url.copy_with(path=shown[0]["url"])
        assert (await client.get(address)).status_code == 200
