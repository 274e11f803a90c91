"""The audit log: added to and read, never changed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from app.core.ids import first_uuid7
from app.models import AuditEntry
from app.repositories.base import Page, PageRequest, Repository

_FIRST = datetime.fromtimestamp(0, UTC)
"""Ids know no time before."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the log is narrowed to; None is everything. `until` itself is left out."""

    actor_id: UUID | None = None
    action: str | None = None
    subject_kind: str | None = None
    subject_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditRepository(Repository):
    """Entries are added and read, and never changed."""

    def add(self, entry: AuditEntry) -> None:
        """Keep an entry in the transaction that does what it tells."""
        self._session.add(entry)

    async def of_exam(self, exam_id: UUID, page: PageRequest) -> Page[AuditEntry]:
        """What was done to an exam, newest first."""
        statement = select(AuditEntry).where(AuditEntry.exam_id == exam_id)
        return await self._page(statement, [AuditEntry.id], page, descending=True)

    async def page(self, institute_id: UUID, wanted: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
        """The log of an institute, newest first. Ids tell the time, so that they narrow it by index."""
        statement = select(AuditEntry).where(AuditEntry.institute_id == institute_id)
        for column, value in (
            (AuditEntry.actor_id, wanted.actor_id),
            (AuditEntry.action, wanted.action),
            (AuditEntry.subject_kind, wanted.subject_kind),
            (AuditEntry.subject_id, wanted.subject_id),
        ):
            if value is not None:
                statement = statement.where(column == value)
        if wanted.since is not None and wanted.since > _FIRST:
            statement = statement.where(AuditEntry.id >= first_uuid7(wanted.since))
        if wanted.until is not None:
            statement = statement.where(AuditEntry.id < first_uuid7(max(wanted.until, _FIRST)))
        return await self._page(statement, [AuditEntry.id], page, descending=True)
