"""Tests, their drafts and their frozen papers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select
from sqlalchemy.orm import selectinload, undefer

from app.core.errors import NotFound
from app.models import (
    Exam,
    ExamPaper,
    KeyVersion,
    Paper,
    PaperMedia,
    Passage,
    PassageVersion,
    Question,
    QuestionVersion,
    Subject,
    Test,
    TestSection,
)
from app.repositories.base import Repository
from app.repositories.embargo import CANDIDATE, Reader, belongs_to_another, hides_test
from app.repositories.locks import Mode, Rank


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads tests: what the statements need to know of the user."""

    user_id: UUID
    institute_id: UUID
    is_staff: bool
    enrolled: bool
    is_admin: bool = False

    @property
    def reader(self) -> Reader:
        """The same user in the form that the embargo needs: all candidates are one reader."""
        return Reader(self.user_id, self.is_staff, self.is_admin) if self.is_staff else CANDIDATE


def may_access(viewer: Viewer, now: datetime) -> ColumnElement[bool]:
    """Whether the viewer may take the test: by institute, publication, availability, access and embargo."""
    return and_(is_offered(viewer, now), ~hides_test(viewer.reader))


def is_offered(viewer: Viewer, now: datetime) -> ColumnElement[bool]:
    """Whether the viewer may take the test as far as the embargo does not hide it."""
    own = and_(Test.institute_id == viewer.institute_id, ~belongs_to_another(viewer.user_id))
    return own if viewer.is_staff else and_(own, is_open(literal(now), literal(viewer.enrolled)))


