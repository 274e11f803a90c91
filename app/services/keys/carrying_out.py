"""Carrying out a revision: everybody is graded by the new keys, in one transaction (docs/decisions/0075).

Readers see the results before until it commits. Killed in the middle it leaves nothing behind, and the job
does it again. An attempt that is submitted meanwhile stays `submitted`, and a job grades it by the new key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.core.errors import NotPossible
from app.models import Exam, KeyRevision, RevisionState
from app.models.message_data import LeaderboardData
from app.repositories.locks import LockedElsewhere
from app.repositories.realtime.messages import test_room
from app.services import attempts
from app.services.components import Components
from app.services.exams import releasing
from app.services.keys.changes import RevisedPaper, changes_of, revised_papers
from app.services.keys.regrading import Regrader
from app.services.keys.replacing import Replacement, Report
from app.services.tests import cohorts
from app.services.tests.papers import CompiledKey
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal, operator

WORKER_SILENCE = timedelta(seconds=30)
"""A worker that has not shown a heartbeat for so long is not there."""


TRIES = 10


class GradedMeanwhile(Exception):
    """An attempt or a key was changed between two locks, or since the keys were read. Try again."""


@dataclass(frozen=True, slots=True)
class PublicationProgress:
    """How far a publication is, and whether there is a worker that does it."""

    is_complete: bool
    done: int
    total: int
    has_worker: bool


async def progress_of(parts: Components, revision_id: UUID) -> PublicationProgress:
    """The progress of a revision that is being published. Raises NotPossible if it was withdrawn."""
    async with reading(parts.engine) as reads:
        revision = await reads.key_revisions.get(revision_id)
        seen = await reads.workers.latest_heartbeat()
    if revision.state == RevisionState.WITHDRAWN:
        raise NotPossible("The revision was withdrawn. Make another dry run.")
    return PublicationProgress(
        is_complete=revision.state == RevisionState.PUBLISHED,
        done=revision.regraded,
        total=revision.to_regrade,
        has_worker=seen is not None and seen > parts.clock.now() - WORKER_SILENCE,
    )


async def carry_out(
    uow: UnitOfWork, parts: Components, revision_id: UUID, now: datetime, report: Report | None = None
) -> None:
    """Publish what `publication.publish` has asked for. Does nothing if that is done.

    First everybody is graded by the new keys, without a lock. Locks after that: the exams, the test, the
    attempts that are over, the keys; then results and histograms. Raises GradedMeanwhile, and the caller
    rolls back and tries again.
    """
    revision = await uow.key_revisions.get(revision_id)
    if revision.state != RevisionState.PUBLISHING:
        return
    revised = await revised_papers(uow, revision.test_id, changes_of(revision))
    replacement = Replacement(uow, parts, revision, Regrader(revised, revision.keep), report or _no_report)
    await replacement.grade()
    exams = await _lock_exams(uow, revision)
    await uow.key_revisions.lock_for_publication(revision.test_id)
    revision = await uow.key_revisions.get(revision_id)
    if revision.state != RevisionState.PUBLISHING:
        return
    await _check_same(uow, revision, revised)
    await _lock_attempts_and_keys(uow, parts, revision, revised, now)
    regraded = await replacement.grade_again()
    keys = await _new_keys(uow, parts, revision, revised)
    await replacement.put_in_place(keys, now)
    revision.official = await _release_again(uow, parts, revision, revised, exams)
    await _tell(uow, revision)
    revision.new_keys = {str(paper_id): str(key.id) for paper_id, key in keys.items()}
    revision.regraded = revision.to_regrade = regraded
    revision.state, revision.completed_at = RevisionState.PUBLISHED, now
    await uow.key_revisions.flush()


async def publish_now(parts: Components, revision_id: UUID, now: datetime) -> None:
    """Carry out a revision in a transaction of its own, and again if something was changed meanwhile.

    Its progress is committed by transactions of their own, which take a second connection.
    """

    async def _report(done: int, total: int) -> None:
        async with unit_of_work(parts.engine) as other:
            await other.key_revisions.report(revision_id, done, total)

    for _ in range(TRIES):
        try:
            async with unit_of_work(parts.engine) as uow:
                return await carry_out(uow, parts, revision_id, now, _report)
        except GradedMeanwhile:
            continue
    raise GradedMeanwhile


async def _no_report(_done: int, _total: int) -> None:
    """Nobody watches."""


async def _check_same(uow: UnitOfWork, revision: KeyRevision, revised: Sequence[RevisedPaper]) -> None:
    """Raise GradedMeanwhile if a paper or a key was added before the test was locked."""
    now = await revised_papers(uow, revision.test_id, changes_of(revision))
    if [(each.paper.id, each.current.id) for each in now] != [
        (each.paper.id, each.current.id) for each in revised
    ]:
        raise GradedMeanwhile


async def _lock_attempts_and_keys(
    uow: UnitOfWork,
    parts: Components,
    revision: KeyRevision,
    revised: Sequence[RevisedPaper],
    now: datetime,
) -> None:
    """From here on nobody grades, voids, reopens or deletes an attempt at the papers.

    Whoever has ended has a score before, by the old key, whether or not a job has come to it.
    """
    paper_ids = sorted(each.paper.id for each in revised)
    await uow.key_revisions.lock_over(revision.test_id, paper_ids)
    ungraded = await uow.grading.lock_due(await uow.key_revisions.ungraded(revision.test_id, paper_ids))
    await uow.keys.lock_exclusively(paper_ids)
    try:
        await uow.key_revisions.lock_graded(revision.test_id, paper_ids)
    except LockedElsewhere:
        raise GradedMeanwhile from None
    await attempts.grade(uow, parts, ungraded, now)


async def _lock_exams(uow: UnitOfWork, revision: KeyRevision) -> Sequence[Exam]:
    """The exams with papers of the test, in the order of their ids: a release waits, or has been."""
    placed = await uow.key_revisions.exams_of(revision.test_id)
    return [await uow.exams.lock(institute_id, exam_id) for exam_id, institute_id in placed]


async def _new_keys(
    uow: UnitOfWork, parts: Components, revision: KeyRevision, revised: Sequence[RevisedPaper]
) -> Mapping[UUID, CompiledKey]:
    """The next version of each paper's key, whose lock is held."""
    keys = {}
    for each in sorted(revised, key=lambda each: each.paper.id):
        added = await cohorts.add_key_version(
            uow, each.paper.id, each.key, reason=revision.reason, created_by=revision.published_by
        )
        keys[each.paper.id] = await parts.papers.key(uow, added.id)
    return keys


