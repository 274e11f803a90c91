"""Key revisions of a test: dry run, publication, withdrawal (docs/decisions/0075).

States: a dry run is published or withdrawn. While it is publishing, `carrying_out.py` grades everybody by
new keys in the background; then it is published, or withdrawn if its job was given up. The lock of the test
guards all changes of a state but the last, and one revision of a test is publishing at a time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.errors import Forbidden, NotPossible
from app.models import Keep, KeyRevision, Paper, RevisionState, Role, Test
from app.repositories.attempts.key_revisions import OtherTest, PlacedPaper
from app.repositories.base import Page, PageRequest
from app.services import audit, embargo, tests
from app.services.audit import AuditSubject
from app.services.components import Components
from app.services.keys.changes import KeyChange, RevisedPaper, changes_of, revised_papers, shown_changes
from app.services.keys.impacts import MAX_PER_REQUEST, impact_of
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal

COMPUTE_TASK = "compute_key_revision"
PUBLISH_TASK = "publish_key_revision"


@dataclass(frozen=True, slots=True)
class RevisionDraft:
    """What staff ask for."""

    changes: Sequence[KeyChange]
    reason: str
    keep: Keep = Keep.NEW


@dataclass(frozen=True, slots=True)
class RevisionView:
    """A revision, what it reaches, and which tests with the same questions it does not."""

    revision: KeyRevision
    papers: Sequence[Paper]
    """The versions of the paper whose keys change, the newest first."""
    exams: Sequence[PlacedPaper]
    not_revised: Sequence[OtherTest]


async def create(
    uow: UnitOfWork, parts: Components, staff: Principal, test_id: UUID, draft: RevisionDraft, now: datetime
) -> RevisionView:
    """Make a dry run. Nothing changes but that it is stored.

    Raises Forbidden for who did not make the test, or where another exam withholds keys of its paper, and
    Invalid for changes that cannot be made.
    """
    test = await uow.key_revisions.lock_test(tests.viewer(staff), test_id)
    check_team(test, staff)
    # What is wrong with a change may tell the key that holds.
    await _refuse_withheld(uow, staff, [change.question_id for change in draft.changes])
    revised = await revised_papers(uow, test.id, draft.changes)
    await _check_may_know(uow, staff, [each.paper for each in revised])
    based_on = await state_of(uow, test.id, revised)
    total = sum(state["attempts"] for state in based_on.values())
    revision = KeyRevision(
        test_id=test.id,
        number=await uow.key_revisions.next_number(test.id),
        changes=[change.stored() for change in shown_changes(revised, draft.changes)],
        reason=draft.reason,
        keep=draft.keep,
        based_on=based_on,
        to_regrade=total,
        created_by=staff.author_id,
        created_at=now,
    )
    if total <= MAX_PER_REQUEST:
        revision.impact = await impact_of(uow, parts, test.id, revised, draft.keep)
    await uow.key_revisions.add(revision)
    if revision.impact is None:
        uow.jobs.add(COMPUTE_TASK, revision_id=str(revision.id))
    record(uow, staff, "try_key_revision", revision)
    return await view_of(uow, staff, revision)


async def compute(uow: UnitOfWork, parts: Components, revision_id: UUID) -> None:
    """Compute the impact of a dry run with many attempts. Does nothing if it is withdrawn or computed."""
    revision = await uow.key_revisions.get(revision_id)
    if revision.state != RevisionState.DRY_RUN or revision.impact is not None:
        return
    revised = await revised_papers(uow, revision.test_id, changes_of(revision))
    revision.impact = await impact_of(uow, parts, revision.test_id, revised, revision.keep)


async def page(reads: Reading, staff: Principal, test_id: UUID, request: PageRequest) -> Page[KeyRevision]:
    """The revisions of a test, the newest first."""
    test = await reads.key_revisions.test(tests.viewer(staff), test_id)
    check_team(test, staff)
    found = await reads.key_revisions.page(test.id, request)
    questions = {question_id for revision in found.items for question_id in question_ids(revision)}
    await check_keys_known(reads, staff, questions)
    return found


async def find(reads: Reading, staff: Principal, test_id: UUID, number: int) -> RevisionView:
    """One revision with its progress."""
    test = await reads.key_revisions.test(tests.viewer(staff), test_id)
    check_team(test, staff)
    revision = await reads.key_revisions.find(test.id, number)
    await check_keys_known(reads, staff, question_ids(revision))
    return await view_of(reads, staff, revision)


async def withdraw(uow: UnitOfWork, staff: Principal, test_id: UUID, number: int) -> None:
    """Withdraw a dry run, or a revision whose job was given up. Again is harmless.

    If the job was given up, only the bank has changed, and it keeps the new keys. Raises NotPossible while
    the revision is being published, and once it is.
    """
    test = await uow.key_revisions.lock_test(tests.viewer(staff), test_id)
    check_team(test, staff)
    revision = await uow.key_revisions.find(test.id, number)
    if revision.state == RevisionState.WITHDRAWN:
        return
    if revision.state == RevisionState.PUBLISHED:
        raise NotPossible("The revision is published. Correct it by another revision.")
    if revision.state == RevisionState.PUBLISHING:
        if await uow.jobs.is_waiting(PUBLISH_TASK, job_arguments(revision)):
            raise NotPossible("The revision is being published. It can be withdrawn only if that fails.")
        revision.published_by, revision.published_at, revision.regraded = None, None, 0
    revision.state = RevisionState.WITHDRAWN
    record(uow, staff, "withdraw_key_revision", revision)


def job_arguments(revision: KeyRevision) -> dict[str, str]:
    """The arguments of the job that publishes a revision."""
    return {"revision_id": str(revision.id)}


def question_ids(revision: KeyRevision) -> list[UUID]:
    """The questions whose keys a revision changes."""
    return [change.question_id for change in changes_of(revision)]


async def state_of(reads: Reading, test_id: UUID, revised: Sequence[RevisedPaper]) -> dict[str, Any]:
    """What a dry run is based on, as `KeyRevision.based_on` has it."""
    graded = await reads.key_revisions.graded_states(test_id, [each.paper.id for each in revised])
    found = {}
    for each in revised:
        state = graded.get(each.paper.id)
        found[str(each.paper.id)] = {
            "key_id": str(each.current.id),
            "attempts": state.attempts if state else 0,
            "last_graded_at": state.last_graded_at.isoformat() if state else None,
        }
    return found


async def view_of(reads: Reading, staff: Principal, revision: KeyRevision) -> RevisionView:
    ids = question_ids(revision)
    papers = await reads.key_revisions.papers(revision.test_id, ids)
    exams = await reads.key_revisions.placed([paper.id for paper in papers])
    others = await reads.key_revisions.others(tests.viewer(staff), revision.test_id, ids)
    return RevisionView(revision, papers, exams, others)


def check_team(test: Test, staff: Principal) -> None:
    """Raise Forbidden for who neither made the test nor is an admin."""
    if staff.role is not Role.ADMIN and test.created_by != staff.id:
        raise Forbidden("Only the author of the test and admins may revise its keys.")


async def _check_may_know(reads: Reading, staff: Principal, papers: Sequence[Paper]) -> None:
    """Raise Forbidden where another exam withholds a key of the papers: their scores would tell it."""
    reader = embargo.reader(staff)
    for paper in papers:
        if await reads.embargo.withholds_paper(reader, paper.id):
            raise Forbidden(_HELD)
    audit.record_key_read(reads, staff, await audit.held_among(reads, _all_of(papers)), where="key_revision")


async def check_keys_known(reads: Reading, staff: Principal, asked: Collection[UUID]) -> None:
    """Raise Forbidden where another exam withholds the key of a revised question."""
    await _refuse_withheld(reads, staff, asked)
    audit.record_key_read(reads, staff, await audit.held_among(reads, asked), where="key_revision")


async def _refuse_withheld(reads: Reading, staff: Principal, asked: Collection[UUID]) -> None:
    if await embargo.withheld(reads, staff, asked):
        raise Forbidden(_HELD)


def _all_of(papers: Sequence[Paper]) -> set[UUID]:
    return {UUID(entry["id"]) for paper in papers for entry in paper.rules["questions"]}


def record(uow: UnitOfWork, staff: Principal, action: str, revision: KeyRevision) -> None:
    audit.record(
        uow,
        staff,
        action,
        AuditSubject("test", revision.test_id),
        reason=revision.reason,
        revision=revision.number,
        question_ids=[change["question_id"] for change in revision.changes],
    )


_HELD = (
    "Another exam that is not released has questions of this test, and their keys are withheld from you."
    " Its author or an admin can revise them."
)
