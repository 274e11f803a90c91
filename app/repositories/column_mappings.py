"""Mappings of columns that an institute uses again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from app.core.ids import uuid7
from app.models import ColumnMapping, MappedSheet, User
from app.repositories.base import Page, PageRequest, Repository

MAX_MAPPINGS = 500
"""An import looks at the newest ones only, because it passes them to the process that reads the sheet."""


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """A mapping, and the name of who saved it; None for the command line and for a purged account."""

    mapping: ColumnMapping
    saved_by: str | None


class ColumnMappingRepository(Repository):
    """The mappings of one institute."""

    async def newest(self, institute_id: UUID, kind: MappedSheet) -> Sequence[SavedMapping]:
        """The mappings for this kind of sheets that were saved last."""
        statement = (
            _saved(institute_id)
            .where(ColumnMapping.kind == kind)
            .order_by(ColumnMapping.updated_at.desc(), ColumnMapping.id)
            .limit(MAX_MAPPINGS)
        )
        return [SavedMapping(*row) for row in await self._session.execute(statement)]

    async def page(
        self, institute_id: UUID, kind: MappedSheet | None, page: PageRequest
    ) -> Page[SavedMapping]:
        """All mappings, in the order in which their headers came first."""
        statement = select(ColumnMapping.id).where(ColumnMapping.institute_id == institute_id)
        if kind is not None:
            statement = statement.where(ColumnMapping.kind == kind)
        ids: Page[UUID] = await self._page(statement, [ColumnMapping.id], page)
        shown = _saved(institute_id).where(ColumnMapping.id.in_(ids.items)).order_by(ColumnMapping.id)
        return Page([SavedMapping(*row) for row in await self._session.execute(shown)], ids.next_cursor)

    async def put(
        self,
        institute_id: UUID,
        kind: MappedSheet,
        fingerprint: str,
        headers: Sequence[str],
        columns: Mapping[str, str],
        saved_by: UUID | None,
    ) -> None:
        """Save a mapping, or replace the one for these headers. Of two at one time the last one stands."""
        values: dict[str, Any] = {
            "headers": list(headers),
            "columns": dict(columns),
            "saved_by": saved_by,
        }
        keys = {"institute_id": institute_id, "kind": kind, "fingerprint": fingerprint}
        new = insert(ColumnMapping).values(id=uuid7(), **keys, **values)
        await self._session.execute(
            new.on_conflict_do_update(index_elements=list(keys), set_={**values, "updated_at": func.now()})
        )

    async def delete(self, institute_id: UUID, mapping_id: UUID) -> bool:
        """Delete a mapping. Returns False if the institute has no such mapping."""
        statement = delete(ColumnMapping).where(
            ColumnMapping.institute_id == institute_id, ColumnMapping.id == mapping_id
        )
        return await self._session.scalar(statement.returning(ColumnMapping.id)) is not None


def _saved(institute_id: UUID) -> Select[ColumnMapping, str]:
    return (
        select(ColumnMapping, User.name)
        .outerjoin(User, User.id == ColumnMapping.saved_by)
        .where(ColumnMapping.institute_id == institute_id)
    )
