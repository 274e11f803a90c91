"""Stored statistics of tests and questions, and the counts by which they are known to be out of date."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, delete, or_, select, text, tuple_, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import undefer

from app.engine.statistics.difficulty_priors import Calibrated
from app.models import (
    Exam,
    ExamPaper,
    ItemParameters,
    Paper,
    PaperQuestion,
    PaperStatistics,
    Question,
    QuestionVersion,
)
from app.repositories import locks
from app.repositories.analytics.matrices import Group
from app.repositories.base import Repository
from app.repositories.embargo import Reader, is_placed, withholds_paper

Place = tuple[UUID, UUID]
"""A cohort and a paper."""

CANDIDATE = Reader(UUID(int=0), is_staff=False, is_admin=False)
"""The embargo is the same for all candidates."""

# All results of a cohort at a paper, and the latest of the versions of the key that have marked them.
GROUPS = text(
    """
    select distinct on (marked.cohort_id, marked.paper_id) marked.cohort_id, marked.paper_id, marked.key_id,
      (sum(marked.results) over (partition by marked.cohort_id, marked.paper_id))::int as results
    from (
      select result.cohort_id, attempt.paper_id, result.key_id, count(*)::int as results
      from ias.attempts as attempt join ias.results as result on result.attempt_id = attempt.id
      where attempt.test_id = :test_id and attempt.number > 0 and result.counted
      group by result.cohort_id, attempt.paper_id, result.key_id
    ) as marked join ias.paper_keys on paper_keys.id = marked.key_id
    order by marked.cohort_id, marked.paper_id, paper_keys.number desc
    """
)
_COUNTED = """
    select papers.test_id, counted.cohort_id, counted.paper_id, sum(counted.results)::int as participants,
      coalesce(sum((select sum(each) from unnest(counted.correct) as each)), 0)::bigint as right_answers
    from ias.outcome_counts as counted join ias.papers on papers.id = counted.paper_id
    {of_test}
    group by papers.test_id, counted.cohort_id, counted.paper_id having sum(counted.results) > 0
