"""Objections to keys: those of a candidate, and clusters of all for staff (docs/decisions/0076)."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Uuid,
    any_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from app.core.ids import uuid7
from app.models import (
    Attempt,
    AttemptStatus,
    Exam,
    ExamPaper,
    LocalizedText,
    Objection,
    ObjectionCluster,
    Paper,
    Test,
)
from app.repositories import locks
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.locks import Mode, Rank

ROWS_AT_ONCE = 500
ENDED = (AttemptStatus.SUBMITTED, AttemptStatus.GRADED)

# How many ranked candidates gave each answer to a question. An answer depends on no key, so it is the same in
# every result of an attempt.
ANSWERS = text(
    """
    select cast(results.answers -> (paper_questions.position - 1) as text) as answer,
      count(distinct attempts.id) as candidates
    from ias.attempts
    join ias.results on results.attempt_id = attempts.id
    join ias.paper_questions on paper_questions.paper_id = attempts.paper_id
    where attempts.test_id = :test_id and results.counted and paper_questions.question_id = :question_id
    group by answer
    """
)


@dataclass(frozen=True, slots=True)
class PlaceOfAttempt:
    """An ended attempt of a candidate at a test; at an exam, with the exam and its paper."""

    attempt: Attempt
    exam: Exam | None
    exam_paper: ExamPaper | None


@dataclass(frozen=True, slots=True)
class OwnObjection:
    """An objection with its cluster, for the candidate who made it."""

    objection: Objection
    cluster: ObjectionCluster


@dataclass(frozen=True, slots=True)
class ClusterFilter:
    """Which clusters to list. None does not filter."""

    question_id: UUID | None = None
    decided: bool | None = None


@dataclass(frozen=True, slots=True)
class CountedCluster:
    """A cluster with the number of its objections."""

    cluster: ObjectionCluster
    objections: int


class ObjectionRepository(Repository):
    """Objections at tests. Callers have checked that the person may see the test, or has an attempt."""

    async def exams_taken(self, user_id: UUID, test_id: UUID) -> Sequence[UUID]:
        """The exams in which the candidate has an official attempt at the test, in the order of their ids."""
        statement = (
            select(ExamPaper.exam_id)
            .join(Attempt, Attempt.exam_paper_id == ExamPaper.id)
            .where(Attempt.user_id == user_id, Attempt.test_id == test_id, ~Attempt.practice)
            .distinct()
            .order_by(ExamPaper.exam_id)
        )
        return (await self._session.scalars(statement)).all()

    async def lock_to_object(self, test_id: UUID, exam_ids: Sequence[UUID]) -> None:
        """Lock the windows of the exams and of the test, and its decisions, until the transaction ends.

        Candidates do not wait for each other.
        """
        for exam_id in exam_ids:
            await locks.lock_entry_shared(self._session, exam_id)
        await self._lock(Rank.TEST, Mode.KEY_SHARE, select(Test.id).where(Test.id == test_id))

    async def lock_to_decide(self, test_id: UUID) -> None:
        """Wait for candidates who are objecting, and for other decisions; those that come later wait."""
        await self._lock(Rank.TEST, Mode.EXCLUSIVE, select(Test.id).where(Test.id == test_id))

    async def places(self, user_id: UUID, test_id: UUID) -> Sequence[PlaceOfAttempt]:
        """The candidate's ended attempts at the test that are not void, the latest first."""
        statement = (
            select(Attempt, Exam, ExamPaper)
            .outerjoin(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
            .outerjoin(Exam, Exam.id == ExamPaper.exam_id)
            .where(Attempt.user_id == user_id, Attempt.test_id == test_id, Attempt.status.in_(ENDED))
            .where(or_(Attempt.exam_paper_id.is_(None), ~Attempt.practice))
            .order_by(Attempt.id.desc())
            .limit(20)
            .execution_options(populate_existing=True)
        )
        rows = (await self._session.execute(statement)).all()
        return [PlaceOfAttempt(row.Attempt, row.Exam, row.ExamPaper) for row in rows]

    async def test(self, test_id: UUID) -> Test:
        """The test of an attempt, as it is now."""
        statement = select(Test).where(Test.id == test_id).execution_options(populate_existing=True)
        return (await self._session.scalars(statement)).one()

    async def count_own(self, user_id: UUID, test_id: UUID, exam_id: UUID | None) -> int:
        """How many objections a candidate has made at a test, or at all papers of an exam."""
        of_user = Objection.user_id == user_id
        statement = select(func.count()).select_from(Objection)
        if exam_id is None:
            mine = statement.where(of_user, Objection.test_id == test_id, Objection.exam_paper_id.is_(None))
        else:
            papers = select(ExamPaper.id).where(ExamPaper.exam_id == exam_id)
            mine = statement.where(of_user, Objection.exam_paper_id.in_(papers))
        return int(await self._session.scalar(mine) or 0)

    async def cluster_for(
        self, test_id: UUID, question_id: UUID, number: int, claim: str, claimed_key: Mapping[str, Any]
    ) -> ObjectionCluster:
        """The cluster of a claimed key, made if it is the first objection."""
        values = {
            "id": uuid7(),
            "test_id": test_id,
            "question_id": question_id,
            "number": number,
            "claim": claim,
            "claimed_key": claimed_key,
        }
        await self._session.execute(insert(ObjectionCluster).values(values).on_conflict_do_nothing())
        statement = select(ObjectionCluster).where(
            ObjectionCluster.test_id == test_id,
            ObjectionCluster.question_id == question_id,
            ObjectionCluster.claim == claim,
        )
        return (await self._session.scalars(statement)).one()

    async def own(self, user_id: UUID, cluster_id: UUID) -> Objection | None:
        """The candidate's objection in a cluster, or None."""
        statement = select(Objection).where(Objection.cluster_id == cluster_id, Objection.user_id == user_id)
        return (await self._session.scalars(statement)).one_or_none()

    async def find_own(self, user_id: UUID, test_id: UUID, objection_id: UUID) -> OwnObjection | None:
        """One objection of the candidate at the test, or None."""
        statement = _own(user_id, test_id).where(Objection.id == objection_id)
        row = (await self._session.execute(statement)).one_or_none()
        return OwnObjection(row.Objection, row.ObjectionCluster) if row is not None else None

    async def page_of_own(self, user_id: UUID, test_id: UUID, page: PageRequest) -> Page[OwnObjection]:
        """The candidate's objections at the test, in the order in which they were made."""
        statement = select(Objection).where(Objection.user_id == user_id, Objection.test_id == test_id)
        found = await self._page(statement, [Objection.id], page)
        clusters = await self._clusters({objection.cluster_id for objection in found.items})
        items = [OwnObjection(objection, clusters[objection.cluster_id]) for objection in found.items]
        return Page(items, found.next_cursor)

    async def add(self, objection: Objection) -> None:
        """Add an objection."""
        self._session.add(objection)
        await self._session.flush()

    async def withdraw(self, objection: Objection) -> None:
        """Delete an objection."""
        await self._session.execute(delete(Objection).where(Objection.id == objection.id))

    async def flush(self) -> None:
        """Send pending changes to the database."""
        await self._session.flush()

    async def page(self, test_id: UUID, wanted: ClusterFilter, page: PageRequest) -> Page[CountedCluster]:
        """The clusters with objections, or with a decision, in the order of the paper."""
        keys = [ObjectionCluster.number, ObjectionCluster.id]
        found = await self._page(_listed(test_id, wanted), keys, page)
        return Page(await self._counted(found.items), found.next_cursor)

    async def cluster(self, test_id: UUID, cluster_id: UUID) -> ObjectionCluster | None:
        """One cluster of the test, or None."""
        statement = _listed(test_id, ClusterFilter()).where(ObjectionCluster.id == cluster_id)
        return (await self._session.scalars(statement)).one_or_none()

    async def of_question(self, test_id: UUID, question_id: UUID) -> Sequence[CountedCluster]:
        """All clusters of a question with objections or a decision, the oldest first."""
        statement = _listed(test_id, ClusterFilter(question_id)).order_by(ObjectionCluster.id)
        fresh = statement.execution_options(populate_existing=True)
        return await self._counted((await self._session.scalars(fresh)).all())

    async def all_clusters(self, test_id: UUID) -> Sequence[CountedCluster]:
        """All clusters of a test with objections or a decision."""
        return await self._counted((await self._session.scalars(_listed(test_id, ClusterFilter()))).all())

    async def decided(self, test_id: UUID) -> Sequence[ObjectionCluster]:
        """All decided clusters of a test, in the order of the paper."""
        statement = _listed(test_id, ClusterFilter(decided=True))
        ordered = statement.order_by(ObjectionCluster.number, ObjectionCluster.id)
        return (await self._session.scalars(ordered)).all()

    async def count_undecided(self, test_ids: Collection[UUID]) -> int:
        """How many clusters of these tests have objections and no decision."""
        statement = select(func.count()).where(
            ObjectionCluster.test_id.in_(test_ids),
            ObjectionCluster.decided_at.is_(None),
            _has_objections(),
        )
        return int(await self._session.scalar(statement.select_from(ObjectionCluster)) or 0)

    async def texts(self, cluster_id: UUID, page: PageRequest) -> Page[Objection]:
        """The objections of a cluster, in the order in which they were made."""
        statement = select(Objection).where(Objection.cluster_id == cluster_id)
        return await self._page(statement, [Objection.id], page)

    async def first_texts(self, cluster_ids: Collection[UUID], most: int) -> Mapping[UUID, list[Objection]]:
        """The first objections of each cluster, at most so many."""
        each = aliased(Objection)
        first = (
            select(each.id)
            .where(each.cluster_id == ObjectionCluster.id)
            .order_by(each.id)
            .limit(most)
            .lateral()
        )
        statement = (
            select(Objection)
            .select_from(ObjectionCluster)
            .join(first, true())
            .join(Objection, Objection.id == first.c.id)
            .where(ObjectionCluster.id == any_(literal(list(cluster_ids), ARRAY(Uuid))))
        )
        found: dict[UUID, list[Objection]] = {cluster_id: [] for cluster_id in cluster_ids}
        for objection in await self._session.scalars(statement.order_by(Objection.id)):
            found[objection.cluster_id].append(objection)
        return found

    async def whole(self, test_id: UUID) -> AsyncIterator[Sequence[OwnObjection]]:
        """All objections of a test with their clusters, in the order of the paper, in batches."""
        statement = (
            select(Objection, ObjectionCluster)
            .join(ObjectionCluster, ObjectionCluster.id == Objection.cluster_id)
            .where(ObjectionCluster.test_id == test_id)
            .order_by(ObjectionCluster.number, ObjectionCluster.id, Objection.id)
        )
        found = await self._session.stream(statement)
        async for rows in found.partitions(ROWS_AT_ONCE):
            yield [OwnObjection(row.Objection, row.ObjectionCluster) for row in rows]

    async def counts(self, cluster_ids: Collection[UUID]) -> Mapping[UUID, int]:
        """How many objections each of these clusters has."""
        statement = (
            select(Objection.cluster_id, func.count())
            .where(Objection.cluster_id == any_(literal(list(cluster_ids), ARRAY(Uuid))))
            .group_by(Objection.cluster_id)
        )
        return dict((await self._session.execute(statement)).all())

    async def answers(self, test_id: UUID, question_id: UUID) -> Sequence[tuple[str | None, int]]:
        """The answers of ranked candidates to a question as JSON texts, and how many gave each."""
        rows = await self._session.execute(ANSWERS, {"test_id": test_id, "question_id": question_id})
        return [(row.answer, row.candidates) for row in rows]

    async def exams_of(self, test_id: UUID) -> Sequence[Exam]:
        """The published exams with a paper of the test that have a window for objections."""
        statement = (
            select(Exam)
            .join(ExamPaper, ExamPaper.exam_id == Exam.id)
            .where(ExamPaper.test_id == test_id, Exam.cancelled_at.is_(None))
            .where(Exam.published_at.is_not(None), Exam.objections.is_not(None))
            .execution_options(populate_existing=True)
        )
        return (await self._session.scalars(statement)).all()

    async def paper_id_of(self, test_id: UUID) -> UUID | None:
        """The paper that objections are about: of the latest exam with the test, else the published one."""
        pinned = (
            select(ExamPaper.paper_id)
            .where(ExamPaper.test_id == test_id, ExamPaper.paper_id.is_not(None))
            .order_by(ExamPaper.id.desc())
            .limit(1)
        )
        published = select(Paper.id).join(Test, Test.id == Paper.test_id)
        current = published.where(Test.id == test_id, Paper.version == Test.paper_version)
        return await self._session.scalar(pinned) or await self._session.scalar(current)

    async def objectors(self, cluster_id: UUID, after: UUID | None, limit: int) -> Sequence[Objection]:
        """Up to `limit` objections of a cluster with an account, ordered by id, after `after`."""
        statement = select(Objection).where(
            Objection.cluster_id == cluster_id, Objection.user_id.is_not(None)
        )
        if after is not None:
            statement = statement.where(Objection.id > after)
        return (await self._session.scalars(statement.order_by(Objection.id).limit(limit))).all()

    async def told_cluster(self, cluster_id: UUID) -> ObjectionCluster | None:
        """A cluster, for notifications."""
        return await self._session.get(ObjectionCluster, cluster_id)

    async def title_of(self, test_id: UUID) -> LocalizedText | None:
        """The title of the paper that objections are about. The test's own title is that of its draft."""
        paper_id = await self.paper_id_of(test_id)
        return await self._session.scalar(select(Paper.title).where(Paper.id == paper_id))

    async def _counted(self, clusters: Sequence[ObjectionCluster]) -> Sequence[CountedCluster]:
        counts = await self.counts([cluster.id for cluster in clusters])
        return [CountedCluster(cluster, counts.get(cluster.id, 0)) for cluster in clusters]

    async def _clusters(self, ids: Collection[UUID]) -> Mapping[UUID, ObjectionCluster]:
        rows = await self._session.scalars(select(ObjectionCluster).where(ObjectionCluster.id.in_(ids)))
        return {row.id: row for row in rows}


def _listed(test_id: UUID, wanted: ClusterFilter) -> Select[ObjectionCluster]:
    """Clusters of a test. One whose objections are all withdrawn is listed only if it is decided."""
    is_decided = ObjectionCluster.decided_at.is_not(None)
    statement = select(ObjectionCluster).where(
        ObjectionCluster.test_id == test_id,
        or_(is_decided, _has_objections()),
    )
    if wanted.question_id is not None:
        statement = statement.where(ObjectionCluster.question_id == wanted.question_id)
    if wanted.decided is not None:
        statement = statement.where(is_decided if wanted.decided else ~is_decided)
    return statement


def _has_objections() -> ColumnElement[bool]:
    """Whether a cluster has an objection, by one look into the index.

    OFFSET 0 keeps PostgreSQL from reading all objections into a hash and from dropping ORDER BY. Without the
    order it would scan the table up to the first objection of the cluster.
    """
    of_cluster = select(Objection.id).where(Objection.cluster_id == ObjectionCluster.id)
    first = of_cluster.order_by(Objection.id).limit(1).offset(0)
    return exists(first.correlate(ObjectionCluster))


def _own(user_id: UUID, test_id: UUID) -> Select[Objection, ObjectionCluster]:
    return (
        select(Objection, ObjectionCluster)
        .join(ObjectionCluster, ObjectionCluster.id == Objection.cluster_id)
        .where(Objection.user_id == user_id, Objection.test_id == test_id)
    )
