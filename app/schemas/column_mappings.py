"""Saved mappings of columns."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from app.repositories.column_mappings import SavedMapping
from app.schemas.common import Out


class ColumnMappingOut(Out):
    """What the columns of a header are. Sheets with the same headers are read so, in whatever order they are.

    `saved_by` is the name of who imported the sheet, or null for the command line and for accounts that are
    deleted.
    """

    id: UUID
    kind: Literal["questions", "answer_sheets"]
    headers: list[str]
    columns: dict[str, str]
    saved_by: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, saved: SavedMapping) -> Self:
        """A saved mapping."""
        mapping = saved.mapping
        return cls.model_validate(
            {
                "id": mapping.id,
                "kind": mapping.kind,
                "headers": mapping.headers,
                "columns": mapping.columns,
                "saved_by": saved.saved_by,
                "created_at": mapping.created_at,
                "updated_at": mapping.updated_at,
            }
        )
