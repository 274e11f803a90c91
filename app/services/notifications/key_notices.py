"""Notifications about keys: the stages in which an exam shows them, and decisions on objections."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.engine.objections import ObjectionRules
from app.engine.question_types import shown_key
from app.models import Kind
from app.services.components import Components
from app.services.notifications.creating import BATCH, build_notice, create_for_registered
from app.services.unit_of_work import unit_of_work


async def key_shown(parts: Components, exam_id: UUID, stage: str, now: datetime) -> int:
    """Notify everybody who is registered that the keys are shown, once for each stage and end of objections.

    Does nothing if the exam is in another stage meanwhile.
    """
    async with unit_of_work(parts.engine) as uow:
        found = await uow.exam_events.exam(exam_id)
    if found is None or found[0].cancelled_at is not None or found[0].key_stage != stage:
        return 0
    exam = found[0]
    data: dict[str, Any] = {"exam_id": str(exam.id), "exam_title": exam.title, "stage": stage}
    if exam.objections is not None and stage == "provisional_key":
        rules = ObjectionRules.of(exam.objections)
        data["sources_required"] = rules.sources_required
        if rules.opens_at is not None and rules.closes_at is not None:
            data |= {"opens_at": _iso_time(rules.opens_at), "closes_at": _iso_time(rules.closes_at)}
    notice = build_notice(Kind.KEY_SHOWN, f"{exam_id}:{stage}:{data.get('closes_at', '')}", data)
    return await create_for_registered(parts, exam_id, lambda _: notice, now)


async def objections_decided(parts: Components, cluster_id: UUID, decision: int, now: datetime) -> int:
    """Notify everybody who made one of these objections of the decision and its reason, in batches.

    Does nothing if the decision was replaced meanwhile: that one has a job of its own.
    """
    created, last = 0, None
    while True:
        async with unit_of_work(parts.engine) as uow:
            cluster = await uow.objections.told_cluster(cluster_id)
            if cluster is None or cluster.decisions != decision or cluster.accepted is None:
                return created
            data = {
                "test_id": str(cluster.test_id),
                "test_title": await uow.objections.title_of(cluster.test_id),
                "question_id": str(cluster.question_id),
                "question_number": cluster.number,
                "claimed_key": shown_key(cluster.claimed_key),
                "accepted": cluster.accepted,
                "reason": cluster.reason,
            }
            notice = build_notice(Kind.OBJECTION_DECIDED, f"{cluster_id}:{decision}", data)
            batch = await uow.objections.objectors(cluster_id, last, BATCH)
            notices = [(each.user_id, notice) for each in batch if each.user_id is not None]
            created += await uow.notifications.create(notices, now, push=parts.pusher is not None)
        if len(batch) < BATCH:
            return created
        last = batch[-1].id


def _iso_time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
