"""The merit list as PDF."""

import asyncio
from datetime import datetime
from uuid import UUID

from app.core.errors import TooComplex
from app.repositories.exams import MeritRow
from app.sentences import Sentence
from app.services.exams.audit import record
from app.services.exams.results import released_exam
from app.services.result_documents.documents import Document
from app.services.result_documents.issuing import with_release
from app.services.result_documents.languages import DocumentLanguage
from app.services.result_documents.merit_pages import merit_pages
from app.services.unit_of_work import Reading
from app.services.users import Principal

MOST_ROWS = 15_000
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
) -> Document:
    """The whole merit list, in the order of its pages. Raises ResultsNotReleased, NotFound, TooComplex."""
    exam = await released_exam(reads, staff, exam_id)
    rows: list[MeritRow] = []
    async for batch in reads.exam_results.whole_merit_list(exam, everybody=everybody):
        rows += batch
        if len(rows) > MOST_ROWS:
            raise TooComplex(Sentence(_TOO_LONG, most=MOST_ROWS))
    released = await with_release(reads, exam, exam.results_version or 1)
    content = await asyncio.to_thread(merit_pages, released, rows, language, now)
    include = "all" if everybody else "ranked"
    record(reads, staff, "export_merit_list", exam, format="pdf", include=include, rows=len(rows))
    return Document("merit-list", content, "merit-list.pdf")
