"""Passages: written, found, revised, retired."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.core.changes import UNCHANGED, Unchanged, changed
from app.core.errors import InUse, Invalid, NotFound
from app.core.ids import uuid7
from app.models import LocalizedText, Passage, PassageVersion
from app.repositories.base import Page, PageRequest
from app.repositories.questions.passages import PassageFilter
from app.services.questions import media
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class PassageDraft:
    """A passage as its author writes it."""

    text: LocalizedText
    media: list[str] = field(default_factory=list)
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class PassageUpdate:
    """What may change in a passage."""

    text: LocalizedText | Unchanged = UNCHANGED
    media: list[str] | Unchanged = UNCHANGED
    external_id: str | Unchanged | None = UNCHANGED
    status: str | Unchanged = UNCHANGED


async def page(
    reads: Reading, reader: Principal, wanted: PassageFilter, request: PageRequest
) -> Page[Passage]:
    """The passages of the bank, narrowed down."""
    return await reads.passages.page(reader.institute_id, wanted, request)


async def find(reads: Reading, reader: Principal, passage_id: UUID, *, lock: bool = False) -> Passage:
    """One passage with its current version."""
    passage = await reads.passages.get(reader.institute_id, passage_id, lock=lock)
    if passage is None:
        raise NotFound("passage")
    return passage


async def versions(reads: Reading, passage: Passage) -> Sequence[PassageVersion]:
    """All that a passage said, the newest first."""
    return await reads.passages.versions(passage.id)


async def create(uow: UnitOfWork, author: Principal, draft: PassageDraft) -> Passage:
    """A new passage in its first version."""
    await _check_media(uow, author, draft.media)
    passage = Passage(id=uuid7(), institute_id=author.institute_id, external_id=draft.external_id)
    await uow.passages.add(passage)
    await uow.passages.add(_version(author, passage.id, 1, draft.text, draft.media))
    return await find(uow, author, passage.id)


async def revise(uow: UnitOfWork, author: Principal, passage_id: UUID, update: PassageUpdate) -> Passage:
    """Change a passage. A change of its text or images is stored as the next version."""
    passage = await find(uow, author, passage_id, lock=True)
    before = passage.version
    text, shown = changed(update.text, before.text), changed(update.media, before.media)
    passage.external_id = changed(update.external_id, passage.external_id)
    passage.status = changed(update.status, passage.status)
    if (text, shown) != (before.text, before.media):
        await _check_media(uow, author, shown)
        passage.current_version += 1
        await uow.passages.add(_version(author, passage.id, passage.current_version, text, shown))
    await uow.passages.flush()
    return await find(uow, author, passage_id)


async def retire(uow: UnitOfWork, author: Principal, passage_id: UUID) -> Passage:
    """Take a passage out of use; papers that have it keep it. Again is harmless."""
    passage = await find(uow, author, passage_id, lock=True)
    if await uow.passages.is_used(passage.id):
        raise InUse("Questions that are not retired still have this passage.")
    passage.status = "retired"
    await uow.passages.flush()
    return await find(uow, author, passage_id)


async def delete(uow: UnitOfWork, author: Principal, passage_id: UUID) -> None:
    """Delete a passage that no question ever had."""
    await uow.passages.delete(await find(uow, author, passage_id, lock=True))


async def _check_media(uow: UnitOfWork, author: Principal, media_ids: Sequence[str]) -> None:
    if errors := await media.check_exist(uow, author.institute_id, media_ids):
        raise Invalid("The passage is not valid.", errors=errors)


def _version(
    author: Principal, passage_id: UUID, number: int, text: LocalizedText, shown: list[str]
) -> PassageVersion:
    return PassageVersion(
        passage_id=passage_id, number=number, text=text, media=shown, created_by=author.author_id
    )
