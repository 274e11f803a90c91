"""Where the files of exports are stored, and how they are deleted."""

from uuid import UUID

from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work

BATCH = 100


def key_of(export_id: UUID) -> str:
    """The key of an export's file in the storage."""
    return f"exports/{export_id}.zip"


async def delete_files(parts: Components, user_id: UUID) -> None:
    """Delete the files of all exports of a person. The purge deletes their rows."""
    async with reading(parts.engine) as reads:
        export_ids = await reads.exports.of(user_id)
    for export_id in export_ids:
        await parts.media.delete(key_of(export_id))


async def delete_expired(parts: Components) -> int:
    """Delete one batch of expired exports. Returns how many.

    The files come first: a file without a row would never be deleted. Deleting a file again is harmless.
    """
    async with reading(parts.engine) as reads:
        export_ids = await reads.exports.expired(parts.clock.now(), BATCH)
    for export_id in export_ids:
        await parts.media.delete(key_of(export_id))
    if export_ids:
        async with unit_of_work(parts.engine) as uow:
            await uow.exports.delete(export_ids)
    return len(export_ids)