def is_open(now: ColumnElement[datetime], enrolled: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether candidates may take the test at a time, as far as the embargo does not hide it."""
    return and_(
        Test.status == "published",
        or_(Test.available_from.is_(None), Test.available_from <= now),
        or_(Test.available_until.is_(None), Test.available_until > now),
        or_(Test.access == "free", enrolled),
    )


class TestRepository(Repository):
    """Tests of an institute and the papers that were published of them."""

    async def lock_shared(self, test_id: UUID) -> None:
        """Lock the test against placement in an exam until this transaction ends."""
        await self._lock(Rank.TEST, Mode.KEY_SHARE, select(Test.id).where(Test.id == test_id))

    async def accessible(self, viewer: Viewer, test_id: UUID, now: datetime) -> Test:
        """A test that the viewer may start now."""
        return await self._one(select(Test).where(Test.id == test_id, may_access(viewer, now)))

    async def to_start(self, viewer: Viewer, test_id: UUID, now: datetime) -> tuple[Test, UUID | None, bool]:
        """A test that the viewer may start now, and its current paper version, which new attempts get.

        The last value says whether it was a paper of an exam whose results are released: attempts are
        practice since then.
        """
        current = select(Paper.id).where(Paper.test_id == Test.id, Paper.version == Test.paper_version)
        released = exists().where(
            ExamPaper.test_id == Test.id, Exam.id == ExamPaper.exam_id, Exam.released_at.is_not(None)
        )
        statement = select(Test, current.scalar_subquery(), released)
        statement = statement.where(Test.id == test_id, may_access(viewer, now))
        row = (await self._session.execute(statement)).one_or_none()
        if row is None:
            raise NotFound("test")
        return row[0], row[1], row[2]

    async def draft(self, institute_id: UUID, test_id: UUID, *, lock: bool = False) -> Test:
        """A test with its sections and the questions in them, for staff. Never a personal one."""
        of_all = Test.id == test_id, Test.institute_id == institute_id, ~Test.is_personal
        statement = (
            select(Test)
            .where(*of_all)
            .options(selectinload(Test.sections).selectinload(TestSection.questions))
        )
        if lock:
            await self._lock(Rank.TEST, Mode.EXCLUSIVE, select(Test.id).where(*of_all))
            statement = statement.execution_options(populate_existing=True)
        return await self._one(statement)

    async def with_reference(self, institute_id: UUID, reference: str) -> UUID | None:
        """The test that has this reference."""
        statement = select(Test.id).where(Test.institute_id == institute_id, Test.reference == reference)
        return await self._session.scalar(statement)

    async def with_title(self, institute_id: UUID, title: str) -> UUID | None:
        """The latest test that is not archived and has this title in some language. Never a personal one."""
        texts = func.jsonb_each_text(Test.title).table_valued("key", "value")
        statement = select(Test.id).where(
            Test.institute_id == institute_id,
            Test.status != "archived",
            ~Test.is_personal,
            exists().where(texts.c.value == title),
        )
        return await self._session.scalar(statement.order_by(Test.id.desc()).limit(1))

    def add(self, test: Test) -> None:
        """Add a new test with its sections."""
        self._session.add(test)

    async def add_paper(self, paper: Paper, key: KeyVersion, media_ids: Collection[UUID]) -> None:
        """Insert a new paper version, the first version of its key, and the images that it shows."""
        self._session.add(paper)
        await self._session.flush()
        key.paper_id, key.number = paper.id, 1
        self._session.add(key)
        self._session.add_all(PaperMedia(paper_id=paper.id, media_id=media_id) for media_id in media_ids)

    async def flush(self) -> None:
        """Send pending changes to the database."""
        await self._session.flush()

    async def existing_questions(self, institute_id: UUID, question_ids: Sequence[UUID]) -> set[UUID]:
        """Which of these questions the institute has."""
        statement = select(Question.id).where(
            Question.institute_id == institute_id, Question.id.in_(question_ids)
        )
        return set((await self._session.scalars(statement)).all())

    async def lock_subject_shared(self, institute_id: UUID, subject_id: UUID) -> bool:
        """Lock the subject against deletion. Returns whether the institute has it."""
        statement = select(Subject.id).where(Subject.institute_id == institute_id, Subject.id == subject_id)
        return (await self._lock(Rank.SUBJECT, Mode.KEY_SHARE, statement)).one_or_none() is not None

    async def questions(
        self, question_ids: Sequence[UUID]
    ) -> Mapping[UUID, tuple[Question, QuestionVersion]]:
        """Questions with their current versions."""
        statement = (
            select(Question, QuestionVersion)
            .join(
                QuestionVersion,
                and_(
                    QuestionVersion.question_id == Question.id,
                    QuestionVersion.number == Question.current_version,
                ),
            )
            .where(Question.id.in_(question_ids))
        )
        rows = (await self._session.execute(statement)).all()
        return {question.id: (question, version) for question, version in rows}

    async def passages(self, passage_ids: Sequence[UUID]) -> Mapping[UUID, PassageVersion]:
        """The current versions of passages."""
        if not passage_ids:
            return {}
        statement = select(PassageVersion).join(
            Passage,
            and_(Passage.id == PassageVersion.passage_id, Passage.current_version == PassageVersion.number),
        )
        rows = (await self._session.scalars(statement.where(Passage.id.in_(passage_ids)))).all()
        return {version.passage_id: version for version in rows}

    async def paper(self, paper_id: UUID) -> Paper:
        """A paper with its document and rules."""
        options = undefer(Paper.document), undefer(Paper.rules)
        return (
            await self._session.scalars(select(Paper).where(Paper.id == paper_id).options(*options))
        ).one()

    async def paper_version(self, test: Test, version: int) -> Paper:
        """One version of a test's paper, with its document and rules."""
        statement = select(Paper.id).where(Paper.test_id == test.id, Paper.version == version)
        if (paper_id := await self._session.scalar(statement)) is None:
            raise NotFound("version of the paper")
        return await self.paper(paper_id)

    async def current_paper_id(self, test: Test) -> UUID | None:
        """The id of the current paper version, which new attempts get."""
        return await self._session.scalar(
            select(Paper.id).where(Paper.test_id == test.id, Paper.version == test.paper_version)
        )

    async def _one(self, statement: Select[Test]) -> Test:
        test = (await self._session.scalars(statement)).one_or_none()
        if test is None:
            raise NotFound("test")
        return test
