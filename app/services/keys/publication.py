"""Publishing a dry run: whether it may be, what the bank gets, and the job that carries it out."""

from datetime import datetime
from uuid import UUID

from app.core.errors import Invalid, NotPossible
from app.core.revision_errors import KeyRevisionRunning, StaleDryRun
from app.models import KeyRevision, RevisionState
from app.services import tests
from app.services.keys import bank
from app.services.keys.changes import changes_of, revised_papers
from app.services.keys.revisions import (
    PUBLISH_TASK,
    RevisionView,
    check_keys_known,
    check_team,
    job_arguments,
    question_ids,
    record,
    state_of,
    view_of,
)
from app.services.keys.scales import obstacle_of
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


async def publish(
    uow: UnitOfWork,
    staff: Principal,
    test_id: UUID,
    number: int,
    now: datetime,
    *,
    even_if_graded: bool = False,
) -> RevisionView:
    """Publish a dry run: a job grades everybody again. Again gives the same revision.

    Raises StaleDryRun if anything was graded, revised or published since the dry run, KeyRevisionRunning
    while another revision of the test is being published, and NotPossible for a revision that is withdrawn,
    whose impact is not computed yet, or with whose marks a released exam could have no official results.
    `even_if_graded` accepts that attempts were graded since.
    """
    test = await uow.key_revisions.lock_test(tests.viewer(staff), test_id)
    check_team(test, staff)
    revision = await uow.key_revisions.find(test.id, number)
    await check_keys_known(uow, staff, question_ids(revision))
    if revision.state == RevisionState.PUBLISHING:
        await _request(uow, revision)
    elif revision.state != RevisionState.PUBLISHED:
        await _check_publishable(uow, revision, even_if_graded=even_if_graded)
        revision.state = RevisionState.PUBLISHING
        revision.published_by, revision.published_at = staff.author_id, now
        revision.bank = await bank.follow(uow, staff, revision)
        await _request(uow, revision)
        record(uow, staff, "publish_key_revision", revision)
        await uow.key_revisions.flush()
    return await view_of(uow, staff, revision)


async def _check_publishable(uow: UnitOfWork, revision: KeyRevision, *, even_if_graded: bool) -> None:
    if revision.state == RevisionState.WITHDRAWN:
        raise NotPossible("The dry run was withdrawn. Make another one.")
    if (running := await uow.key_revisions.publishing(revision.test_id)) is not None:
        raise KeyRevisionRunning(running.number)
    changed = await _changed_since(uow, revision)
    if even_if_graded:
        changed = [what for what in changed if what != "graded"]
    if changed:
        raise StaleDryRun(changed)
    if revision.impact is None:
        raise NotPossible("The impact of this revision is still being computed. Try again in a moment.")
    if (obstacle := obstacle_of(revision.impact)) is not None:
        raise NotPossible(obstacle)


async def _changed_since(reads: Reading, revision: KeyRevision) -> list[str]:
    """What has happened since the dry run: `published`, `revised` or `graded`."""
    based_on = revision.based_on
    try:
        revised = await revised_papers(reads, revision.test_id, changes_of(revision))
    except Invalid:
        return ["revised"]  # No key would change any more.
    keys = {str(each.paper.id): str(each.current.id) for each in revised}
    if keys.keys() - based_on.keys():
        return ["published"]
    if keys != {paper_id: state["key_id"] for paper_id, state in based_on.items()}:
        return ["revised"]
    return [] if await state_of(reads, revision.test_id, revised) == based_on else ["graded"]


async def _request(uow: UnitOfWork, revision: KeyRevision) -> None:
    """Add the job that publishes, unless one waits or runs. A second one would do nothing."""
    arguments = job_arguments(revision)
    if not await uow.jobs.is_waiting(PUBLISH_TASK, arguments):
        uow.jobs.add(PUBLISH_TASK, **arguments)
