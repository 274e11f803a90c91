"""Attempts as reviews and lists show them: which paper, and what the log says of each question."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
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

# One row for each question. Devices count time up within their lease, and leases add up. `answers` has a list
# for each lease, in order. The flags are those of the standing event.
LOG = text(
    """
    select question_id, sum(spent)::bigint as time_spent_ms,
      jsonb_agg(answers order by lease) as answers,
      (array_agg(marked_for_review order by lease desc))[1] as marked_for_review,
      (array_agg(confidence order by lease desc))[1] as confidence,
      (array_agg(saved_at order by lease desc))[1] as saved_at
    from (
      select question_id, lease, max(time_spent_ms) as spent,
        jsonb_agg(answer order by revision) as answers,
        (array_agg(marked_for_review order by revision desc))[1] as marked_for_review,
        (array_agg(confidence order by revision desc))[1] as confidence,
        (array_agg(received_at order by revision desc))[1] as saved_at
      from ias.logged_events where attempt_id = :attempt_id and not late
      group by question_id, lease
    ) as of_lease
    group by question_id
    """
).columns(answers=JSONB)

# The lateral join reads each attempt's part of the log. Without it the planner reads the log of everybody.
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
    saved_at: datetime
    """When the standing answer was saved."""


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

    async def question_logs(self, attempt_id: UUID) -> Mapping[UUID, QuestionLog]:
        """What was saved in time for each question of an attempt."""
        rows = await self._session.execute(LOG, {"attempt_id": attempt_id})
        return {
            row.question_id: QuestionLog(
                answers=[answer for of_lease in row.answers for answer in of_lease],
                marked_for_review=row.marked_for_review,
                confidence=row.confidence,
                time_spent_ms=row.time_spent_ms,
                saved_at=row.saved_at,
            )
            for row in rows
        }

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
