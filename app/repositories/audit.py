"""The audit log. Entries are added and read, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from app.core.ids import first_uuid7, uuid7
from app.models import AuditEntry
from app.repositories.base import Page, PageRequest, Repository

_SAME_FOR_ATTEMPTS = ("institute_id", "actor_id", "action", "exam_id", "reason", "details", "request_id")
_ADD_FOR_ATTEMPTS = text(
    """
    insert into ias.audit_entries (
      id, institute_id, actor_id, action, subject_kind, subject_id, exam_id, attempt_id, reason, details,
      request_id
    )
    select row.id, :institute_id, :actor_id, :action, 'attempt', row.attempt_id, :exam_id, row.attempt_id,
      :reason, :details, :request_id
    from jsonb_to_recordset(:rows) as row(id uuid, attempt_id uuid)
    """
).bindparams(
    bindparam("institute_id", type_=Uuid),
    bindparam("actor_id", type_=Uuid),
    bindparam("action", type_=Text),
    bindparam("exam_id", type_=Uuid),
    bindparam("reason", type_=Text),
    bindparam("details", type_=JSONB),
    bindparam("request_id", type_=Text),
    bindparam("rows", type_=JSONB),
)

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

    async def add_for_attempts(self, entry: AuditEntry, attempt_ids: Sequence[UUID]) -> None:
        """Add this entry once for each attempt, by one statement."""
        rows = [{"id": uuid7(), "attempt_id": str(attempt_id)} for attempt_id in attempt_ids]
        same = {name: getattr(entry, name) for name in _SAME_FOR_ATTEMPTS}
        await self._session.execute(_ADD_FOR_ATTEMPTS, {**same, "rows": rows})

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
