"""Official results as their candidates see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.core.errors import Invalid, NotFound, ResultsNotReleased
from app.engine.schedule import ExamStage
from app.models import Exam, ExamRelease, ExamResult
from app.repositories.exams.results import OfficialRevision, OwnRelease
from app.sentences import Sentence
from app.services import embargo
from app.services.exams.catalog import exam_viewer
from app.services.exams.releasing import require_released
from app.services.unit_of_work import Reading
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class ExamResultView:
    """A candidate's own result over all papers of an exam."""

    exam: Exam
    stage: ExamStage
    result: ExamResult
    release: ExamRelease
    revisions: Sequence[OfficialRevision] = ()
    """What revisions of keys did to it, the first one first."""
    releases: Sequence[OwnRelease] = ()
    """The candidate's figures in each release, the first one first."""


async def result(reads: Reading, user: Principal, exam_id: UUID) -> ExamResultView:
    """One's own official result. Raises ResultsNotReleased, or NotFound for who was not registered."""
    exam = await released_exam(reads, user, exam_id)
    registration = await reads.registrations.of(exam.id, user.id)
    found = await reads.exam_results.result(exam, registration.id) if registration else None
    release = await reads.exam_results.release(exam)
    if found is None or release is None:
        raise NotFound("result")
    revisions = await reads.exam_results.revisions(exam.id, found.registration_id)
    releases = await reads.exam_results.own_releases(exam, found.registration_id)
    return ExamResultView(exam, ExamStage.RELEASED, found, release, revisions, releases)


async def released_exam(reads: Reading, person: Principal, exam_id: UUID) -> Exam:
    """The exam, if its results are out, and no other exam withholds its questions from this person."""
    exam = await reads.exams.find(exam_viewer(person), exam_id)
    require_released(exam)
    if await reads.embargo.withholds_exam(embargo.reader(person), exam.id):
        raise ResultsNotReleased
    return exam


def version_of(exam: Exam, wanted: int | None) -> int:
    """The version of the results that is wanted; without a wish the current one. Raises Invalid."""
    current = exam.results_version or 1
    if wanted is None or 1 <= wanted <= current:
        return wanted or current
    template = "The results have no version {version}. The current one is {current}."
    raise Invalid.field("version", Sentence(template, version=wanted, current=current))
