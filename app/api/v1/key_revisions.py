"""Key revisions over HTTP: dry run, publication with progress, withdrawal."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, status

from app.api.deps import CurrentAuthor, Now, Paging, Parts, Reads, Uow, takes_nothing
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import NotFound, NotPossible, QuestionUnreadable
from app.core.revision_errors import KeyRevisionRunning, StaleDryRun
from app.schemas.key_revisions import KeyRevisionIn, KeyRevisionOut, KeyRevisionsOut, KeyRevisionSummaryOut
from app.services.keys import publication, revisions

router = PrefixRouter(prefix="/tests/{test_id}/key-revisions", tags=["key revisions"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="The number of the revision")]


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(NotFound, QuestionUnreadable))
async def create_key_revision(
    test_id: UUID, body: KeyRevisionIn, author: CurrentAuthor, uow: OnceUow, parts: Parts, now: Now
) -> KeyRevisionOut:
    """Try a correction of the key of a test: the dry run shows what it would change, and changes nothing.

    For the author of the test and admins. All versions of the test's paper that have the questions are
    corrected, at the test and in exams. With more than 5,000 graded attempts the impact is computed in the
    background: `status` is `computing`, and `impact` null, until it is there.
    """
    return KeyRevisionOut.of(await revisions.create(uow, parts, author, test_id, body.draft(), now))


@router.get("", responses=problems(NotFound))
async def list_key_revisions(
    test_id: UUID, author: CurrentAuthor, reads: Reads, paging: Paging
) -> KeyRevisionsOut:
    """The revisions of a test, the newest first: for its author and admins."""
    page = await revisions.page(reads, author, test_id, paging)
    items = [KeyRevisionSummaryOut.summary(revision) for revision in page.items]
    return KeyRevisionsOut(items=items, next_cursor=page.next_cursor)


@router.get("/{number}", responses=problems(NotFound))
async def get_key_revision(
    test_id: UUID, number: Number, author: CurrentAuthor, reads: Reads
) -> KeyRevisionOut:
    """One revision with its impact, and with its progress while it is being published."""
    return KeyRevisionOut.of(await revisions.find(reads, author, test_id, number))


@router.post(
    "/{number}/publish",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[Depends(takes_nothing)],
    responses=problems(NotFound, NotPossible, StaleDryRun, KeyRevisionRunning, QuestionUnreadable),
)
async def publish_key_revision(
    test_id: UUID,
    number: Number,
    author: CurrentAuthor,
    uow: Uow,
    now: Now,
    even_if_graded: Annotated[
        bool, Query(description="Publish although attempts were graded since the dry run")
    ] = False,
) -> KeyRevisionOut:
    """Publish a dry run. Everybody is graded again in the background; again gives the same revision.

    Results, ranks and reviews change for all at one moment, `completed_at`. Before the release of an exam the
    keys are those by which it will be released; after it, the official results get another version. The
    questions of the bank get their new keys at once, unless they were changed meanwhile. 409 `stale_dry_run`
    if anything was graded, revised or published since the dry run.
    """
    return KeyRevisionOut.of(
        await publication.publish(uow, author, test_id, number, now, even_if_graded=even_if_graded)
    )


@router.delete("/{number}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(NotFound, NotPossible))
async def withdraw_key_revision(test_id: UUID, number: Number, author: CurrentAuthor, uow: Uow) -> None:
    """Withdraw a dry run, which stays in the list. A revision that was published cannot be withdrawn.

    One that is being published can, if its job has failed so often that it was given up: no result has
    changed then. Its questions in the bank keep their new keys, and a question that was dropped stays
    retired: `bank` names them.
    """
    await revisions.withdraw(uow, author, test_id, number)
