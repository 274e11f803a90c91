"""Exams over HTTP: lists, composing, publication and announcements."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, status

from app.api.attempts import attempt_of_token, refuse_banned
from app.api.deps import (
    AttemptHolder,
    CurrentAuthor,
    CurrentUser,
    Now,
    Paging,
    Parts,
    Reads,
    Uow,
    takes_nothing,
)
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import (
    Conflict,
    Invalid,
    NotFound,
    NotPossible,
    NotPublishable,
)
from app.engine.schedule import ExamStage
from app.repositories.base import page_of
from app.repositories.exams import ExamFilter
from app.schemas.common import PageOut
from app.schemas.exams.catalog import ExamOut, ExamPaperOut, PublishedExamOut
from app.schemas.exams.exams import (
    AnnouncementOut,
    ExamChangesIn,
    ExamIn,
    ExamPaperChangesIn,
    ExamPaperIn,
)
from app.services import exams

router = PrefixRouter(prefix="/exams", tags=["exams"])

ListedStage = Literal[
    "draft", "scheduled", "live", "closed", "provisional_key", "final_key", "released", "cancelled"
]
StageFilter = Annotated[
    list[ListedStage] | None,
    Query(max_length=8, description="A stage, or `cancelled`. Several: exams in any of them"),
]


@router.get("")
async def list_exams(
    user: CurrentUser,
    reads: Reads,
    now: Now,
    paging: Paging,
    status: StageFilter = None,
    registered: Annotated[bool | None, Query(description="Whether you are registered")] = None,
) -> PageOut[ExamOut]:
    """Exams, newest first, each with its next start and your registration. Staff see drafts too."""
    wanted = ExamFilter([ExamStage(each) for each in status or ()], registered)
    page = await exams.page(reads, user, wanted, now, paging)
    return PageOut(items=[ExamOut.of(view) for view in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(Invalid))
async def create_exam(body: ExamIn, author: CurrentAuthor, uow: OnceUow, now: Now) -> ExamOut:
    """Create an exam. Candidates see it once it is published."""
    exam = await exams.create(uow, author, body.draft())
    return ExamOut.of(await exams.view(uow, author, exam, now))


@router.get("/{exam_id}", responses=problems(NotFound))
async def get_exam(exam_id: UUID, user: CurrentUser, reads: Reads, now: Now) -> ExamOut:
    """One exam, with its next start and your registration."""
    return ExamOut.of(await exams.find(reads, user, exam_id, now))


@router.patch("/{exam_id}", responses=problems(NotFound, NotPossible, Invalid))
async def change_exam(
    exam_id: UUID, body: ExamChangesIn, author: CurrentAuthor, uow: Uow, now: Now
) -> ExamOut:
    """Change an exam. After publication its times cannot be changed; postpone it instead."""
    exam = await exams.change(uow, author, exam_id, body.changes(), now)
    return ExamOut.of(await exams.view(uow, author, exam, now))


@router.get("/{exam_id}/papers", responses=problems(NotFound))
async def list_papers(
    exam_id: UUID, user: CurrentUser, reads: Reads, now: Now, paging: Paging
) -> PageOut[ExamPaperOut]:
    """The papers of an exam in the order of their start.

    Duration, number of questions, marks and languages are known before the paper opens.
    """
    papers = await exams.papers(reads, user, exam_id, now)
    page = page_of(papers, lambda paper: paper.view.paper.id, paging)
    return PageOut(items=[ExamPaperOut.of(paper) for paper in page.items], next_cursor=page.next_cursor)


@router.post(
    "/{exam_id}/papers",
    status_code=status.HTTP_201_CREATED,
    responses=problems(NotFound, Conflict, NotPossible, Invalid),
)
async def add_paper(
    exam_id: UUID, body: ExamPaperIn, author: CurrentAuthor, uow: OnceUow, now: Now
) -> ExamPaperOut:
    """Place a test in an exam. Until the results are released, candidates do not see the test elsewhere.

    409 if candidates have attempted the test already.
    """
    paper = await exams.add_paper(uow, author, exam_id, body.draft())
    return ExamPaperOut.of(await exams.detailed_paper(uow, paper, now))


@router.patch("/{exam_id}/papers/{paper_id}", responses=problems(NotFound, Conflict, NotPossible, Invalid))
async def change_paper(
    exam_id: UUID, paper_id: UUID, body: ExamPaperChangesIn, author: CurrentAuthor, uow: Uow, now: Now
) -> ExamPaperOut:
    """Change a paper of an exam that is not published."""
    paper = await exams.change_paper(uow, author, exam_id, paper_id, body.changes())
    return ExamPaperOut.of(await exams.detailed_paper(uow, paper, now))


@router.delete(
    "/{exam_id}/papers/{paper_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound, NotPossible),
)
async def remove_paper(exam_id: UUID, paper_id: UUID, author: CurrentAuthor, uow: Uow) -> None:
    """Remove a paper from an exam that is not published. Its test can be used elsewhere again."""
    await exams.remove_paper(uow, author, exam_id, paper_id)


@router.post(
    "/{exam_id}/publish",
    dependencies=[Depends(takes_nothing)],
    responses=problems(NotFound, NotPublishable, NotPossible),
)
async def publish_exam(exam_id: UUID, author: CurrentAuthor, uow: Uow, now: Now) -> PublishedExamOut:
    """Publish the exam for candidates. Each paper uses the current version of its test.

    Publish again to use newer versions; this is possible until the first attempt has started. Afterwards the
    call changes nothing: `unchanged` then says why, and which papers have a newer version that is not used.
    """
    published = await exams.publish(uow, author, exam_id, now)
    return PublishedExamOut.of_publication(published, await exams.view(uow, author, published.exam, now))


@router.get("/{exam_id}/announcements", responses=problems(NotFound))
async def list_announcements(
    exam_id: UUID, holder: AttemptHolder, reads: Reads, parts: Parts, paging: Paging
) -> PageOut[AnnouncementOut]:
    """Announcements to participants, newest first. Read them after the socket was disconnected.

    The attempt token of an attempt at this exam opens them, too: without a login there is no socket, so read
    them every half minute.
    """
    if holder.principal is not None:
        page = await exams.announcements(reads, holder.principal, exam_id, paging)
    else:
        await refuse_banned(reads, holder)
        page = await exams.announcements_for_attempt(reads, parts, attempt_of_token(holder), exam_id, paging)
    return PageOut(
        items=[AnnouncementOut.model_validate(row) for row in page.items], next_cursor=page.next_cursor
    )
