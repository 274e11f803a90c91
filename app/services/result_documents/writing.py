"""Writing the documents of many candidates to a file, for the command line."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile

from app.models import ResultFileKind
from app.repositories.exams import WantedResults
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.results import released_exam
from app.services.result_documents.batches import BATCH, last_of, print_batch, wanted_by_setting
from app.services.result_documents.issuing import with_release
from app.services.result_documents.languages import DocumentLanguage
from app.services.result_documents.requests import check_names, count
from app.services.result_documents.zip_files import add_documents
from app.services.unit_of_work import Reading
from app.services.users import Principal


async def write_file(
    reads: Reading,
    parts: Components,
    staff: Principal,
    exam_id: UUID,
    kind: ResultFileKind,
    language: DocumentLanguage,
    path: Path,
    now: datetime,
) -> AsyncIterator[tuple[int, int]]:
    """Write a ZIP file, and yield how many of how many documents are in it.

    Raises ResultsNotReleased, and NotPossible if nobody gets such a document, or a name on
    certificates cannot be printed.
    """
    exam = await released_exam(reads, staff, exam_id)
    version = exam.results_version or 1
    wanted = wanted_by_setting(kind, exam.certificates, WantedResults())
    total = await count(reads, exam, version, kind, wanted)
    if kind == ResultFileKind.CERTIFICATES:
        await check_names(reads, exam, version, wanted)
    released = await with_release(reads, exam, version)
    record(reads, staff, "download_result_file", exam, kind=kind, documents=total)
    done, last_id = 0, None
    with ZipFile(path, "w", ZIP_STORED) as archive:
        while batch := await reads.result_documents.after(exam.id, version, wanted, last_id, BATCH):
            add_documents(
                archive, await print_batch(parts.files, released, batch, kind, language, now, staff.id)
            )
            done, last_id = done + len(batch), last_of(batch)
            yield done, total
