"""Ratings, and the sequence in which attempts are taken into them (docs/decisions/0068)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.engine.ratings import HABITS, Answered, Candidate, RatingState
from app.engine.statistics.elo import Rating
from app.models import (
    Attempt,
    AttemptFigures,
    AttemptStatus,
    CandidateRating,
    ChapterAnswers,
    Paper,
    PaperQuestion,
    Question,
    QuestionRating,
    RatingWithdrawal,
    Result,
    ReviewCard,
    SubjectRating,
    Test,
    User,
)
from app.repositories import locks
from app.repositories.base import Repository
from app.repositories.embargo import Reader, is_placed, withholds_attempt, withholds_paper
from app.repositories.locks import Mode, Rank

CANDIDATES = Reader(UUID(int=0), is_staff=False, is_admin=False)
"""The embargo is the same for all candidates."""

ROWS_AT_ONCE = 5_000

# The papers that have the questions are few, and so are the attempts of a candidate at them.
SEEN = text(
    """
    select distinct attempts.user_id, paper_questions.question_id
    from ias.paper_questions
    join ias.attempts on attempts.paper_id = paper_questions.paper_id and attempts.user_id = any(:users)
    join ias.attempt_figures on attempt_figures.attempt_id = attempts.id
    where paper_questions.question_id = any(:questions) and attempt_figures.applied < :before
    """
).bindparams(bindparam("users", type_=ARRAY(Uuid)), bindparam("questions", type_=ARRAY(Uuid)))


@dataclass(frozen=True, slots=True)
class WaitingAttempt:
    """A graded attempt as the ratings take it in."""

    id: UUID
    user_id: UUID
    paper_id: UUID
    ended_at: datetime
    is_full_test: bool
    outcomes: str
    was_staff: bool
    confidence: str
    spent_ms: Sequence[int] | None
    applied: int | None


@dataclass(frozen=True, slots=True)
class QuestionPlace:
    """Where a question stands in the syllabus."""

    subject_id: UUID
    chapter_id: UUID | None


class RatingRepository(Repository):
    """Ratings of candidates and questions. Only attempts that are shown to candidates come in."""

    async def lock(self, attempt_ids: Collection[UUID]) -> None:
        """Lock the candidates and the attempts against deletion, and then all ratings."""
        wanted = _among(attempt_ids)
        users = select(Attempt.user_id).where(Attempt.id == wanted, Attempt.user_id.is_not(None))
        user_ids = {user_id for user_id in await self._session.scalars(users) if user_id is not None}
        held = select(User.id).where(User.id == any_(literal(user_ids, ARRAY(Uuid)))).order_by(User.id)
        await self._lock(Rank.USER, Mode.KEY_SHARE, held)
        attempts = select(Attempt.id).where(Attempt.id == wanted).order_by(Attempt.id)
        await self._lock(Rank.ATTEMPT, Mode.KEY_SHARE, attempts)
        await self.lock_all()

    async def lock_all(self) -> None:
        """Wait for whoever takes attempts in; those that come later wait for this transaction."""
        await locks.lock_ratings(self._session)

    async def waiting(self, attempt_ids: Collection[UUID]) -> Sequence[WaitingAttempt]:
        """Those that are graded, shown to candidates, and not taken in, in the order of their ends.

        Where nobody may review, ratings must not tell which answers were right.
        """
        statement = _graded().where(
            Attempt.id == _among(attempt_ids),
            AttemptFigures.applied.is_(None),
            ~withholds_attempt(CANDIDATES),
            Test.review != "never",
        )
        return await self._attempts(statement.order_by(Attempt.submitted_at, Attempt.id))

    async def taken_in(self, after: int, limit: int) -> Sequence[WaitingAttempt]:
        """The next attempts of the sequence."""
        statement = _graded().where(AttemptFigures.applied > after)
        return await self._attempts(statement.order_by(AttemptFigures.applied).limit(limit))

    async def left_out(self, limit: int) -> Sequence[UUID]:
        """Attempts that are graded, shown to candidates, and not taken in. The embargo is asked by paper."""
        waiting = (
            select(Attempt.paper_id)
            .join(AttemptFigures, AttemptFigures.attempt_id == Attempt.id)
            .where(AttemptFigures.applied.is_(None))
            .distinct()
        )
        shown = select(Paper.id).where(
            Paper.id.in_(waiting), ~is_placed(Paper.test_id), ~withholds_paper(CANDIDATES, Paper.id)
        )
        statement = (
            select(Attempt.id)
            .join(AttemptFigures, AttemptFigures.attempt_id == Attempt.id)
            .join(Test, Test.id == Attempt.test_id)
            .where(
                AttemptFigures.applied.is_(None),
                Test.review != "never",
                Attempt.status == AttemptStatus.GRADED,
                Attempt.user_id.is_not(None),
                Attempt.paper_id.in_(shown),
            )
        )
        return (await self._session.scalars(statement.order_by(Attempt.id).limit(limit))).all()

    async def next_numbers(self, count: int) -> Sequence[int]:
        """The next numbers of the sequence, in ascending order."""
        statement = text("select nextval('ias.rating_sequence') from generate_series(1, :count)")
        return sorted(await self._session.scalars(statement, {"count": count}))

    async def mark_applied(self, numbers: Mapping[UUID, int]) -> None:
        """Record that attempts were taken in."""
        statement = update(AttemptFigures)
        rows = [{"attempt_id": attempt_id, "applied": number} for attempt_id, number in numbers.items()]
        await self._session.execute(statement, rows)

    async def places(self, paper_ids: Collection[UUID]) -> Mapping[UUID, QuestionPlace]:
        """The subject and chapter of each question of these papers."""
        statement = (
            select(Question.id, Question.subject_id, Question.chapter_id)
            .join(PaperQuestion, PaperQuestion.question_id == Question.id)
            .where(PaperQuestion.paper_id == _among(paper_ids))
        )
        rows = await self._session.execute(statement)
        return {row.id: QuestionPlace(row.subject_id, row.chapter_id) for row in rows}

    async def seen(
        self, user_ids: Collection[UUID], question_ids: Collection[UUID], before: int
    ) -> Mapping[UUID, set[UUID]]:
        """Which of the questions each candidate has seen in attempts earlier in the sequence."""
        values = {"users": list(user_ids), "questions": list(question_ids), "before": before}
        found: dict[UUID, set[UUID]] = {}
        for user_id, question_id in await self._session.execute(SEEN, values):
            found.setdefault(user_id, set()).add(question_id)
        return found

    async def board(self, user_ids: Collection[UUID], places: Mapping[UUID, QuestionPlace]) -> RatingState:
        """The ratings of these candidates and questions, and of the candidates in the questions' places."""
        users = _among(user_ids)
        subject_ids = _among({place.subject_id for place in places.values()})
        chapter_ids = _among({place.chapter_id for place in places.values() if place.chapter_id})
        candidates = await self._session.scalars(
            _fresh(select(CandidateRating).where(CandidateRating.user_id == users))
        )
        subjects = await self._session.scalars(
            _fresh(
                select(SubjectRating).where(
                    SubjectRating.user_id == users, SubjectRating.subject_id == subject_ids
                )
            )
        )
        chapters = await self._session.scalars(
            _fresh(
                select(ChapterAnswers).where(
                    ChapterAnswers.user_id == users, ChapterAnswers.chapter_id == chapter_ids
                )
            )
        )
        rated = await self._session.scalars(
            _fresh(select(QuestionRating).where(QuestionRating.question_id == _among(places)))
        )
        return RatingState(
            candidates={row.user_id: _candidate(row) for row in candidates},
            subjects={(row.user_id, row.subject_id): Rating(row.rating, row.answers) for row in subjects},
            chapters={(row.user_id, row.chapter_id): Answered(row.seen, row.right) for row in chapters},
            questions={row.question_id: Rating(row.rating, row.answers) for row in rated},
        )

    async def store(self, board: RatingState, ended_at: Mapping[UUID, datetime]) -> None:
        """Store ratings. `ended_at` is when the latest attempt of each candidate ended."""
        candidates = [
            {
                "user_id": user_id,
                "rating": each.rating.value,
                "answers": each.rating.answers,
                "full_tests": each.full_tests,
                **{name: getattr(each, name) for name in HABITS},
                "last_attempt_at": ended_at[user_id],
                "abilities_at": None,
            }
            for user_id, each in sorted(board.candidates.items())
        ]
        subjects = [
            {"user_id": user_id, "subject_id": place, "rating": each.value, "answers": each.answers}
            for (user_id, place), each in sorted(board.subjects.items())
        ]
        chapters = [
            {"user_id": user_id, "chapter_id": place, "seen": each.seen, "right": each.right}
            for (user_id, place), each in sorted(board.chapters.items())
        ]
        questions = [
            {"question_id": question_id, "rating": each.value, "answers": each.answers}
            for question_id, each in sorted(board.questions.items())
        ]
        await self._upsert(CandidateRating, ["user_id"], candidates)
        await self._upsert(SubjectRating, ["user_id", "subject_id"], subjects)
        await self._upsert(ChapterAnswers, ["user_id", "chapter_id"], chapters)
        await self._upsert(QuestionRating, ["question_id"], questions)

    async def clear(self) -> None:
        """Delete all ratings and cards, and forget the withdrawals that are known now."""
        for table in (CandidateRating, SubjectRating, ChapterAnswers, QuestionRating, ReviewCard):
            await self._session.execute(delete(table))
        await self._session.execute(delete(RatingWithdrawal))

    async def are_stale(self) -> bool:
        """Whether an attempt that was taken in has gone since the last replay."""
        return bool(await self._session.scalar(select(select(RatingWithdrawal.applied).exists())))

    async def _attempts(self, statement: Select[*tuple[Any, ...]]) -> Sequence[WaitingAttempt]:
        return [WaitingAttempt(*row) for row in await self._session.execute(statement)]

    async def _upsert(self, table: Any, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        for first in range(0, len(rows), ROWS_AT_ONCE):
            new = insert(table)
            changes = {name: new.excluded[name] for name in rows[0] if name not in key}
            await self._session.execute(
                new.on_conflict_do_update(index_elements=key, set_=changes),
                list(rows[first : first + ROWS_AT_ONCE]),
            )


def _among(ids: Collection[UUID]) -> Any:
    return any_(literal(list(ids), ARRAY(Uuid)))


def _graded() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Attempt.id,
            Attempt.user_id,
            Attempt.paper_id,
            func.coalesce(Attempt.submitted_at, Result.graded_at),
            (Test.kind == "full").label("is_full_test"),
            Result.outcomes,
            Result.was_staff,
            AttemptFigures.confidence,
            AttemptFigures.spent_ms,
            AttemptFigures.applied,
        )
        .join(Result, Result.attempt_id == Attempt.id)
        .join(AttemptFigures, AttemptFigures.attempt_id == Attempt.id)
        .join(Test, Test.id == Attempt.test_id)
        .where(Attempt.status == AttemptStatus.GRADED, Attempt.user_id.is_not(None))
    )


def _fresh(statement: Select[Any]) -> Select[Any]:
    return statement.execution_options(populate_existing=True)


def _candidate(row: CandidateRating) -> Candidate:
    habits = {name: getattr(row, name) for name in HABITS}
    return Candidate(rating=Rating(row.rating, row.answers), full_tests=row.full_tests, **habits)
