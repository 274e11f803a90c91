"""The keys of frozen papers, in versions, and who keeps which version of a question (docs/decisions/0047)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, bindparam, cast, func, select, text

from app.models import (
    Attempt,
    AttemptStatus,
    Exam,
    ExamPaper,
    KeyVersion,
    LocalizedText,
    Paper,
    PaperQuestion,
    QuestionVersion,
    Test,
)
from app.repositories import locks
from app.repositories.base import Repository
from app.repositories.embargo import Reader, hides_test

CURRENT = text(
    """
    select distinct on (paper_id) paper_id, id from ias.paper_keys
    where paper_id = any(:papers) order by paper_id, number desc
    """
).bindparams(bindparam("papers", type_=ARRAY(Uuid)))


# Kept, because to build a statement and the key of SQLAlchemy's cache takes longer than PostgreSQL's part.
_COHORT_OF_VERSION = (
    select(KeyVersion.cohort_id)
    .join(Paper, Paper.id == KeyVersion.paper_id)
    .where(Paper.test_id == bindparam("test_id", type_=Uuid), Paper.version == bindparam("version"))
    .order_by(KeyVersion.number.desc())
    .limit(1)
)
_VERSIONS_IN = (
    select(Paper.version)
    .join(KeyVersion, KeyVersion.paper_id == Paper.id)
    .where(
        Paper.test_id == bindparam("test_id", type_=Uuid),
        KeyVersion.cohort_id == bindparam("cohort_id", type_=Uuid),
    )
    .distinct()
    .order_by(Paper.version)
)


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version of a question in a frozen paper that an exam or running attempts hold."""

    number: int
    exams: Sequence[tuple[UUID, LocalizedText]]
    """Exams with the paper that are neither released nor cancelled: their ids and titles."""
    running_attempts: int


