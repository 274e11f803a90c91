"""Result sheets and certificates of many candidates, a few dozen at a time."""

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.process_pool import ProcessPool
from app.models import ResultFileKind
from app.repositories.exams import IssuedResult, WantedResults
from app.sentences import Sentence
from app.services.printing import Template, typeset_each
from app.services.result_documents.certificates import TOOK_PART, certificate
from app.services.result_documents.exam_sheets import ReleasedExam, exam_sheet
from app.services.result_documents.file_names import file_name
from app.services.result_documents.languages import DocumentLanguage

BATCH = 50
"""So many documents take two or three seconds, and their content and PDFs a few megabytes."""

_ADVICE = Sentence("An operator can raise FILE_SECONDS and FILE_MEMORY_MB.")
_TEMPLATES: dict[str, Template] = {
    ResultFileKind.RESULT_SHEETS: "result-sheet",
    ResultFileKind.CERTIFICATES: "certificate",
}


def wanted_by_setting(kind: str, setting: str, wanted: WantedResults) -> WantedResults:
    """The wanted candidates who get a document: see `certificates.gets_certificate`."""
    if kind != ResultFileKind.CERTIFICATES:
        return wanted
    outcomes = ("ranked",) if setting == "ranked" else TOOK_PART
    return WantedResults(
        wanted.roll_numbers, wanted.categories, outcomes, only_qualified=setting == "qualified"
    )


async def print_batch(
    files: ProcessPool,
    released: ReleasedExam,
    batch: Sequence[IssuedResult],
    kind: str,
    language: DocumentLanguage,
    now: datetime,
    caller: Hashable,
) -> list[tuple[str, bytes]]:
    """The PDFs of some candidates with their file names, typeset in a child process."""
    template = _TEMPLATES[kind]
    compose: Any = exam_sheet if kind == ResultFileKind.RESULT_SHEETS else certificate
    contents = [compose(released, issued, language, now) for issued in batch]
    pdfs = await files.collect(typeset_each, template, contents, now, caller=caller, advice=_ADVICE)
    names = [file_name(template, issued.result.roll_number) for issued in batch]
    return list(zip(names, pdfs, strict=True))


def last_of(batch: Sequence[IssuedResult]) -> UUID:
    """The registration after which the next batch begins."""
    return batch[-1].result.registration_id