async def _release_again(
    uow: UnitOfWork,
    parts: Components,
    revision: KeyRevision,
    revised: Sequence[RevisedPaper],
    exams: Sequence[Exam],
) -> dict[str, int]:
    """Make the next version of the official results of released exams with a revised paper; by exam.

    An exam may have another version of the paper, without the questions.
    """
    paper_ids = {each.paper.id for each in revised}
    versions = {}
    for exam in exams:
        pinned = {paper.paper_id for paper in await uow.exams.papers(exam.id)}
        if exam.released_at is not None and pinned & paper_ids:
            await releasing.materialize(uow, parts, _publisher(revision), exam, revision.reason)
            versions[str(exam.id)] = exam.results_version or 1
    return versions


async def _tell(uow: UnitOfWork, revision: KeyRevision) -> None:
    """What follows the commit: notifications, statistics, and a hint for who shows a leaderboard."""
    uow.jobs.add("notify_key_revised", revision_id=str(revision.id))
    uow.jobs.add("refresh_test_statistics", test_id=str(revision.test_id))
    participants = await uow.rooms.participants([revision.test_id])
    if (ranked := participants.get(revision.test_id)) is not None:
        version, count = ranked
        data = LeaderboardData(participants=count, paper_version=version)
        uow.messages.to_everybody(test_room(revision.test_id), data)


def _publisher(revision: KeyRevision) -> Principal:
    """Who has published: the creator of the next version of official results."""
    return replace(operator(), id=revision.published_by) if revision.published_by else operator()
