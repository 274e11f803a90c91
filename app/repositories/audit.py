"""The audit log. Entries are added and read, never changed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from app.core.ids import first_uuid7
from app.models import AuditEntry
from app.repositories.base import Page, PageRequest, Repository

EARLIEST = datetime.fromtimestamp(0, UTC)
"""An id (UUIDv7) cannot hold an earlier time."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to list. None does not filter; `until` is exclusive."""

    actor_id: UUID | None = None
    action: str | None = None
    subject_kind: str | None = None
    subject_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditRepository(Repository):
    """Adds and reads entries of the audit log."""

    def add(self, entry: AuditEntry) -> None:
        """Add an entry, in the transaction of the action that it records."""
        self._session.add(entry)

    async def of_exam(self, exam_id: UUID, page: PageRequest) -> Page[AuditEntry]:
        """Entries of an exam, newest first."""
        statement = select(AuditEntry).where(AuditEntry.exam_id == exam_id)
        return await self._page(statement, [AuditEntry.id], page, descending=True)

    async def page(self, institute_id: UUID, wanted: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
        """Entries of an institute, newest first.

        Ids contain the time, so the primary key serves the time range.
        """
        statement = select(AuditEntry).where(AuditEntry.institute_id == institute_id)
        for column, value in (
            (AuditEntry.actor_id, wanted.actor_id),
            (AuditEntry.action, wanted.action),
            (AuditEntry.subject_kind, wanted.subject_kind),
            (AuditEntry.subject_id, wanted.subject_id),
        ):
            if value is not None:
                statement = statement.where(column == value)
        if wanted.since is not None and wanted.since > EARLIEST:
            statement = statement.where(AuditEntry.id >= first_uuid7(wanted.since))
        if wanted.until is not None:
            statement = statement.where(AuditEntry.id < first_uuid7(max(wanted.until, EARLIEST)))
        return await self._page(statement, [AuditEntry.id], page, descending=True)
