"""Clusters of objections for staff. Staff do not see who objected (docs/decisions/0076)."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.errors import NotFound
from app.engine.answers import answer_of
from app.engine.scoring import Dropped, key_of
from app.models import Objection, ObjectionCluster
from app.repositories.base import Page, PageRequest
from app.repositories.objections import ClusterFilter, CountedCluster
from app.services import audit, embargo
from app.services.analytics.candidates import check_may_see
from app.services.components import Components
from app.services.questions.content import reading_question
from app.services.unit_of_work import Reading
from app.services.users import Principal

FIRST_TEXTS = 3
Key = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster, its number of objections, the first of them, and the key as it is now.

    `key` is None where it is withheld from the reader. `answered_so` counts the ranked candidates whose
    answer the claimed key would mark correct. None if it was not counted, or if the claim is to drop the
    question.
    """

    cluster: ObjectionCluster
    objections: int
    first: Sequence[Objection]
    key: Key | None
    answered_so: int | None


async def clusters(
    reads: Reading,
    parts: Components,
    staff: Principal,
    test_id: UUID,
    wanted: ClusterFilter,
    request: PageRequest,
) -> Page[ClusterView]:
    """The clusters of a test in the order of its paper, for its author, evaluators and admins.

    Answers are counted if one question is asked for, because that reads all results of the test. Reading keys
    under embargo is recorded in the audit log.
    """
    await check_may_see(reads, staff, test_id)
    found = await reads.objections.page(test_id, wanted, request)
    asked = {each.cluster.question_id for each in found.items}
    keys = await current_keys(reads, parts, staff, test_id, asked)
    first = await reads.objections.first_texts([each.cluster.id for each in found.items], FIRST_TEXTS)
    counts: Mapping[UUID, int | None] = {}
    if wanted.question_id is not None:
        counts = await count_answers(reads, parts, test_id, wanted.question_id, found.items)
    items = [
        ClusterView(
            cluster=each.cluster,
            objections=each.objections,
            first=first[each.cluster.id],
            key=keys.get(each.cluster.question_id),
            answered_so=counts.get(each.cluster.id),
        )
        for each in found.items
    ]
    return Page(items, found.next_cursor)


async def texts(
    reads: Reading, staff: Principal, test_id: UUID, cluster_id: UUID, request: PageRequest
) -> Page[Objection]:
    """The objections of a cluster, in the order in which they were made."""
    await check_may_see(reads, staff, test_id)
    if await reads.objections.cluster(test_id, cluster_id) is None:
        raise NotFound("objection cluster")
    return await reads.objections.texts(cluster_id, request)


async def current_keys(
    reads: Reading,
    parts: Components,
    staff: Principal,
    test_id: UUID,
    asked: Collection[UUID],
) -> Mapping[UUID, Key]:
    """The current keys of questions, without those that are withheld from the reader."""
    paper_id = await reads.objections.paper_id_of(test_id)
    if paper_id is None or not asked:
        return {}
    shown = set(asked) - await embargo.withheld(reads, staff, asked)
    audit.record_key_read(reads, staff, await audit.held_among(reads, shown), "objections")
    current = (await reads.keys.current_ids([paper_id]))[paper_id]
    answer_key = (await parts.papers.key(reads, current)).answer_key
    return {
        question_id: answer_key[str(question_id)]["key"]
        for question_id in shown
        if str(question_id) in answer_key
    }


async def count_answers(
    reads: Reading,
    parts: Components,
    test_id: UUID,
    question_id: UUID,
    found: Sequence[CountedCluster],
) -> Mapping[UUID, int | None]:
    """How many ranked candidates answered as each cluster of a question claims, by the cluster's id.

    It depends on answers and claims alone, and on no key.
    """
    paper_id = await reads.objections.paper_id_of(test_id)
    if paper_id is None or not found:
        return {}
    question = (await parts.papers.get(reads, paper_id)).questions.get(question_id)
    if question is None:
        return {}
    given = [
        (answer_of(json.loads(answer)) if answer is not None else None, candidates)
        for answer, candidates in await reads.objections.answers(test_id, question_id)
    ]
    counts: dict[UUID, int | None] = {}
    for each in found:
        claimed = each.cluster.claimed_key
        with reading_question(question_id):
            key = key_of(question.type, claimed)
        if isinstance(key, Dropped):
            counts[each.cluster.id] = None
        else:
            counts[each.cluster.id] = sum(
                candidates for answer, candidates in given if answer and key.compare(answer).is_right
            )
    return counts
