"""The figures of graded attempts: what they are computed from, and their rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from app.engine.answers import answer_of
from app.engine.attempt_figures import AttemptLog, Figures
from app.models import (
    Attempt,
    AttemptFigures,
    ExamPaper,
    OutcomeCount,
    Paper,
    PaperQuestion,
    Question,
    Result,
)
from app.repositories.base import Repository
from app.repositories.locks import Mode, Rank

# One row for each attempt with an event that counts. The arrays have an entry for each question of the log.
# The lateral join reads each attempt's part of the log. Without it the planner reads the log of everybody.
LOGS = text(
    """
    select attempt.id, log.*
    from unnest(:attempts) as attempt(id) cross join lateral (
      select array_agg(question_id) as questions, array_agg(spent) as spent, array_agg(first_at) as first_at,
        array_agg(case when standing is not null then confidence end) as confidence,
        array_agg(case when standing is not null then language end) as languages,
        jsonb_object_agg(question_id, first_answer)
          filter (where first_answer is distinct from standing) as first_answers
      from (
        select question_id, sum(spent)::bigint as spent, min(first_at) as first_at,
          (array_agg(first_answer order by lease) filter (where first_answer is not null))[1] as first_answer,
          (array_agg(standing order by lease desc))[1] as standing,
          (array_agg(confidence order by lease desc))[1] as confidence,
          (array_agg(language order by lease desc))[1] as language
        from (
          select question_id, lease, max(time_spent_ms) as spent,
            min(received_at) filter (where answer is not null) as first_at,
            (array_agg(answer order by revision) filter (where answer is not null))[1] as first_answer,
            (array_agg(answer order by revision desc))[1] as standing,
            (array_agg(confidence order by revision desc))[1] as confidence,
            (array_agg(language order by revision desc))[1] as language
          from ias.logged_events where attempt_id = attempt.id and not late
          group by question_id, lease
        ) as of_lease
        group by question_id
      ) as of_question
    ) as log
    where log.questions is not null
    """
).bindparams(bindparam("attempts", type_=ARRAY(Uuid)))
LOGS_READ = LOGS.columns(first_answers=JSONB)


@dataclass(frozen=True, slots=True)
class ResultWithPaper:
    """A graded attempt and the paper that was taken."""

    paper_id: UUID
    result: Result


class FiguresRepository(Repository):
    """Rows of `attempt_figures`, whoever they belong to. Nothing of it is shown from here."""

    async def lock_graded(self, attempt_ids: Collection[UUID]) -> Sequence[ResultWithPaper]:
        """Those of the attempts that have a result, in the order of their ids, locked.

        Until the transaction ends nobody can void, reopen or grade them. The second statement sees results
        that were stored or deleted while the first one waited.
        """
        wanted = any_(literal(list(attempt_ids), ARRAY(Uuid)))
        statement = select(Attempt).where(Attempt.id == wanted).order_by(Attempt.id)
        papers = {
            attempt.id: attempt.paper_id
            for attempt in await self._lock(Rank.ATTEMPT, Mode.KEY_SHARE, statement)
        }
        results = select(Result).where(Result.attempt_id == wanted).order_by(Result.attempt_id)
        found = await self._session.scalars(results.execution_options(populate_existing=True))
        return [ResultWithPaper(papers[result.attempt_id], result) for result in found]

    async def logs(self, attempt_ids: Collection[UUID]) -> Mapping[UUID, AttemptLog]:
        """What the logs of attempts say. An attempt without an event that counts is left out."""
        rows = await self._session.execute(LOGS_READ, {"attempts": list(attempt_ids)})
        return {row.id: _log(row) for row in rows}

    async def subjects(self, paper_ids: Collection[UUID]) -> Mapping[UUID, Sequence[UUID]]:
        """The subjects of the questions of papers, as the bank has them now, in the order of each paper."""
        statement = (
            select(PaperQuestion.paper_id, Question.subject_id)
            .join(Question, Question.id == PaperQuestion.question_id)
            .where(PaperQuestion.paper_id == any_(literal(list(paper_ids), ARRAY(Uuid))))
            .order_by(PaperQuestion.paper_id, PaperQuestion.position)
        )
        subjects: dict[UUID, list[UUID]] = {}
        for paper_id, subject_id in await self._session.execute(statement):
            subjects.setdefault(paper_id, []).append(subject_id)
        return subjects

    async def waiting_of_exam(self, exam_id: UUID) -> Mapping[UUID, bool]:
        """The attempts of an exam with a result that ratings have not taken in, and if they have figures."""
        statement = (
            select(Attempt.id, AttemptFigures.attempt_id.is_not(None))
            .join(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
            .join(Result, Result.attempt_id == Attempt.id)
            .outerjoin(AttemptFigures, AttemptFigures.attempt_id == Attempt.id)
            .where(ExamPaper.exam_id == exam_id, AttemptFigures.applied.is_(None))
            .order_by(Attempt.id)
        )
        return dict((await self._session.execute(statement)).all())

    async def count_after(self, attempt_id: UUID) -> tuple[int, int]:
        """How many results there are of attempts after this one, and how many of them have no figures."""
        statement = (
            select(func.count(), func.count().filter(AttemptFigures.attempt_id.is_(None)))
            .select_from(Result)
            .outerjoin(AttemptFigures, AttemptFigures.attempt_id == Result.attempt_id)
            .where(Result.attempt_id > attempt_id)
        )
        results, missing = (await self._session.execute(statement)).one()
        return results, missing

    async def graded_after(self, attempt_id: UUID, limit: int, *, only_missing: bool) -> Sequence[UUID]:
        """The next attempts that have a result, or a result without figures."""
        statement = select(Result.attempt_id).where(Result.attempt_id > attempt_id)
        if only_missing:
            statement = statement.where(~exists().where(AttemptFigures.attempt_id == Result.attempt_id))
        return (await self._session.scalars(statement.order_by(Result.attempt_id).limit(limit))).all()

    async def tests_with_results(self) -> Sequence[UUID]:
        """The tests of which a result counts."""
        statement = select(Paper.test_id).join(OutcomeCount, OutcomeCount.paper_id == Paper.id).distinct()
        return sorted(await self._session.scalars(statement))

    async def store(self, figures: Mapping[UUID, tuple[UUID, Figures]]) -> None:
        """Store figures with the key that they were computed with, by attempt. `applied` stays as it is."""
        rows = [
            {"attempt_id": attempt_id, "key_id": key_id, **asdict(each)}
            for attempt_id, (key_id, each) in sorted(figures.items())
        ]
        if not rows:
            return
        new = insert(AttemptFigures)
        changes = {name: new.excluded[name] for name in rows[0] if name != "attempt_id"}
        await self._session.execute(
            new.on_conflict_do_update(index_elements=["attempt_id"], set_=changes), rows
        )


def _log(row: Any) -> AttemptLog:
    return AttemptLog(
        spent_ms=dict(zip(row.questions, row.spent, strict=True)),
        first_at=_given(row.questions, row.first_at),
        first_answers={
            UUID(question_id): given
            for question_id, answer in (row.first_answers or {}).items()
            if (given := answer_of(answer)) is not None
        },
        confidence=_given(row.questions, row.confidence),
        languages=_given(row.questions, row.languages),
    )


def _given(questions: Sequence[UUID], values: Sequence[Any]) -> dict[UUID, Any]:
    """The values by question that are not null."""
    pairs = zip(questions, values, strict=True)
    return {question_id: value for question_id, value in pairs if value is not None}
