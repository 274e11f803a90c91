"""Objections of a candidate: made, replaced, withdrawn, listed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.errors import Invalid, NotFound
from app.core.ids import uuid7
from app.core.objection_errors import ObjectionDecided, ObjectionLimitReached
from app.models import Objection, ObjectionCluster
from app.repositories.base import Page, PageRequest
from app.repositories.objections import OwnObjection
from app.sentences import Sentence
from app.services import tests
from app.services.components import Components
from app.services.objections.claims import digest, normal_claim, normal_key
from app.services.objections.windows import OpenWindow, check_participant, check_question, lock_windows
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal

Source = dict[str, str]


@dataclass(frozen=True, slots=True)
class NewObjection:
    """An objection as a candidate sends it. Sources are `{"title", "page"?, "url"?}`."""

    question_id: UUID
    claimed_key: Mapping[str, Any]
    explanation: str
    sources: Sequence[Source]


async def make(
    uow: UnitOfWork, parts: Components, candidate: Principal, test_id: UUID, new: NewObjection, now: datetime
) -> OwnObjection:
    """Object to the key of a question. The same claimed key again replaces explanation and sources.

    Raises NotFound, Forbidden, KeyNotShown, ObjectionsClosed, ObjectionLimitReached, ObjectionDecided, or
    Invalid for a claimed key that is none or that the question has, and for too few sources.
    """
    windows = await lock_windows(uow, parts, candidate, test_id, now)
    await check_participant(uow, candidate, test_id, windows, now)
    window = windows.first()
    cluster = await _cluster(uow, parts, window, test_id, new)
    _check_sources(new.sources, window.rules.sources_required)
    objection = await uow.objections.own(candidate.id, cluster.id)
    if objection is not None:
        window = windows.of(objection.exam_paper_id)
    else:
        await _check_limit(uow, candidate, window, test_id)
        objection = Objection(id=uuid7(), cluster_id=cluster.id, test_id=test_id, user_id=candidate.id)
        objection.created_at = now
    changed = (objection.explanation, objection.sources) != (new.explanation, list(new.sources))
    if changed:
        objection.exam_paper_id = window.exam_paper_id
        objection.attempt_id = window.attempt.id
        objection.explanation, objection.sources = new.explanation, list(new.sources)
        objection.updated_at = now
        await uow.objections.add(objection)
    return OwnObjection(objection, cluster)


async def withdraw(
    uow: UnitOfWork, parts: Components, candidate: Principal, test_id: UUID, objection_id: UUID, now: datetime
) -> None:
    """Delete one's own objection while its window is open and it is not decided."""
    found = await uow.objections.find_own(candidate.id, test_id, objection_id)
    if found is None:
        raise NotFound("objection")
    windows = await lock_windows(uow, parts, candidate, test_id, now)
    found = await uow.objections.find_own(candidate.id, test_id, objection_id)
    if found is None:
        raise NotFound("objection")
    windows.of(found.objection.exam_paper_id)
    _check_undecided(found.cluster)
    await uow.objections.withdraw(found.objection)


async def own(
    reads: Reading, candidate: Principal, test_id: UUID, request: PageRequest, now: datetime
) -> Page[OwnObjection]:
    """One's own objections at a test, with the decisions on them.

    Raises NotFound for a test that is hidden, unless the person has taken it.
    """
    found = await reads.objections.page_of_own(candidate.id, test_id, request)
    if not found.items and not await reads.objections.places(candidate.id, test_id):
        await reads.tests.accessible(tests.viewer(candidate), test_id, now)
    return found


async def _cluster(
    uow: UnitOfWork, parts: Components, window: OpenWindow, test_id: UUID, new: NewObjection
) -> ObjectionCluster:
    """The cluster of the claimed key, which may be a new one. A decided one takes no more objections."""
    paper = await parts.papers.get(uow, window.attempt.paper_id)
    check_question(window.key, new.question_id)
    claim = normal_claim(paper, new.question_id, new.claimed_key)
    key = window.key.answer_key[str(new.question_id)]["key"]
    if claim == normal_key(paper, new.question_id, key):
        raise Invalid.field("claimed_key", "This is the key already. Send the key that you think is right.")
    number = list(paper.questions).index(new.question_id) + 1
    cluster = await uow.objections.cluster_for(test_id, new.question_id, number, digest(claim), claim)
    _check_undecided(cluster)
    return cluster


def _check_undecided(cluster: ObjectionCluster) -> None:
    if cluster.accepted is not None and cluster.decided_at is not None:
        raise ObjectionDecided(cluster.accepted, cluster.reason or "", cluster.decided_at)


def _check_sources(sources: Sequence[Source], required: int) -> None:
    different = {(source["title"].casefold(), source.get("url"), source.get("page")) for source in sources}
    if len(different) < required:
        template = "Send at least {required} different sources. You have sent {sent}."
        raise Invalid.field("sources", Sentence(template, required=required, sent=len(different)))


async def _check_limit(uow: UnitOfWork, candidate: Principal, window: OpenWindow, test_id: UUID) -> None:
    exam_id = window.exam.id if window.exam is not None else None
    if await uow.objections.count_own(candidate.id, test_id, exam_id) >= window.rules.most:
        raise ObjectionLimitReached(window.rules.most)
