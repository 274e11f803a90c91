"""The merit list as PDF."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.errors import TooComplex
from app.repositories.exams import MeritRow
from app.sentences import Sentence
from app.services.exams.audit import record
from app.services.exams.results import released_exam, version_of
from app.services.result_documents.documents import Document
from app.services.result_documents.issuing import with_release
from app.services.result_documents.languages import DocumentLanguage
from app.services.result_documents.merit_pages import merit_pages
from app.services.unit_of_work import Reading
from app.services.users import Principal

MAX_ROWS = 15_000
"""More rows would need more memory than a child process has."""

_TOO_LONG = "The list has more than {most} candidates, too many for a PDF. Ask for CSV or XLSX."


async def merit_document(
    reads: Reading,
    staff: Principal,
    exam_id: UUID,
    language: DocumentLanguage,
    now: datetime,
    *,
    everybody: bool = False,
    version: int | None = None,
) -> Document:
    """The whole merit list, in the order of its pages.

    Raises ResultsNotReleased, NotFound, TooComplex, and Invalid for a version that does not exist.
    """
    exam = await released_exam(reads, staff, exam_id)
    shown = version_of(exam, version)
    rows: list[MeritRow] = []
    async for batch in reads.exam_results.whole_merit_list(exam, shown, everybody=everybody):
        rows += batch
        if len(rows) > MAX_ROWS:
            raise TooComplex(Sentence(_TOO_LONG, most=MAX_ROWS))
    released = await with_release(reads, exam, shown)
    content = await asyncio.to_thread(merit_pages, released, rows, language, now)
    include = "all" if everybody else "ranked"
    facts: dict[str, Any] = {"format": "pdf", "include": include, "version": shown, "rows": len(rows)}
    record(reads, staff, "export_merit_list", exam, **facts)
    return Document("merit-list", content, "merit-list.pdf")
