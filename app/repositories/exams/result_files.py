"""Files with the result sheets or certificates of an exam, and how far they are made."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, delete, select, update

from app.models import ResultFile
from app.repositories.base import Repository


class ResultFileRepository(Repository):
    """Files that have not expired, and the expired ones that are to be deleted."""

    async def add(self, file: ResultFile) -> None:
        """Insert a file that is to be made."""
        self._session.add(file)
        await self._session.flush()

    async def same_as(self, file: ResultFile, now: datetime) -> ResultFile | None:
        """A file that the same person has asked for with the same content, and not downloaded yet."""
        statement = _valid(now).where(
            ResultFile.exam_id == file.exam_id,
            ResultFile.created_by == file.created_by,
            ResultFile.version == file.version,
            ResultFile.kind == file.kind,
            ResultFile.language == file.language,
            ResultFile.only == file.only,
            ResultFile.downloaded_at.is_(None),
        )
        return (await self._session.scalars(statement.order_by(ResultFile.id).limit(1))).one_or_none()

    async def find(self, exam_id: UUID, file_id: UUID, now: datetime) -> ResultFile | None:
        """A file of an exam, or None."""
        statement = _valid(now).where(ResultFile.exam_id == exam_id, ResultFile.id == file_id)
        return (await self._session.scalars(statement)).one_or_none()

    async def waiting(self, file_id: UUID, now: datetime) -> ResultFile | None:
        """A file that is not ready, or None."""
        statement = _valid(now).where(ResultFile.id == file_id, ResultFile.ready_at.is_(None))
        return (await self._session.scalars(statement)).one_or_none()

    async def advance(self, file: ResultFile, documents: int, last_id: UUID) -> bool:
        """Record one more part. Returns False if the file is gone, or somebody else has made the part."""
        statement = (
            update(ResultFile)
            .where(ResultFile.id == file.id, ResultFile.parts == file.parts)
            .values(parts=file.parts + 1, done=ResultFile.done + documents, last_registration_id=last_id)
            .returning(ResultFile.id)
        )
        return await self._session.scalar(statement) is not None

    async def mark_ready(self, file_id: UUID, size_bytes: int, now: datetime, expires_at: datetime) -> bool:
        """Record that the file can be fetched. Returns False if it is gone."""
        statement = (
            update(ResultFile)
            .where(ResultFile.id == file_id, ResultFile.ready_at.is_(None))
            .values(ready_at=now, size_bytes=size_bytes, expires_at=expires_at)
            .returning(ResultFile.id)
        )
        return await self._session.scalar(statement) is not None

    async def begin_download(self, file_id: UUID, now: datetime, expires_at: datetime) -> None:
        """Record the first download. Later ones change nothing."""
        first = update(ResultFile).where(ResultFile.id == file_id, ResultFile.downloaded_at.is_(None))
        await self._session.execute(first.values(downloaded_at=now, expires_at=expires_at))

    async def expired(self, now: datetime, limit: int) -> Sequence[ResultFile]:
        """Expired files, which are to be deleted."""
        statement = select(ResultFile).where(ResultFile.expires_at <= now)
        return (await self._session.scalars(statement.order_by(ResultFile.expires_at).limit(limit))).all()

    async def delete(self, file_ids: Sequence[UUID]) -> None:
        """Delete the rows of files that are deleted."""
        await self._session.execute(delete(ResultFile).where(ResultFile.id.in_(file_ids)))


def _valid(now: datetime) -> Select[ResultFile]:
    return select(ResultFile).where(ResultFile.expires_at > now)
