"""Tells candidates that the key of a test was corrected, and what it did to their result."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.models import KeyRevision, Kind, RevisionState
from app.repositories.attempts.key_revisions import ChangedResult
from app.repositories.embargo import CANDIDATE
from app.repositories.notifications import Notice
from app.services.components import Components
from app.services.notifications.creating import BATCH, build_notice
from app.services.unit_of_work import unit_of_work


async def key_revised(parts: Components, revision_id: UUID, now: datetime) -> int:
    """Notify everybody whose score or rank a revision has changed, once for each attempt.

    Nobody is told while an exam withholds the result. Ranks are left out while they are withheld.
    """
    created, last = 0, None
    while True:
        async with unit_of_work(parts.engine) as uow:
            revision = await uow.key_revisions.get(revision_id)
            if revision.state != RevisionState.PUBLISHED:
                return created
            hides_ranks = await uow.embargo.withholds_rank(CANDIDATE, revision.test_id)
            batch = await uow.key_revisions.changed(revision_id, last, BATCH)
            notices = [
                (changed.user_id, _notice(revision, changed, hides_ranks=hides_ranks)) for changed in batch
            ]
            created += await uow.notifications.create(notices, now, push=parts.pusher is not None)
        if len(batch) < BATCH:
            return created
        last = batch[-1].revised.attempt_id


def _notice(revision: KeyRevision, changed: ChangedResult, *, hides_ranks: bool) -> Notice:
    revised = changed.revised
    data: dict[str, Any] = {
        "title": changed.title,
        "test_id": str(revision.test_id),
        "attempt_id": str(revised.attempt_id),
        "number": revision.number,
        "questions": [change["number"] for change in revision.changes],
        "reason": revision.reason,
        "score_before": revised.score_before,
        "score_after": revised.score_after,
        "rank_before": None if hides_ranks else revised.rank_before,
        "rank_after": None if hides_ranks else revised.rank_after,
    }
    if changed.exam_id is not None:
        data["exam_id"] = str(changed.exam_id)
    return build_notice(Kind.KEY_REVISED, f"{revision.id}:{revised.attempt_id}", data)
