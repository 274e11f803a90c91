"""Files with result sheets and certificates, and the look-up of printed results."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints

from app.core.names import MAX_ROLL_NUMBER_LENGTH
from app.engine.merit import ExamOutcome
from app.models import ResultFileKind
from app.repositories.exams import WantedResults
from app.schemas.common import In, LocalizedText, Out
from app.schemas.users import Category
from app.services.result_documents import DocumentLanguage, FoundResult, ResultFileView

RollNumber = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ROLL_NUMBER_LENGTH)]


class OnlyIn(In):
    """Whose documents are wanted: candidates who meet each condition that is not empty."""

    roll_numbers: list[RollNumber] = Field(default_factory=list, max_length=2_000)
    categories: list[Category] = Field(default_factory=list, max_length=5)


class ResultFileIn(In):
    """A file with the documents of many candidates. Without `only`, of all of them."""

    kind: ResultFileKind
    language: DocumentLanguage = "both"
    only: OnlyIn = Field(default_factory=OnlyIn)

    def wanted(self) -> WantedResults:
        """What the service takes."""
        return WantedResults(tuple(self.only.roll_numbers), tuple(self.only.categories))


class ResultFileOut(Out):
    """A file of documents. `done` of `total` are made; `file_url` is null until the file is ready.

    `is_current` is false if the results were revised since: the file then shows the older `version`. After
    `expires_at` there is no such file.
    """

    id: UUID
    kind: ResultFileKind
    language: DocumentLanguage
    status: Literal["waiting", "ready"]
    done: int
    total: int
    version: int
    is_current: bool
    created_at: datetime
    expires_at: datetime
    size_bytes: int | None
    file_url: str | None

    @classmethod
    def of(cls, view: ResultFileView) -> Self:
        """A file with its progress."""
        file, is_ready = view.file, view.file.ready_at is not None
        return cls(
            id=file.id,
            kind=ResultFileKind(file.kind),
            language=file.language,
            status="ready" if is_ready else "waiting",
            done=file.done,
            total=file.total,
            version=file.version,
            is_current=file.version == view.current_version,
            created_at=file.created_at,
            expires_at=file.expires_at,
            size_bytes=file.size_bytes,
            file_url=f"/v1/exams/{file.exam_id}/result-sheets/{file.id}/file" if is_ready else None,
        )


class FoundResultOut(Out):
    """What the institute has under the id and version of a document.

    `is_genuine` is true if the digest belongs to this result: compare the name, marks and rank on the paper
    with those here. It is null for a sheet of a test that was marked by an older key. `current_version` is
    larger than `version` if the result was revised: `score` and `rank` are those of `version` for an exam,
    and the current score for a test, which has no official rank.
    """

    kind: Literal["exam", "test"]
    is_genuine: bool | None
    title: LocalizedText
    name: str | None
    roll_number: str | None
    version: int
    current_version: int
    score: str | None
    rank: int | None
    outcome: ExamOutcome | None

    @classmethod
    def of(cls, found: FoundResult) -> Self:
        """A result that was looked up."""
        return cls.model_validate(found)
