"""Decisions on clusters of objections: once, with a reason, told to every objector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.errors import Conflict, Invalid, NotFound, NotPossible
from app.core.objection_errors import ObjectionDecided, ObjectionsOpen
from app.engine.objections import joined_claims
from app.models import Exam, ObjectionCluster
from app.repositories.objections import CountedCluster
from app.services import audit, embargo
from app.services.analytics.candidates import check_may_see
from app.services.audit import AuditSubject
from app.services.components import Components
from app.services.exams.key_stages import KeyStage, objection_window
from app.services.objections.claims import digest, normal_claim, normal_key
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal

Key = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision on one claimed key of a question, or on all undecided ones. `replace` changes decisions."""

    question_id: UUID
    claimed_key: Key | None
    accept: bool
    reason: str
    replace: bool = False


@dataclass(frozen=True, slots=True)
class RevisionCall:
    """The request for a revision of the key that grants all accepted claims that the key does not have."""

    path: str
    changes: Sequence[Mapping[str, Any]]
    reason: str
    keep: str = "new"
    method: str = field(default="POST", init=False)


@dataclass(frozen=True, slots=True)
class Decided:
    """Decided clusters. `told` counts the objectors who are notified: none if nothing was changed."""

    clusters: Sequence[CountedCluster]
    told: int
    revision: RevisionCall | None


async def decide(
    uow: UnitOfWork, parts: Components, staff: Principal, test_id: UUID, verdict: Verdict, now: datetime
) -> Decided:
    """Accept or reject objections. The same decision again changes nothing.

    The key does not change: `Decided.revision` is the request that changes it. Raises NotFound, Forbidden,
    ObjectionsOpen before the end of an exam's window, NotPossible while another exam withholds the key, and
    ObjectionDecided for another decision without `replace`.
    """
    await check_may_see(uow, staff, test_id)
    await uow.objections.lock_to_decide(test_id)
    await _check_windows(uow, test_id, now)
    all_of_question = await uow.objections.of_question(test_id, verdict.question_id)
    chosen = await _chosen(uow, parts, test_id, all_of_question, verdict)
    changed = [each for each in chosen if not _is_same(each.cluster, verdict)]
    if changed:
        await _check_shown(uow, test_id, verdict.question_id)
    for each in changed:
        _check_replaced(each.cluster, verdict)
        _record(each.cluster, staff, verdict, now)
    _check_together([each.cluster for each in all_of_question])
    await uow.objections.flush()
    for each in changed:
        _tell(uow, staff, test_id, each)
    told = sum(each.objections for each in changed)
    return Decided(chosen, told, await _revision(uow, parts, staff, test_id))


async def _check_windows(uow: UnitOfWork, test_id: UUID, now: datetime) -> None:
    """Raise ObjectionsOpen while candidates of an exam may still object."""
    for exam in await uow.objections.exams_of(test_id):
        window = objection_window(exam)
        if window is not None and _takes_objections(exam) and window.is_open(now):
            raise ObjectionsOpen(window.closes_at)


async def _check_shown(uow: UnitOfWork, test_id: UUID, question_id: UUID) -> None:
    """Raise NotPossible while a published exam withholds the key from candidates: a decision tells it.

    An exam that has shown the key of this test to its candidates is no reason: it decides before its release.
    """
    if await uow.embargo.withholds_decisions(question_id, test_id=test_id):
        raise NotPossible(
            "A published exam has this question, and its candidates would learn the key from the decision."
            " Decide after the release of that exam."
        )


def _takes_objections(exam: Exam) -> bool:
    if exam.key_stage == KeyStage.FINAL:
        return False
    return exam.key_stage is not None or exam.released_at is not None


