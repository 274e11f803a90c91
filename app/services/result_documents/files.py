"""Where files of many documents are stored, and how they are deleted."""

from uuid import UUID

from app.models import ResultFile
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work

BATCH = 20


def key_of(file_id: UUID) -> str:
    """The key of a file in the storage."""
    return f"result-files/{file_id}.zip"


def key_of_part(file_id: UUID, number: int) -> str:
    """The key of a part of a file. Parts are numbered from 0."""
    return f"result-files/{file_id}/{number}.zip"


async def delete_parts(parts: Components, file: ResultFile) -> None:
    """Delete the parts of a file, and one that was stored and not recorded."""
    for number in range(file.parts + 1):
        await parts.media.delete(key_of_part(file.id, number))


async def delete_expired(parts: Components) -> int:
    """Delete one batch of expired files. Returns how many.

    What is stored goes first: it would never be deleted without its row. Deleting it again is harmless.
    """
    async with reading(parts.engine) as reads:
        expired = await reads.result_files.expired(parts.clock.now(), BATCH)
    for file in expired:
        await parts.media.delete(key_of(file.id))
        await delete_parts(parts, file)
    if expired:
        async with unit_of_work(parts.engine) as uow:
            await uow.result_files.delete([file.id for file in expired])
    return len(expired)
