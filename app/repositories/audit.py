"""The audit: who did what, and why."""

from uuid import UUID

from sqlalchemy import select

from app.models import AuditEntry
from app.repositories.base import Page, PageRequest, Repository


class AuditRepository(Repository):
    """Entries are added and read, and never changed."""

    def add(self, entry: AuditEntry) -> None:
        """Keep an entry in the transaction that does what it tells."""
        self._session.add(entry)

    async def of_exam(self, exam_id: UUID, page: PageRequest) -> Page[AuditEntry]:
        """What was done to an exam, newest first."""
        statement = select(AuditEntry).where(AuditEntry.exam_id == exam_id)
        return await self._page(statement, [AuditEntry.id], page, descending=True)
