"""Avatars: a square picture of a person, seen by themselves and by staff."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from app.core.errors import Invalid, NotFound, SessionRevoked, TooComplex, TooLarge
from app.core.images import EncodedImage, UnusableImage, encode_square
from app.core.process_pool import ProcessPool
from app.models import User
from app.sentences import Sentence
from app.services.components import Components
from app.services.unit_of_work import Reading, UnitOfWork, unit_of_work
from app.services.users import Principal

MAX_BYTES = 5_000_000
SIDE = 512
CONTENT_TYPE = "image/jpeg"
_ADVICE = Sentence("Make the image smaller, or save it anew as PNG or JPEG.")


@dataclass(frozen=True, slots=True)
class Avatar:
    """A stored picture. `version` changes with each picture."""

    user_id: UUID
    version: str


async def change(parts: Components, user: Principal, content: bytes) -> User:
    """Store a picture as the user's avatar. Raises TooLarge, or Invalid if it is no accepted image."""
    if len(content) > MAX_BYTES:
        raise TooLarge(MAX_BYTES)
    image = await _square(content, user, parts.files)
    # The file comes first: an address without a file would be a broken picture.
    async with _locked(parts, user) as uow:
        await parts.media.put(_key(user.id), image.content)
        return await _set_url(uow, user, f"{_path(user.id)}?v={image.sha256[:16]}")


async def remove(parts: Components, user: Principal) -> None:
    """Remove the user's avatar, here or elsewhere. Does nothing if there is none."""
    async with _locked(parts, user) as uow:
        await _set_url(uow, user, None)
        await delete_file(parts, user.id)


async def find(reads: Reading, viewer: Principal, user_id: UUID) -> Avatar:
    """The avatar of a user, for themselves and for staff. Raises NotFound."""
    member = await reads.users.member(user_id)
    url = member.user.avatar_url if member is not None and member.user.active else None
    path, _, version = (url or "").partition("?v=")
    if path != _path(user_id) or not (viewer.id == user_id or viewer.is_staff):
        raise NotFound("avatar")
    return Avatar(user_id, version)


async def read(parts: Components, avatar: Avatar) -> AsyncIterator[bytes]:
    """The bytes of an avatar, a JPEG."""
    return await parts.media.read(_key(avatar.user_id))


async def delete_file(parts: Components, user_id: UUID) -> None:
    """Delete the stored picture of a user."""
    await parts.media.delete(_key(user_id))


async def _square(content: bytes, user: Principal, files: ProcessPool | None) -> EncodedImage:
    try:
        if files is None:
            return await asyncio.to_thread(encode_square, content, SIDE)
        return await files.run(encode_square, content, SIDE, caller=user.id, advice=_ADVICE)
    except (UnusableImage, TooComplex) as error:
        message = error.detail if isinstance(error, TooComplex) else str(error)
        raise Invalid.field("file", message) from error


@asynccontextmanager
async def _locked(parts: Components, user: Principal) -> AsyncIterator[UnitOfWork]:
    """A transaction with the lock of the user, so that file and address change together.

    Without it, removing could delete the file that a simultaneous change has just stored.
    """
    async with unit_of_work(parts.engine) as uow:
        if not await uow.users.lock(user.id):
            raise SessionRevoked
        yield uow


async def _set_url(uow: UnitOfWork, user: Principal, url: str | None) -> User:
    await uow.users.change(user.id, {"avatar_url": url})
    member = await uow.users.member(user.id)
    assert member is not None  # noqa: S101 -- its row was locked above
    return member.user


def _path(user_id: UUID) -> str:
    return f"/v1/users/{user_id}/avatar"


def _key(user_id: UUID) -> str:
    return f"avatars/{user_id}"
