"""The job that makes a file of many documents: part by part, so that it can be ended and resumed."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast
from uuid import UUID

from app.core.file_lifetimes import expiry_when_ready
from app.models import ResultFile
from app.repositories.exams import WantedResults
from app.services.components import Components
from app.services.result_documents.batches import BATCH, last_of, print_batch
from app.services.result_documents.files import delete_parts, key_of, key_of_part
from app.services.result_documents.issuing import with_release
from app.services.result_documents.languages import DocumentLanguage
from app.services.result_documents.zip_files import join, zipped
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work

MAX_TIME = timedelta(seconds=20)
"""After this time the job leaves the rest to another one, because a task that takes too long is ended."""


async def build(uow: UnitOfWork, parts: Components, file_id: UUID, now: datetime) -> None:
    """Make the next parts of a file, and join them after the last one.

    Each part is stored and recorded in a transaction of its own. A part that was stored and not recorded is
    made again and replaced. Nothing happens for a file that is ready or has expired.
    """
    stop_at = parts.clock.now() + MAX_TIME
    while (file := await _waiting(parts, file_id, now)) is not None:
        if file.done >= file.total:
            await _finish(parts, file, now)
            return
        if parts.clock.now() >= stop_at:
            uow.jobs.add("make_result_file", file_id=str(file_id))
            return
        if not await _make_part(parts, file):
            await parts.media.delete(key_of_part(file.id, file.parts))
            return


async def _waiting(parts: Components, file_id: UUID, now: datetime) -> ResultFile | None:
    async with reading(parts.engine) as reads:
        return await reads.result_files.waiting(file_id, now)


async def _make_part(parts: Components, file: ResultFile) -> bool:
    """Make the next part. Returns False if the file is gone meanwhile, or has no more candidates."""
    async with reading(parts.engine) as reads:
        exam = await reads.result_documents.exam(file.exam_id)
        released = await with_release(reads, exam, file.version)
        batch = await reads.result_documents.after(
            file.exam_id, file.version, WantedResults(**file.only), file.last_registration_id, BATCH
        )
    if not batch:
        return False
    language = cast("DocumentLanguage", file.language)
    documents = await print_batch(
        parts.files, released, batch, file.kind, language, file.created_at, caller=file.id
    )
    await parts.media.put(key_of_part(file.id, file.parts), await asyncio.to_thread(zipped, documents))
    async with unit_of_work(parts.engine) as uow:
        return await uow.result_files.advance(file, len(batch), last_of(batch))


async def _finish(parts: Components, file: ResultFile, now: datetime) -> None:
    """Join the parts and store the file. The parts are deleted after it is recorded, or when it expires."""
    with TemporaryDirectory(prefix="ias-results-") as folder:
        pieces = [await _fetched(parts, file, number, Path(folder)) for number in range(file.parts)]
        whole = Path(folder) / "whole.zip"
        await asyncio.to_thread(join, pieces, whole)
        await parts.media.put_file(key_of(file.id), whole)
        size = whole.stat().st_size
    async with unit_of_work(parts.engine) as uow:
        is_wanted = await uow.result_files.mark_ready(file.id, size, now, expiry_when_ready(now))
    if not is_wanted:
        await parts.media.delete(key_of(file.id))
    await delete_parts(parts, file)


async def _fetched(parts: Components, file: ResultFile, number: int, folder: Path) -> Path:
    path = folder / f"{number}.zip"
    with path.open("wb") as out:
        async for piece in await parts.media.read(key_of_part(file.id, number)):
            out.write(piece)
    return path
