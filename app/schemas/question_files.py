"""Files of questions as authors ask for them."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints, TypeAdapter, WithJsonSchema

from app.interchange.formats import FormatName
from app.repositories.questions import QuestionFilter
from app.schemas.common import In
from app.schemas.questions import Difficulty, QuestionStatus, Tag, Tags
from app.sheets.writers import SheetFormat

ExportFormat = Annotated[
    SheetFormat | FormatName, WithJsonSchema({"type": "string", "enum": [*SheetFormat, *FormatName]})
]


class ExportIn(In):
    """Which questions, and as what; filters narrow together."""

    format: ExportFormat = SheetFormat.CSV
    leave_out_unsupported: bool = False
    """Leave out what a format of another program cannot express, instead of refusing the export."""
    subject_id: UUID | None = None
    chapter_id: UUID | None = None
    tag: Annotated[Tag | Tags | None, WithJsonSchema(TypeAdapter(Tags).json_schema())] = None
    difficulty: Difficulty | None = None
    status: QuestionStatus | None = None
    query: Annotated[str, StringConstraints(max_length=200)] | None = None

    def wanted(self) -> QuestionFilter:
        """The filter."""
        tags = [self.tag] if isinstance(self.tag, str) else self.tag or ()
        return QuestionFilter(
            self.subject_id,
            self.chapter_id,
            tags,
            self.difficulty,
            [self.status] if self.status else (),
            self.query or None,
        )
