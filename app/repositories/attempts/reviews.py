"""Attempts as reviews and lists show them: which paper, and what the log says of each question."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Row,
    Select,
    SQLColumnExpression,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.engine.answers import answer_of
from app.engine.responses import count_changes
from app.models import (
    DEFAULT_INSTITUTE_ID,
    Attempt,
    AttemptStatus,
    Exam,
    ExamPaper,
    Membership,
    Role,
    User,
)
from app.repositories.attempts.attempts import RUNNING, found
from app.repositories.base import Repository

# One row for each attempt with an event that counts. The arrays have its events, those of a question together
# in the order of lease and revision. The lateral join reads each attempt's part of the log. Without it the
# planner reads the log of everybody.
LOGS = text(
    """
    select attempt.id, log.*
    from unnest(:attempts) as attempt(id) cross join lateral (
      select array_agg(question_id) as questions, array_agg(lease) as leases,
        array_agg(time_spent_ms) as spent, jsonb_agg(answer) as answers,
        array_agg(marked_for_review) as marked, array_agg(confidence) as confidences,
        array_agg(received_at) as saved
      from (
        select question_id, lease, time_spent_ms, answer, marked_for_review, confidence, received_at
        from ias.logged_events where attempt_id = attempt.id and not late
        order by question_id, lease, revision
      ) as event
    ) as log
    where log.questions is not null
    """
).bindparams(bindparam("attempts", type_=ARRAY(Uuid)))
LOGS_READ = LOGS.columns(answers=JSONB)

COUNTS = text(
    """
    select attempt.id, counts.answered, counts.marked
    from unnest(:attempts) as attempt(id) cross join lateral (
      select count(*) filter (where answer is not null) as answered,
        count(*) filter (where marked_for_review) as marked
      from (
        select distinct on (question_id) answer, marked_for_review
        from ias.logged_events where attempt_id = attempt.id and not late
        order by question_id, lease desc, revision desc
      ) as standing
    ) as counts
    """
).bindparams(bindparam("attempts", type_=ARRAY(Uuid)))


# A question has other places in other versions of the paper.
CORRECT = text(
    """
    select question_id, sum(correct[position])::int as correct, sum(results)::int as participants
    from ias.outcome_counts join ias.paper_questions using (paper_id)
    where cohort_id = :cohort_id group by question_id
    """
)


@dataclass(frozen=True, slots=True)
class QuestionLog:
    """What the log of an attempt says of one question."""

    answers: Sequence[Any]
    """All answers that were saved, in the order of lease and revision. The last one stands."""
    marked_for_review: bool
    confidence: str | None
    time_spent_ms: int
    saved_at: datetime | None
    """When the standing answer was saved."""

    @property
    def answer(self) -> Any:
        """The answer that stands. None if the question is blank."""
        return self.answers[-1] if self.answers else None

    @property
    def changes(self) -> int:
        """See `engine.responses.count_changes`."""
        return count_changes([answer_of(answer) for answer in self.answers]) if len(self.answers) > 1 else 0


NOT_SAVED = QuestionLog(answers=(), marked_for_review=False, confidence=None, time_spent_ms=0, saved_at=None)
"""Of a question of which nothing was saved in time."""


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """Of how many questions of an attempt an answer stands, and how many are marked for review."""

    answered: int = 0
    marked_for_review: int = 0


def _latest_with_paper(
    user_id: UUID | SQLColumnExpression[UUID],
    test_id: UUID | SQLColumnExpression[UUID],
    attempt_id: UUID | None,
    *,
    before_release: bool,
) -> Select[Attempt]:
    statement = select(Attempt).where(
        Attempt.user_id == user_id, Attempt.test_id == test_id, Attempt.status != AttemptStatus.VOID
    )
    if attempt_id is not None:
        statement = statement.where(Attempt.id == attempt_id)
    if not before_release:
        released = exists(
            select(ExamPaper.id)
            .join(Exam, Exam.id == ExamPaper.exam_id)
            .where(ExamPaper.id == Attempt.exam_paper_id, Exam.released_at.is_not(None))
        )
        statement = statement.where(or_(Attempt.exam_paper_id.is_(None), released))
    # Not by the id alone: a clock that was set back gives a later attempt an earlier id.
    return statement.order_by(Attempt.status.in_(RUNNING).desc(), Attempt.id.desc()).limit(1)


def _papers_at_test() -> Select[Any]:
    latest = _latest_with_paper(User.id, bindparam("test_id", type_=Uuid), None, before_release=False)
    paper = latest.with_only_columns(Attempt.paper_id).lateral()
    of_institute = Membership.user_id == User.id, Membership.institute_id == DEFAULT_INSTITUTE_ID
    return (
        select(User.id, User.email, User.email_since, paper.c.paper_id)
        .join(Membership, and_(*of_institute))
        .join(paper, true())
        .where(
            User.id == any_(bindparam("user_ids", type_=ARRAY(Uuid))),
            User.active,
            Membership.role == Role.STUDENT,
        )
    )


PAPERS_AT_TEST = _papers_at_test()
"""Built once: building it takes longer than running it."""


@dataclass(frozen=True, slots=True)
class PaperOfCandidate:
    """The paper version that a candidate who is not banned gets with a test, and their address."""

    paper_id: UUID
    email: str
    email_since: datetime | None
    """Since when the address is settled."""


class AttemptReviewRepository(Repository):
    """What is shown of attempts. Only `correct_shares` is computed from keys."""

    async def with_paper(
        self, user_id: UUID, test_id: UUID, attempt_id: UUID | None, *, before_release: bool
    ) -> Attempt:
        """A person's attempt whose paper is served with the test: by default the one in progress, else the
        latest. A void attempt has no paper. An attempt in an exam has one after the exam's release, or with
        `before_release`.
        """
        latest = _latest_with_paper(user_id, test_id, attempt_id, before_release=before_release)
        return found((await self._session.scalars(latest)).one_or_none())

    async def papers_at_test(
        self, user_ids: Collection[UUID], test_id: UUID
    ) -> Mapping[UUID, PaperOfCandidate]:
        """The paper versions that `with_paper` finds for the candidates among these people before a release.

        Whoever is staff or banned is left out.
        """
        values = {"user_ids": list(user_ids), "test_id": test_id}
        rows = await self._session.execute(PAPERS_AT_TEST, values)
        return {row.id: PaperOfCandidate(row.paper_id, row.email, row.email_since) for row in rows}

    async def question_logs(self, attempt_ids: Collection[UUID]) -> Mapping[UUID, Mapping[UUID, QuestionLog]]:
        """What was saved in time for each question of each attempt. Others are left out."""
        rows = await self._session.execute(LOGS_READ, {"attempts": list(attempt_ids)})
        return {row.id: _question_logs(row) for row in rows}

    async def correct_shares(self, cohort_id: UUID) -> Mapping[UUID, tuple[int, int]]:
        """For each question of a cohort: how many participants answered it correctly, and of how many.

        The caller asks the embargo.
        """
        rows = await self._session.execute(CORRECT, {"cohort_id": cohort_id})
        return {row.question_id: (row.correct, row.participants) for row in rows}

    async def answer_counts(self, attempt_ids: Collection[UUID]) -> Mapping[UUID, AnswerCounts]:
        """How many questions of each attempt are answered and marked for review."""
        rows = await self._session.execute(COUNTS, {"attempts": list(attempt_ids)})
        return {row.id: AnswerCounts(row.answered, row.marked) for row in rows}


def _question_logs(row: Row[Any]) -> dict[UUID, QuestionLog]:
    columns = row.questions, row.leases, row.spent, row.answers, row.marked, row.confidences, row.saved
    logs = {}
    for question_id, of_question in groupby(zip(*columns, strict=True), key=itemgetter(0)):
        events = list(of_question)
        # Devices count time up within their lease, and leases add up.
        spent_in = dict[int, int]()
        for _, lease, spent_ms, *_ in events:
            spent_in[lease] = max(spent_ms, spent_in.get(lease, 0))
        *_, marked_for_review, confidence, saved_at = events[-1]
        logs[question_id] = QuestionLog(
            answers=[answer for _, _, _, answer, *_ in events],
            marked_for_review=marked_for_review,
            confidence=confidence,
            time_spent_ms=sum(spent_in.values()),
            saved_at=saved_at,
        )
    return logs
