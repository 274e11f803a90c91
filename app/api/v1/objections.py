"""Objections to keys over HTTP, and the keys that candidates of an exam see before its release."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Body, Query, Response, status

from app.api.deps import CurrentAuthor, CurrentBankReader, CurrentUser, Now, Paging, Parts, Reads, Uow
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.api.sheet_files import SHEET_CONTENT, sheet_response
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, NotPossible, NotRegistered
from app.core.objection_errors import (
    KeyNotShown,
    ObjectionDecided,
    ObjectionLimitReached,
    ObjectionsClosed,
    ObjectionsOpen,
)
from app.core.release_errors import AttemptsInProgress, PapersNotOver
from app.models import Role
from app.repositories.objections import ClusterFilter
from app.schemas.common import PageOut
from app.schemas.objections import (
    DecidedOut,
    DecideIn,
    KeyOfPaperOut,
    KeyStageIn,
    KeyStageOut,
    ObjectionClusterOut,
    ObjectionIn,
    ObjectionOut,
    ObjectionTextOut,
)
from app.services import exams, objections
from app.services.components import Components
from app.services.exams import KeyStage
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from app.sheets.writers import SheetFormat

exam_router = PrefixRouter(prefix="/exams/{exam_id}", tags=["objections"])
router = PrefixRouter(prefix="/tests/{test_id}/objections", tags=["objections"])

StageBody = Annotated[KeyStageIn | None, Body()]


@exam_router.post(
    "/provisional-key", responses=problems(NotFound, PapersNotOver, AttemptsInProgress, NotPossible)
)
async def show_provisional_key(
    exam_id: UUID, author: CurrentAuthor, uow: Uow, parts: Parts, now: Now, body: StageBody = None
) -> KeyStageOut:
    """Show the keys to the candidates of the exam, beside their own answers, and take objections to them.

    Nobody sees a score, and the questions stay withheld elsewhere. The keys are shown as they are now: a
    later revision is seen with the final key or the release. Every registered candidate is told. Try it with
    `dry_run: true` first: a key that was seen cannot be taken back. Idempotent. Only the exam's author and
    admins may do this, once all papers and attempts are over.
    """
    return await _stage(uow, parts, author, exam_id, KeyStage.PROVISIONAL, now, body)


@exam_router.post(
    "/final-key",
    responses=problems(NotFound, PapersNotOver, AttemptsInProgress, ObjectionsOpen, NotPossible),
)
async def show_final_key(
    exam_id: UUID, author: CurrentAuthor, uow: Uow, parts: Parts, now: Now, body: StageBody = None
) -> KeyStageOut:
    """Show the keys by which the exam is going to be graded, and the decisions on objections.

    No objections are taken any more: 409 `objections_open` until their window is over. `dry_run: true`
    answers what candidates would see, with the claimed keys that are not decided yet. Idempotent. Only the
    exam's author and admins may do this.
    """
    return await _stage(uow, parts, author, exam_id, KeyStage.FINAL, now, body)


async def _stage(
    uow: UnitOfWork,
    parts: Components,
    author: Principal,
    exam_id: UUID,
    stage: KeyStage,
    now: Now,
    body: KeyStageIn | None,
) -> KeyStageOut:
    dry_run = body is not None and body.dry_run
    call = exams.preview_key if dry_run else exams.show_key
    return KeyStageOut.of(await call(uow, parts, author, exam_id, stage, now), dry_run=dry_run)


@exam_router.get("/papers/{paper_id}/key", responses=problems(NotFound, NotRegistered, KeyNotShown))
async def get_paper_key(
    exam_id: UUID, paper_id: UUID, user: CurrentUser, reads: Reads, parts: Parts
) -> KeyOfPaperOut:
    """The keys of a paper beside your own answers, from the stage `provisional_key` on.

    For registered candidates with an attempt that is over. There are no marks in it. 409 `key_not_shown`
    before the stage, and if the exam had none.
    """
    return KeyOfPaperOut.of(await exams.paper_key(reads, parts, user, exam_id, paper_id))


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses=problems(
        NotFound, Forbidden, KeyNotShown, ObjectionsClosed, ObjectionLimitReached, ObjectionDecided, Invalid
    ),
)
async def make_objection(
    test_id: UUID, body: ObjectionIn, user: CurrentUser, uow: OnceUow, parts: Parts, now: Now
) -> ObjectionOut:
    """Object to the key of a question: of a test that you have taken, alone or as a paper of an exam.

    The same question and claimed key again is the same objection: another explanation and other sources
    replace those before. The response is 409 `objections_closed` outside of the window, with its times, and
    409 `objection_decided` if this claimed key is decided already.
    """
    return ObjectionOut.of(await objections.make(uow, parts, user, test_id, body.new(), now))


@router.get(
    "",
    response_model=PageOut[ObjectionOut] | PageOut[ObjectionClusterOut],
    responses={
        200: {
            "content": SHEET_CONTENT,
            "description": "A page of your objections, for staff a page of clusters or a sheet of all",
        },
        **problems(NotFound, Forbidden, Invalid),
    },
)
async def list_objections(
    test_id: UUID,
    user: CurrentUser,
    reads: Reads,
    parts: Parts,
    paging: Paging,
    now: Now,
    question_id: Annotated[
        UUID | None, Query(description="Staff: only clusters of this question, with counts of answers")
    ] = None,
    decided: Annotated[bool | None, Query(description="Staff: only decided clusters, or only others")] = None,
    mine: Annotated[bool, Query(description="Your own objections, also if you are staff")] = False,
    format: Annotated[  # noqa: A002 -- the name of the API's parameter
        Literal["json", "csv", "xlsx"],
        Query(description="Staff: a page as JSON, or all as a sheet"),
    ] = "json",
) -> PageOut[ObjectionOut] | PageOut[ObjectionClusterOut] | Response:
    """Your objections at the test with the decisions on them.

    The author of the test, evaluators and admins get all objections: those to one question with one claimed
    key are a cluster. Clusters are in the order of the paper. They have the first objections;
    `GET …/objections/clusters/{cluster_id}` has all. Nobody is told who objected. `format=csv` or `xlsx` is a
    sheet with a row for each objection.
    """
    if mine or not user.is_any(Role.AUTHOR, Role.EVALUATOR):
        own = await objections.own(reads, user, test_id, paging, now)
        return PageOut(items=[ObjectionOut.of(each) for each in own.items], next_cursor=own.next_cursor)
    if format != "json":
        wanted = SheetFormat(format)
        file = await objections.objection_sheet(reads, parts, user, test_id, wanted)
        return sheet_response(file, "objections", wanted)
    chosen = ClusterFilter(question_id, decided)
    page = await objections.clusters(reads, parts, user, test_id, chosen, paging)
    return PageOut(items=[ObjectionClusterOut.of(each) for each in page.items], next_cursor=page.next_cursor)


@router.get("/clusters/{cluster_id}", responses=problems(NotFound, Forbidden))
async def list_cluster(
    test_id: UUID, cluster_id: UUID, staff: CurrentBankReader, reads: Reads, paging: Paging
) -> PageOut[ObjectionTextOut]:
    """All objections of a cluster, in the order in which they were made, without names."""
    page = await objections.texts(reads, staff, test_id, cluster_id, paging)
    items = [ObjectionTextOut.of_text(objection) for objection in page.items]
    return PageOut(items=items, next_cursor=page.next_cursor)


@router.post(
    "/decide",
    responses=problems(NotFound, Forbidden, ObjectionsOpen, ObjectionDecided, NotPossible, Conflict, Invalid),
)
async def decide_objections(
    test_id: UUID, body: DecideIn, staff: CurrentBankReader, uow: Uow, parts: Parts, now: Now
) -> DecidedOut:
    """Accept or reject all objections to a question with one claimed key, and tell every objector why.

    The same decision again changes nothing; another one is 409 `objection_decided` unless `replace` is true.
    Of an exam, nothing is decided before the end of its window, and a question that another published exam
    has is decided after that exam's release (409 `not_possible`). The key does not change: `revision` is the
    request that changes it. For the author of the test, evaluators and admins.
    """
    return DecidedOut.of(await objections.decide(uow, parts, staff, test_id, body.verdict(), now))


@router.delete(
    "/{objection_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound, Forbidden, KeyNotShown, ObjectionsClosed, ObjectionDecided),
)
async def withdraw_objection(
    test_id: UUID, objection_id: UUID, user: CurrentUser, uow: Uow, parts: Parts, now: Now
) -> None:
    """Withdraw your objection while its window is open and it is not decided. Nothing is left of it."""
    await objections.withdraw(uow, parts, user, test_id, objection_id, now)
