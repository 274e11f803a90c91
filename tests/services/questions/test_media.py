"""Keeping images: once, and with their bytes before their row."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import Invalid, NotFound, Unavailable
from app.core.storage import S3Access, Storage
from app.services.components import Components
from app.services.questions import media
from app.services.questions.media import Upload
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import operator
from devservers.network import free_port
from tests.builders.attempts import until_blocking
from tests.builders.images import encoded, new_image, noise

AUTHOR = operator()


def unreachable() -> Storage:
    access = S3Access(f"http://127.0.0.1:{free_port()}", key_id="key", secret="secret")
    return Storage("s3://images", access)


class TestUpload:
    async def test_two_who_send_the_same_at_once(self, engine: AsyncEngine, parts: Components) -> None:
        content = new_image()

        async def upload_apart() -> Upload:
            async with unit_of_work(engine) as uow:
                return await media.upload(uow, parts.media, AUTHOR, content)

        async with unit_of_work(engine) as uow:
            first = await media.upload(uow, parts.media, AUTHOR, content)
            uploading = asyncio.create_task(upload_apart())
            await until_blocking(engine, uow)
        second = await uploading
        assert (first.is_new, second.is_new) == (True, False)
        assert first.media.id == second.media.id

    async def test_without_storage_there_is_no_row(self, uow: UnitOfWork, parts: Components) -> None:
        content = new_image()
        with pytest.raises(Unavailable):
            await media.upload(uow, unreachable(), AUTHOR, content)
        assert (await media.upload(uow, parts.media, AUTHOR, content)).is_new

    async def test_what_is_known_needs_no_storage(self, uow: UnitOfWork, parts: Components) -> None:
        content = new_image()
        first = await media.upload(uow, parts.media, AUTHOR, content)
        assert (await media.upload(uow, unreachable(), AUTHOR, content)).media.id == first.media.id

    async def test_what_grows_beyond_the_limit_is_refused(
        self, uow: UnitOfWork, parts: Components, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Noise that was pressed hard takes many times the room when it is kept well."""
        monkeypatch.setattr(media, "MAX_BYTES", media.MAX_BYTES // 16)
        pressed = encoded(noise(1050), "JPEG", quality=20)
        assert len(pressed) < media.MAX_BYTES
        with pytest.raises(Invalid, match="encoded anew"):
            await media.upload(uow, parts.media, AUTHOR, pressed)


class TestStored:
    async def test_bytes_that_were_lost_are_not_found(self, uow: UnitOfWork, parts: Components) -> None:
        kept = await media.upload(uow, parts.media, AUTHOR, new_image())
        elsewhere = Storage(parts.settings.media_url + "/elsewhere")  # type: ignore[operator] # tests set it
        assert b"".join([piece async for piece in await parts.media.read(media.key_of(kept.media))])
        with pytest.raises(NotFound):
            await elsewhere.read(media.key_of(kept.media))
