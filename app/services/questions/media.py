"""Images: taken from authors, kept by their content, shown to those who may see the paper."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.errors import FieldError, Invalid, NotFound, TooComplex, TooLarge
from app.core.ids import uuid7
from app.core.images import EncodedImage, UnusableImage, encode_anew
from app.core.process_pool import ProcessPool
from app.core.storage import Storage
from app.models import Media, Role
from app.sentences import Sentence
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal

MAX_BYTES = 5_000_000

_TOO_MUCH_ANYWAY = Sentence("Make the image smaller, or save it anew as PNG or JPEG.")


@dataclass(frozen=True, slots=True)
class Upload:
    """An image that somebody sent, and whether it was new."""

    media: Media
    is_new: bool


async def upload(
    uow: UnitOfWork, storage: Storage, author: Principal, content: bytes, files: ProcessPool | None = None
) -> Upload:
    """Keep an image. Who sends the same again gets the same; so does who sends what we served.

    It is decoded in a process of `files`, or for lack of one in this process.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge(MAX_BYTES)
    try:
        image = await encoded_anew(content, author, files)
    except UnusableImage as error:
        raise Invalid.field("file", str(error)) from error
    # What we once encoded would be another image if it were encoded once more.
    digests = [hashlib.sha256(content).hexdigest(), image.sha256]
    if known := await uow.media.known(author.institute_id, digests):
        return Upload(known, is_new=False)
    # First the bytes, then the row: a row without bytes would be a broken image.
    await storage.put(_key(author.institute_id, image.sha256), image.content)
    is_new = await uow.media.add(
        id=uuid7(),
        institute_id=author.institute_id,
        sha256=image.sha256,
        content_type=image.content_type,
        size_bytes=len(image.content),
        width=image.width,
        height=image.height,
        created_by=author.author_id,
    )
    return Upload(_found(await uow.media.known(author.institute_id, [image.sha256])), is_new)


async def find(reads: Reading, user: Principal, media_id: UUID) -> Media:
    """An image, for who works on the bank or sat a paper that shows it."""
    if user.is_any(Role.AUTHOR, Role.EVALUATOR):
        return _found(await reads.media.get(user.institute_id, media_id))
    return _found(await reads.media.shown_to(user.id, media_id))


async def find_in_attempt(reads: Reading, user_id: UUID, attempt_id: UUID, media_id: UUID) -> Media:
    """An image of the paper of one attempt."""
    return _found(await reads.media.shown_to(user_id, media_id, attempt_id))


async def check_exist(reads: Reading, institute_id: UUID, media_ids: Sequence[str]) -> list[FieldError]:
    """What is wrong with the `media` of a question or passage: images that the institute does not have."""
    if not media_ids:
        return []
    existing = await reads.media.existing(institute_id, [UUID(media_id) for media_id in media_ids])
    return [
        FieldError(f"media.{place}", "There is no such image. Upload it first.")
        for place, media_id in enumerate(media_ids)
        if UUID(media_id) not in existing
    ]


def key_of(media: Media) -> str:
    """Where the storage has it."""
    return _key(media.institute_id, media.sha256)


async def content_of(storage: Storage, media: Media) -> bytes:
    """The bytes of an image."""
    return b"".join([piece async for piece in await storage.read(key_of(media))])


def url_of(media: Media) -> str:
    """Where clients fetch it, at the API's own address."""
    return f"/v1/media/{media.id}"


def shown(media_ids: Sequence[str], images: Mapping[UUID, Media]) -> list[dict[str, Any]]:
    """Images as a paper shows them, in their author's order."""
    return [
        {
            "id": media_id,
            "content_type": image.content_type,
            "width": image.width,
            "height": image.height,
            "url": url_of(image),
        }
        for media_id in media_ids
        for image in [images[UUID(media_id)]]
    ]


async def encoded_anew(content: bytes, author: Principal, files: ProcessPool | None) -> EncodedImage:
    """The image as it would be kept. Raises UnusableImage."""
    try:
        if files is None:
            image = await asyncio.to_thread(encode_anew, content)
        else:
            image = await files.run(encode_anew, content, caller=author.id, advice=_TOO_MUCH_ANYWAY)
    except TooComplex as error:
        raise UnusableImage(error.detail) from error
    if len(image.content) > MAX_BYTES:
        template = "The image takes more than {most} MB when it is encoded anew. Make it smaller."
        raise UnusableImage(Sentence(template, most=MAX_BYTES // 1_000_000))
    return image


def _key(institute_id: UUID, sha256: str) -> str:
    return f"{institute_id}/{sha256}"


def _found(media: Media | None) -> Media:
    if media is None:
        raise NotFound("image")
    return media
