"""Response sheets of a registered candidate."""

from typing import Self
from uuid import UUID

from app.schemas.analytics.candidates import SheetEntryOut, entries_of
from app.schemas.attempts import AttemptOut
from app.schemas.common import Out
from app.services.exams import CandidateResponses, PaperResponses


class PaperSheetOut(Out):
    """What a candidate answered in one paper: every question in the paper's order. No key, and no marks."""

    paper_id: UUID
    code: str
    attempt: AttemptOut
    paper_version: int
    answered: int
    marked_for_review: int
    questions: list[SheetEntryOut]

    @classmethod
    def of_sheet(cls, shown: PaperResponses) -> Self:
        """The sheet of one paper."""
        sheet = shown.sheet
        return cls(
            paper_id=shown.paper.id,
            code=shown.paper.code,
            attempt=AttemptOut.of(sheet.attempt),
            paper_version=sheet.paper_version,
            answered=sheet.answered,
            marked_for_review=sheet.marked_for_review,
            questions=entries_of(sheet),
        )


class CandidateSheetsOut(Out):
    """The response sheets of a candidate. Papers that were missed, or are still running, are left out."""

    exam_id: UUID
    roll_number: str
    name: str
    papers: list[PaperSheetOut]

    @classmethod
    def of_candidate(cls, found: CandidateResponses) -> Self:
        """All sheets of a candidate."""
        return cls(
            exam_id=found.exam.id,
            roll_number=found.registration.roll_number,
            name=found.registration.name,
            papers=[PaperSheetOut.of_sheet(each) for each in found.papers],
        )