async def _chosen(
    uow: UnitOfWork,
    parts: Components,
    test_id: UUID,
    found: Sequence[CountedCluster],
    verdict: Verdict,
) -> Sequence[CountedCluster]:
    if verdict.claimed_key is not None:
        paper_id = await uow.objections.paper_id_of(test_id)
        paper = await parts.papers.get(uow, paper_id) if paper_id is not None else None
        if paper is None or verdict.question_id not in paper.questions:
            raise NotFound("question")
        claim = digest(normal_claim(paper, verdict.question_id, verdict.claimed_key))
        found = [each for each in found if each.cluster.claim == claim]
    elif not verdict.replace and (undecided := [each for each in found if each.cluster.accepted is None]):
        found = undecided
    if not found:
        raise NotFound("objection")
    if verdict.accept and verdict.claimed_key is None and len(found) > 1:
        raise Invalid.field("claimed_key", "Several keys are claimed. Send the one to accept.")
    return found


def _is_same(cluster: ObjectionCluster, verdict: Verdict) -> bool:
    return (cluster.accepted, cluster.reason) == (verdict.accept, verdict.reason)


def _check_replaced(cluster: ObjectionCluster, verdict: Verdict) -> None:
    if cluster.accepted is not None and cluster.decided_at is not None and not verdict.replace:
        raise ObjectionDecided(cluster.accepted, cluster.reason or "", cluster.decided_at)


def _record(cluster: ObjectionCluster, staff: Principal, verdict: Verdict, now: datetime) -> None:
    cluster.accepted, cluster.reason = verdict.accept, verdict.reason
    cluster.decided_at, cluster.decided_by = now, staff.author_id
    cluster.decisions += 1


def _check_together(of_question: Sequence[ObjectionCluster]) -> None:
    accepted = [cluster.claimed_key for cluster in of_question if cluster.accepted]
    if len(accepted) > 1 and joined_claims(accepted) is None:
        raise Conflict(
            "Another claimed key of this question is accepted, and both cannot be right."
            " Reject that one first, with replace: true."
        )


def _tell(uow: UnitOfWork, staff: Principal, test_id: UUID, decided: CountedCluster) -> None:
    cluster = decided.cluster
    audit.record(
        uow,
        staff,
        "decide_objections",
        AuditSubject("test", test_id),
        reason=cluster.reason,
        question_id=str(cluster.question_id),
        accepted=cluster.accepted,
        objections=decided.objections,
    )
    uow.jobs.add("notify_objections_decided", cluster_id=str(cluster.id), decision=cluster.decisions)


async def _revision(
    uow: UnitOfWork, parts: Components, staff: Principal, test_id: UUID
) -> RevisionCall | None:
    """The revision that grants all accepted claims; None if the current key has them all.

    Claims to questions whose keys are withheld from this member of staff are left out: whether the key has
    them tells the key.
    """
    paper_id = await uow.objections.paper_id_of(test_id)
    claims: dict[UUID, list[Key]] = {}
    for cluster in await uow.objections.decided(test_id):
        if cluster.accepted:
            claims.setdefault(cluster.question_id, []).append(cluster.claimed_key)
    for question_id in await embargo.withheld(uow, staff, list(claims)):
        del claims[question_id]
    if paper_id is None or not claims:
        return None
    paper = await parts.papers.get(uow, paper_id)
    current = (await uow.keys.current_ids([paper_id]))[paper_id]
    key = (await parts.papers.key(uow, current)).answer_key
    numbers = {question_id: number for number, question_id in enumerate(paper.questions, 1)}
    changes, changed = [], []
    for question_id, accepted in claims.items():
        granted = joined_claims(accepted)
        if granted is None or question_id not in numbers:
            continue
        if granted != normal_key(paper, question_id, key[str(question_id)]["key"]):
            changes.append({"question_id": str(question_id), "key": granted})
            changed.append(numbers[question_id])
    if not changes:
        return None
    reason = f"Accepted objections to questions: {', '.join(map(str, changed))}"
    return RevisionCall(f"/v1/tests/{test_id}/key-revisions", changes, reason)
