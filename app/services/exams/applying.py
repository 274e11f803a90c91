"""An exam as a file describes it: created, or changed where it differs (docs/decisions/0064)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from uuid import UUID

from app.core.errors import DomainError, NotFound
from app.models import ExamPaper
from app.services import tests
from app.services.exams.catalog import exam_viewer
from app.services.exams.editing import (
    ExamDraft,
    ExamPaperDraft,
    ExamPaperUpdate,
    ExamUpdate,
    add_paper,
    change,
    change_paper,
    create,
    outdated,
    remove_paper,
)
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class AppliedExam:
    """What became of an exam. `changes` are sentences; none if it was as the file says."""

    exam_id: UUID
    is_new: bool
    changes: Sequence[str]


async def lock_exam(
    uow: UnitOfWork, author: Principal, reference: str, test_references: Iterable[str]
) -> None:
    """Lock all that applying a file changes: the exam that has this reference, its papers, and the tests.

    Of two commands with the same file, the second one waits here and then finds the exam of the first.
    """
    await uow.questions.lock_bank(author.institute_id)
    exam_id = await with_reference(uow, author, reference)
    if exam_id is not None:
        await uow.exams.lock(author.institute_id, exam_id)
    await uow.placing.lock_placements(author.institute_id)
    if exam_id is not None:
        await uow.exams.lock_papers_exclusively(exam_id)
    await tests.lock_known_tests(uow, author, test_references)


async def apply_exam(
    uow: UnitOfWork, author: Principal, draft: ExamDraft, papers: Sequence[ExamPaperDraft], now: datetime
) -> AppliedExam:
    """Make the exam with the draft's reference, and its papers, what the drafts say.

    The caller has called `lock_exam`. Raises NotPossible for a change that a published exam does not allow.
    """
    exam_id = await with_reference(uow, author, draft.reference or "")
    if exam_id is None:
        exam_id, is_new, changes = (await create(uow, author, draft)).id, True, []
    else:
        is_new, changes = False, await _change(uow, author, exam_id, draft, now)
    existing = {paper.code: paper for paper in await uow.exams.papers(exam_id)}
    changes += await _remove(uow, author, existing, papers)
    for number, paper in enumerate(papers):
        with _errors_at(f"papers.{number}"):
            changes += await _place(uow, author, exam_id, existing.get(paper.code), paper)
    return AppliedExam(exam_id, is_new, changes)


async def with_reference(reads: Reading, staff: Principal, reference: str) -> UUID | None:
    """The exam that a file knows by this reference."""
    return await reads.exams.with_reference(staff.institute_id, reference)


async def _change(
    uow: UnitOfWork, author: Principal, exam_id: UUID, draft: ExamDraft, now: datetime
) -> list[str]:
    """Change what the file says otherwise. The window for objections is no part of it."""
    exam = await uow.exams.lock(author.institute_id, exam_id)
    names = {each.name for each in fields(ExamUpdate)} - {"objections"}
    different = {name: getattr(draft, name) for name in names if getattr(draft, name) != getattr(exam, name)}
    if not different:
        return []
    await change(uow, author, exam_id, ExamUpdate(**different), now)
    return [f"changed: {', '.join(sorted(different))}"]


async def _remove(
    uow: UnitOfWork, author: Principal, existing: dict[str, ExamPaper], papers: Sequence[ExamPaperDraft]
) -> list[str]:
    """Remove papers that the file does not have, and those whose test is another one."""
    wanted: Mapping[str, UUID] = {paper.code: paper.test_id for paper in papers}
    removed = [code for code, paper in existing.items() if wanted.get(code) != paper.test_id]
    for code in removed:
        paper = existing.pop(code)
        await remove_paper(uow, author, paper.exam_id, paper.id)
    return [f"paper {code}: removed" for code in removed]


@contextmanager
def _errors_at(place: str) -> Iterator[None]:
    """Put the path of a paper before the fields of its errors."""
    try:
        yield
    except DomainError as error:
        error.errors = tuple(replace(each, field=f"{place}.{each.field}") for each in error.errors)
        raise


async def _place(
    uow: UnitOfWork, author: Principal, exam_id: UUID, paper: ExamPaper | None, draft: ExamPaperDraft
) -> list[str]:
    if paper is None:
        await add_paper(uow, author, exam_id, draft)
        return [f"paper {draft.code}: added"]
    names = [each.name for each in fields(ExamPaperUpdate)]
    different = {name: getattr(draft, name) for name in names if getattr(draft, name) != getattr(paper, name)}
    if not different:
        return []
    await change_paper(uow, author, exam_id, paper.id, ExamPaperUpdate(**different))
    return [f"paper {draft.code}: changed {', '.join(sorted(different))}"]


async def named(reads: Reading, staff: Principal, name: str) -> UUID:
    """The exam that has this reference or this id. Raises NotFound."""
    found = await with_reference(reads, staff, name)
    if found is not None:
        return found
    try:
        exam_id = UUID(name)
    except ValueError:
        raise NotFound("exam") from None
    return (await reads.exams.find(exam_viewer(staff), exam_id)).id


async def is_unpublished(reads: Reading, staff: Principal, exam_id: UUID) -> bool:
    """Whether the exam is not published, or one of its tests has a newer version than its paper."""
    exam = await reads.exams.find(exam_viewer(staff), exam_id)
    return exam.published_at is None or bool(await outdated(reads, staff, await reads.exams.papers(exam_id)))