class KeyRepository(Repository):
    """Versions of keys. They are only added; the highest number of a paper is the current one."""

    async def lock_current(self, paper_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        """The current version of each paper's key; nobody adds another until this transaction ends."""
        await locks.lock_keys_shared(self._session, paper_ids)
        return await self.current_ids(paper_ids)

    async def try_lock(self, paper_id: UUID) -> bool:
        """Lock the current version of a paper's key, unless a revision of it is being carried out."""
        return await locks.try_lock_key_shared(self._session, paper_id)

    async def current_ids(self, paper_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        """The id of each paper's current version."""
        rows = await self._session.execute(CURRENT, {"papers": list(paper_ids)})
        return dict(rows.all())

    async def find(self, key_id: UUID) -> KeyVersion:
        """A version by the id that a result or `current_ids` has, so it exists."""
        return await self._session.get_one(KeyVersion, key_id)

    async def current(self, paper_id: UUID) -> KeyVersion:
        """The version that holds now."""
        statement = select(KeyVersion).where(KeyVersion.paper_id == paper_id)
        return (await self._session.scalars(statement.order_by(KeyVersion.number.desc()).limit(1))).one()

    async def cohort_with(self, test_id: UUID, fingerprint: str) -> UUID | None:
        """The cohort of the latest key of a test's papers with this marking, or None."""
        statement = _keys_of(test_id).where(KeyVersion.fingerprint == fingerprint)
        return await self._session.scalar(statement.limit(1))

    async def cohort_of_version(self, test_id: UUID, version: int) -> UUID | None:
        """The cohort of the current key of a test's paper version, or None."""
        return await self._session.scalar(_COHORT_OF_VERSION, {"test_id": test_id, "version": version})

    async def versions_in(self, test_id: UUID, cohort_id: UUID) -> Sequence[int]:
        """The paper versions of a test that have a key of the cohort, in order."""
        return (await self._session.scalars(_VERSIONS_IN, {"test_id": test_id, "cohort_id": cohort_id})).all()

    async def cohorts(self, test_id: UUID) -> Mapping[int, tuple[UUID, UUID]]:
        """The paper and the cohort of its current key, by the paper versions of a test, in order."""
        statement = (
            select(Paper.version, Paper.id, KeyVersion.cohort_id)
            .join(KeyVersion, KeyVersion.paper_id == Paper.id)
            .where(Paper.test_id == test_id)
            .order_by(Paper.version, KeyVersion.number)
        )
        rows = await self._session.execute(statement)
        return {version: (paper_id, cohort_id) for version, paper_id, cohort_id in rows}  # The last one.

    async def add_next(self, version: KeyVersion) -> KeyVersion:
        """Add the next version of a paper's key, and number it.

        Waits for whoever grades by the current one. Whoever grades after this transaction uses the new one,
        so that what has to be regraded are the results that name another one when this transaction has ended.
        """
        await locks.lock_key_exclusively(self._session, version.paper_id)
        version.number = (await self.current(version.paper_id)).number + 1
        self._session.add(version)
        await self._session.flush()
        return version

    async def lock_exclusively(self, paper_ids: Collection[UUID]) -> None:
        """Wait for whoever grades by the keys of papers. Whoever comes later waits for this transaction."""
        for paper_id in sorted(paper_ids):
            await locks.lock_key_exclusively(self._session, paper_id)

    async def kept_versions(self, reader: Reader, question_id: UUID) -> Sequence[KeptVersion]:
        """Which versions of a question are kept by exams and running attempts, the newest first.

        Papers of tests that the reader may not see now are left out.
        """
        papers = await self._papers_with(reader, question_id)
        exams = await self._exams_of(list(papers))
        running = await self._running_at(list(papers))
        found = []
        for number in sorted(set(papers.values()), reverse=True):
            of_version = [paper_id for paper_id, kept in papers.items() if kept == number]
            held = [exam for paper_id in of_version for exam in exams.get(paper_id, ())]
            attempts = sum(running.get(paper_id, 0) for paper_id in of_version)
            if held or attempts:
                found.append(KeptVersion(number, held, attempts))
        return found

    async def _papers_with(self, reader: Reader, question_id: UUID) -> Mapping[UUID, int]:
        """The papers that have a question, and which version of it."""
        listed = Paper.rules["questions"][PaperQuestion.position - 1]["version_id"].astext
        statement = (
            select(Paper.id, QuestionVersion.number)
            .join(PaperQuestion, PaperQuestion.paper_id == Paper.id)
            .join(QuestionVersion, QuestionVersion.id == cast(listed, Uuid))
            .join(Test, Test.id == Paper.test_id)
            .where(PaperQuestion.question_id == question_id, ~hides_test(reader))
        )
        return dict((await self._session.execute(statement)).all())

    async def _exams_of(
        self, paper_ids: Sequence[UUID]
    ) -> Mapping[UUID, Sequence[tuple[UUID, LocalizedText]]]:
        statement = (
            select(ExamPaper.paper_id, Exam.id, Exam.title)
            .join(Exam, Exam.id == ExamPaper.exam_id)
            .where(ExamPaper.paper_id.in_(paper_ids), Exam.released_at.is_(None), Exam.cancelled_at.is_(None))
            .order_by(Exam.id)
        )
        found: dict[UUID, list[tuple[UUID, LocalizedText]]] = {}
        for paper_id, exam_id, title in await self._session.execute(statement):
            if paper_id is not None:
                found.setdefault(paper_id, []).append((exam_id, title))
        return found

    async def _running_at(self, paper_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        running = AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED
        statement = select(Attempt.paper_id, func.count()).where(
            Attempt.paper_id.in_(paper_ids), Attempt.status.in_(running)
        )
        return dict((await self._session.execute(statement.group_by(Attempt.paper_id))).all())


def _keys_of(test_id: UUID) -> Select[UUID]:
    """The cohorts of all keys of a test, the latest first."""
    return (
        select(KeyVersion.cohort_id)
        .join(Paper, Paper.id == KeyVersion.paper_id)
        .where(Paper.test_id == test_id)
        .order_by(Paper.version.desc(), KeyVersion.number.desc())
    )
