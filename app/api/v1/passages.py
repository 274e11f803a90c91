"""Passages over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, status

from app.api.deps import CurrentAuthor, CurrentBankReader, Paging, Reads, Uow, takes_nothing
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import AlreadyExists, Forbidden, InUse, Invalid, NotFound
from app.repositories.questions.passages import PassageFilter
from app.schemas.common import PageOut
from app.schemas.passages import (
    PassageChanges,
    PassageIn,
    PassageOut,
    PassageStatus,
    PassageWithVersionsOut,
)
from app.services.questions import passages

router = PrefixRouter(prefix="/passages", tags=["passages"])


@router.get("", responses=problems(Forbidden, Invalid))
async def list_passages(
    reads: Reads,
    reader: CurrentBankReader,
    paging: Paging,
    query: Annotated[str | None, Query(min_length=1, max_length=200, description="Part of the text")] = None,
    status: Annotated[PassageStatus | None, Query(description="Only passages in this state")] = None,
) -> PageOut[PassageOut]:
    """Passages in their current version, oldest first."""
    page = await passages.page(reads, reader, PassageFilter(query, status), paging)
    items = [PassageOut.of(passage) for passage in page.items]
    return PageOut(items=items, next_cursor=page.next_cursor)


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(Forbidden, AlreadyExists, Invalid))
async def create_passage(body: PassageIn, author: CurrentAuthor, uow: OnceUow) -> PassageOut:
    """Create a passage.

    Questions refer to it by `passage_id`. `external_id` is your own name for it and unique.
    """
    return PassageOut.of(await passages.create(uow, author, body.draft()))


@router.get("/{passage_id}", responses=problems(Forbidden, NotFound))
async def read_passage(passage_id: UUID, reads: Reads, reader: CurrentBankReader) -> PassageWithVersionsOut:
    """One passage with all its versions."""
    passage = await passages.find(reads, reader, passage_id)
    history = await passages.versions(reads, passage)
    return PassageWithVersionsOut.with_versions(passage, list(history))


@router.patch("/{passage_id}", responses=problems(Forbidden, NotFound, AlreadyExists, Invalid))
async def change_passage(
    passage_id: UUID, body: PassageChanges, author: CurrentAuthor, uow: Uow
) -> PassageOut:
    """Change the given fields. A new text or new images create the next version.

    Papers keep the version that they were published with. If nothing changes, no version is created.
    """
    return PassageOut.of(await passages.revise(uow, author, passage_id, body.changes()))


@router.post(
    "/{passage_id}/retire",
    dependencies=[Depends(takes_nothing)],
    responses=problems(Forbidden, NotFound, InUse),
)
async def retire_passage(passage_id: UUID, author: CurrentAuthor, uow: Uow) -> PassageOut:
    """Retire a passage whose questions are all retired. Published papers keep it."""
    return PassageOut.of(await passages.retire(uow, author, passage_id))


@router.delete(
    "/{passage_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(Forbidden, NotFound, InUse),
)
async def delete_passage(passage_id: UUID, author: CurrentAuthor, uow: Uow) -> None:
    """Delete a passage that no question has ever used."""
    await passages.delete(uow, author, passage_id)
