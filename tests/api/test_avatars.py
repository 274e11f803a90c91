"""Avatars: square pictures without metadata, seen by their person and by staff."""

import asyncio

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.avatars import MAX_BYTES, SIDE
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import until_blocking
from tests.builders.exams import body_of
from tests.builders.images import camera_exif, decoded, encoded, halves, new_image, noise, png_header
from tests.builders.people import People, user_id_of


async def upload(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    return await client.put("/users/avatar", files={"file": ("me.exe", content)})


class TestChange:
    async def test_the_middle_is_kept_as_a_plain_square(self, candidate: httpx.AsyncClient) -> None:
        pictures: list[tuple[object, dict[str, object]]] = [
            (halves(), {}),
            (halves("RGBA", (20, 90)), {}),
            (halves("L"), {}),
            (halves(), {"kind": "JPEG", "exif": camera_exif(orientation=6)}),
            (halves(), {"kind": "WEBP"}),
        ]
        for image, options in pictures:
            profile = body_of(await upload(candidate, encoded(image, **options)))  # type: ignore[arg-type]
            url = profile["avatar_url"].removeprefix("/v1")
            assert url.startswith(f"/users/{profile['id']}/avatar?v="), image
            shown = await candidate.get(url)
            assert shown.headers["Content-Type"] == "image/jpeg", image
            kept = decoded(shown.content)
            assert (kept.format, kept.size, dict(kept.getexif())) == ("JPEG", (SIDE, SIDE), {}), image
            assert b"SecretCamera" not in shown.content, image

    async def test_other_files_are_refused(self, candidate: httpx.AsyncClient) -> None:
        for content, status in [
            (b"<script>alert(1)</script>", 422),
            (b"", 422),
            (encoded(halves())[:80], 422),
            (png_header(100_000, 100_000), 422),
            (b"x" * (MAX_BYTES + 1), 413),
        ]:
            assert (await upload(candidate, content)).status_code == status, content[:20]
            assert body_of(await candidate.get("/users/profile"))["avatar_url"] is None, content[:20]

    async def test_a_new_picture_has_another_address_and_replaces_the_old_one(
        self, candidate: httpx.AsyncClient
    ) -> None:
        first = body_of(await upload(candidate, encoded(noise(40))))["avatar_url"]
        second = body_of(await upload(candidate, encoded(noise(40))))["avatar_url"]
        assert first != second
        shown = await candidate.get(second.removeprefix("/v1"))
        again = await candidate.get(
            second.removeprefix("/v1"), headers={"If-None-Match": shown.headers["ETag"]}
        )
        assert again.status_code == 304

    async def test_the_file_and_its_address_change_together(
        self, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        url = body_of(await upload(candidate, new_image()))["avatar_url"].removeprefix("/v1")
        before = (await candidate.get(url)).content
        async with unit_of_work(engine) as uow:
            await uow.users.lock(await user_id_of(candidate))
            changing = asyncio.create_task(upload(candidate, encoded(halves())))
            await until_blocking(engine, uow)
            during = (await candidate.get(url)).content
        profile = body_of(await changing)
        assert during == before
        assert (await candidate.get(profile["avatar_url"].removeprefix("/v1"))).content != before

    async def test_removing_is_repeatable(self, candidate: httpx.AsyncClient) -> None:
        url = body_of(await upload(candidate, new_image()))["avatar_url"].removeprefix("/v1")
        for _ in range(2):
            assert (await candidate.delete("/users/avatar")).status_code == 204
        assert (await candidate.get(url)).status_code == 404
        assert body_of(await candidate.get("/users/profile"))["avatar_url"] is None


class TestWhoMaySee:
    async def test_the_person_and_staff(
        self, people: People, candidate: httpx.AsyncClient, author: httpx.AsyncClient, api: httpx.AsyncClient
    ) -> None:
        url = body_of(await upload(candidate, new_image()))["avatar_url"].removeprefix("/v1")
        other = await people.candidate()
        statuses = [(await client.get(url)).status_code for client in (candidate, author, other, api)]
        assert statuses == [200, 200, 404, 401]

    async def test_nobody_where_the_address_is_elsewhere(self, candidate: httpx.AsyncClient) -> None:
        body_of(await upload(candidate, new_image()))
        elsewhere = {"avatar_url": "https://pictures.example.org/me.png"}
        body_of(await candidate.put("/users/profile", json=elsewhere))
        assert (await candidate.get(f"/users/{await user_id_of(candidate)}/avatar")).status_code == 404