"""
# The cohorts of a test are those of its keys, and its papers in exams.
COUNTS = text(
    _COUNTED.format(
        of_test="""
    where papers.test_id = :test_id and counted.cohort_id = any(array(
      select paper_keys.cohort_id from ias.paper_keys
      join ias.papers as own on own.id = paper_keys.paper_id where own.test_id = :test_id
      union select exam_papers.id from ias.exam_papers where exam_papers.test_id = :test_id
    ))"""
    )
)
CHANGED = text(
    f"""
    select distinct counted.test_id
    from ({_COUNTED.format(of_test="")}) as counted
    left join ias.paper_statistics as stored using (cohort_id, paper_id)
    where (
        coalesce(stored.computed_at, 'epoch') < :before and (stored.participants, stored.right_answers)
          is distinct from (counted.participants, counted.right_answers)
        or counted.participants >= greatest(coalesce(stored.participants, 0) * 1.1, :fewest)
          and counted.participants > coalesce(stored.participants, 0)
      )
      and not exists (
        select from ias.exam_papers join ias.exams on exams.id = exam_papers.exam_id
        where exam_papers.test_id = counted.test_id
          and exams.released_at is null and exams.cancelled_at is null
      )
      and not exists (
        select from ias.jobs where task = :task and finished_at is null
          and arguments ->> 'test_id' = counted.test_id::text
      )
    limit :most
    """  # noqa: S608 -- constants
)
PENDING = text(
    """
    select id from ias.jobs
    where task = :task and finished_at is null and arguments ->> 'test_id' = :test_id order by id limit 1
    """
)


# The parameters from a paper are no prior of its own questions. Labels of the versions that were answered.
CALIBRATED = text(
    """
    select versions.difficulty as label, questions.chapter_id, count(*)::int as questions,
      avg(parameters.difficulty) as mean
    from ias.item_parameters as parameters
    join ias.questions on questions.id = parameters.question_id
    join ias.question_versions as versions
      on versions.question_id = parameters.question_id and versions.number = parameters.question_version
    where questions.institute_id = (
        select tests.institute_id from ias.papers join ias.tests on tests.id = papers.test_id
        where papers.id = :paper_id
      )
      and not exists (
        select from ias.paper_questions as held
        where held.paper_id = :paper_id and held.question_id = parameters.question_id
      )
    group by grouping sets ((versions.difficulty, questions.chapter_id), (versions.difficulty))
    having grouping(questions.chapter_id) = 1 or questions.chapter_id is not null
    """
)
Label = tuple[str | None, UUID | None]
"""An author's label of difficulty, and a chapter."""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A version of a question as a paper holds it."""

    question_id: UUID
    version: int
    difficulty: str | None
    chapter_id: UUID | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many results of a cohort at a paper count now, and how many right answers they have."""

    participants: int
    right_answers: int


@dataclass(frozen=True, slots=True)
class NewParameters:
    """The parameters of a question that a refresh has estimated: see `ItemParameters`."""

    question_id: UUID
    question_version: int
    model: str
    difficulty: float
    difficulty_error: float
    discrimination: float
    discrimination_error: float
    guessing: float
    guessing_error: float
    answers: int
    cohort_id: UUID
    paper_id: UUID
    computed_at: datetime


class TestStatisticsRepository(Repository):
    """Statistics of tests. The methods for candidates' figures say what their callers have checked."""

    async def lock(self, test_id: UUID) -> None:
        """Wait for another refresh of the test."""
        await locks.lock_statistics(self._session, test_id)

    async def groups(self, test_id: UUID) -> Sequence[Group]:
        """The groups of results of a test. This reads all results of the test."""
        rows = await self._session.execute(GROUPS, {"test_id": test_id})
        return [Group(test_id, row.cohort_id, row.paper_id, row.key_id, row.results) for row in rows]

    async def counts(self, test_id: UUID) -> Mapping[Place, Counts]:
        """How many results count now, by cohort and paper."""
        rows = await self._session.execute(COUNTS, {"test_id": test_id})
        return {(row.cohort_id, row.paper_id): Counts(row.participants, row.right_answers) for row in rows}

    async def of_places(self, places: Collection[Place]) -> Mapping[Place, PaperStatistics]:
        """Stored statistics, without `analysis`. The caller has checked that the results are shown."""
        if not places:
            return {}
        statement = select(PaperStatistics).where(
            tuple_(PaperStatistics.cohort_id, PaperStatistics.paper_id).in_(list(places))
        )
        found = await self._session.scalars(statement)
        return {(row.cohort_id, row.paper_id): row for row in found}

    async def of_test(self, reader: Reader, test_id: UUID) -> Sequence[PaperStatistics]:
        """All statistics of a test that are not withheld from the reader, with `analysis`."""
        statement = (
            select(PaperStatistics)
            .options(undefer(PaperStatistics.analysis))
            .where(PaperStatistics.test_id == test_id, ~withholds_paper(reader, PaperStatistics.paper_id))
        )
        return (await self._session.scalars(statement)).all()

    async def exam_papers(self, cohort_ids: Collection[UUID]) -> Mapping[UUID, tuple[ExamPaper, Exam]]:
        """The exam papers among the cohorts, with their exams."""
        statement = (
            select(ExamPaper, Exam)
            .join(Exam, Exam.id == ExamPaper.exam_id)
            .where(ExamPaper.id.in_(cohort_ids))
        )
        return {paper.id: (paper, exam) for paper, exam in await self._session.execute(statement)}

    async def all_of_test(self, test_id: UUID) -> Sequence[PaperStatistics]:
        """All statistics of a test, for its refresh."""
        statement = select(PaperStatistics).options(undefer(PaperStatistics.analysis))
        return (await self._session.scalars(statement.where(PaperStatistics.test_id == test_id))).all()

    async def store(self, place: Place, **columns: Any) -> None:
        """Store the statistics of a cohort at a paper in place of those before."""
        cohort_id, paper_id = place
        new = insert(PaperStatistics).values(cohort_id=cohort_id, paper_id=paper_id, **columns)
        await self._session.execute(
            new.on_conflict_do_update(index_elements=["cohort_id", "paper_id"], set_=columns)
        )

    async def delete_others(self, test_id: UUID, places: Collection[Place]) -> None:
        """Delete the statistics of a test whose cohort at the paper has no results any more."""
        statement = delete(PaperStatistics).where(PaperStatistics.test_id == test_id)
        if places:
            place = tuple_(PaperStatistics.cohort_id, PaperStatistics.paper_id)
            statement = statement.where(place.not_in(list(places)))
        await self._session.execute(statement)

    async def open_papers(self, test_id: UUID) -> set[UUID]:
        """The papers of a test whose results the embargo withholds from no candidate now."""
        withheld = or_(is_placed(Paper.test_id), withholds_paper(CANDIDATE, Paper.id))
        return set(await self._session.scalars(select(Paper.id).where(Paper.test_id == test_id, ~withheld)))

    async def store_parameters(self, found: Sequence[NewParameters]) -> None:
        """Store the parameters of questions that are not under embargo.

        Those before are replaced if they are of the same cohort and paper, of an earlier version of the
        question, or rest on fewer answers. So the order of refreshes does not matter.
        """
        if not found:
            return
        new = insert(ItemParameters).values(
            [asdict(each) for each in sorted(found, key=lambda each: each.question_id)]
        )
        excluded = {column.name: new.excluded[column.name] for column in ItemParameters.__table__.columns}
        before, after = (
            tuple_(of["question_version"], of["answers"], of["cohort_id"], of["paper_id"])
            for of in (ItemParameters.__table__.c, new.excluded)
        )
        same = tuple_(ItemParameters.cohort_id, ItemParameters.paper_id) == tuple_(
            new.excluded.cohort_id, new.excluded.paper_id
        )
        del excluded["question_id"]
        await self._session.execute(
            new.on_conflict_do_update(
                index_elements=["question_id"], set_=excluded, where=or_(same, after > before)
            )
        )

    async def delete_parameters(self, paper_ids: Collection[UUID], places: Collection[Place]) -> None:
        """Delete the parameters of these papers, except those from these cohorts."""
        statement = delete(ItemParameters).where(ItemParameters.paper_id.in_(paper_ids))
        if places:
            place = tuple_(ItemParameters.cohort_id, ItemParameters.paper_id)
            statement = statement.where(place.not_in(list(places)))
        await self._session.execute(statement)

    async def parameters(self, question_ids: Collection[UUID]) -> Mapping[UUID, ItemParameters]:
        """The parameters of questions, by question. Nothing of an embargo is among them."""
        asked = bindparam("asked", list(question_ids), type_=ARRAY(Uuid))
        statement = select(ItemParameters).where(ItemParameters.question_id == asked.any_())
        return {row.question_id: row for row in await self._session.scalars(statement)}

    async def questions(self, version_ids: Sequence[UUID]) -> Sequence[AskedQuestion]:
        """Versions of questions, in this order."""
        asked = bindparam("asked", list(version_ids), type_=ARRAY(Uuid))
        statement = (
            select(
                QuestionVersion.id,
                QuestionVersion.question_id,
                QuestionVersion.number,
                QuestionVersion.difficulty,
                Question.chapter_id,
            )
            .join(Question, Question.id == QuestionVersion.question_id)
            .where(QuestionVersion.id == asked.any_())
        )
        rows = {row.id: row for row in await self._session.execute(statement)}
        return [
            AskedQuestion(row.question_id, row.number, row.difficulty, row.chapter_id)
            for row in (rows[version_id] for version_id in version_ids)
        ]

    async def calibrated(self, paper_id: UUID) -> Mapping[Label, Calibrated]:
        """The mean difficulty of other papers' questions, by label and chapter; None for all chapters."""
        rows = await self._session.execute(CALIBRATED, {"paper_id": paper_id})
        return {(row.label, row.chapter_id): Calibrated(row.questions, row.mean) for row in rows}

    async def changed_tests(self, task: str, before: datetime, fewest: int, most: int) -> Sequence[UUID]:
        """Tests whose statistics a loop has to refresh.

        These are tests with at least a tenth more participants than at the last refresh, and at least
        `fewest`; and tests whose results have changed since a refresh before `before`. A test in an
        unreleased exam, and a test with a job for its refresh, is left out.
        """
        values = {"task": task, "before": before, "fewest": fewest, "most": most}
        return (await self._session.scalars(CHANGED, values)).all()

    async def withheld_by(self, exam_id: UUID) -> Sequence[UUID]:
        """The tests of an exam, and the tests with statistics that have questions of its papers."""
        of_exam = select(ExamPaper.test_id).where(ExamPaper.exam_id == exam_id)
        questions = (
            select(PaperQuestion.question_id)
            .join(ExamPaper, ExamPaper.paper_id == PaperQuestion.paper_id)
            .where(ExamPaper.exam_id == exam_id)
        )
        sharing = (
            select(PaperStatistics.test_id)
            .join(PaperQuestion, PaperQuestion.paper_id == PaperStatistics.paper_id)
            .where(PaperQuestion.question_id.in_(questions))
        )
        return (await self._session.scalars(union(of_exam, sharing).order_by("test_id"))).all()

    async def pending_refresh(self, task: str, test_id: UUID) -> UUID | None:
        """The job that will refresh the test, or does so now."""
        await locks.lock_statistics_request(self._session, test_id)
        found: UUID | None = await self._session.scalar(PENDING, {"task": task, "test_id": str(test_id)})
        return found
