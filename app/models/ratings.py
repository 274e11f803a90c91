"""What the answers of candidates say of them and of questions: ratings, abilities, review cards, advice.

Everything here can be made again from results, by taking the attempts in once more in their sequence
(docs/decisions/0068). `dismissals` cannot.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, Index, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class CandidateRating(Base):
    """A candidate's Elo rating in logits, and habits of answering.

    The counts of habits halve with every 1,000 questions, so that they say what the candidate does lately.
    """

    __tablename__ = "candidate_ratings"
    __table_args__ = (
        Index("ix_candidate_ratings_not_estimated", "user_id", postgresql_where=text("abilities_at is null")),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    rating: Mapped[float] = mapped_column(Double)
    answers: Mapped[int]
    """The answers behind the rating."""
    full_tests: Mapped[int]
    sure: Mapped[float] = mapped_column(Double)
    sure_right: Mapped[float] = mapped_column(Double)
    doubtful: Mapped[float] = mapped_column(Double)
    doubtful_right: Mapped[float] = mapped_column(Double)
    guesses: Mapped[float] = mapped_column(Double)
    guesses_right: Mapped[float] = mapped_column(Double)
    wrong: Mapped[float] = mapped_column(Double)
    blanks: Mapped[float] = mapped_column(Double)
    questions: Mapped[float] = mapped_column(Double)
    last_attempt_at: Mapped[datetime]
    """When the attempt ended that was taken in last."""
    abilities_at: Mapped[datetime | None]
    """When the abilities were estimated last. Null if an attempt was taken in since then."""


class SubjectRating(Base):
    """A candidate's Elo rating in a subject, in logits, to be added to that of the candidate."""

    __tablename__ = "subject_ratings"
    __table_args__ = (Index("ix_subject_ratings_subject_id", "subject_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True)
    rating: Mapped[float] = mapped_column(Double)
    answers: Mapped[int]


class ChapterAnswers(Base):
    """How many different questions of a chapter a candidate has seen, and how many were right.

    A blank counts as the share that a blind guess earns.
    """

    __tablename__ = "chapter_answers"
    __table_args__ = (Index("ix_chapter_answers_chapter_id", "chapter_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    chapter_id: Mapped[UUID] = mapped_column(ForeignKey("chapters.id", ondelete="CASCADE"), primary_key=True)
    seen: Mapped[int]
    right: Mapped[float] = mapped_column(Double)


class QuestionRating(Base):
    """A question's Elo rating: its difficulty in logits."""

    __tablename__ = "question_ratings"

    question_id: Mapped[UUID] = mapped_column(
        ForeignKey("questions.id", ondelete="CASCADE"), primary_key=True
    )
    rating: Mapped[float] = mapped_column(Double)
    answers: Mapped[int]


class SubjectAbility(Base):
    """A candidate's ability in a subject, estimated from results that are shown to the candidate."""

    __tablename__ = "subject_abilities"
    __table_args__ = (Index("ix_subject_abilities_subject_id", "subject_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True)
    estimate: Mapped[float] = mapped_column(Double)
    """Expected a posteriori, in the units of `item_parameters`."""
    standard_error: Mapped[float] = mapped_column(Double)
    answers: Mapped[int]
    """The different questions behind it, blank ones included."""
    estimated_at: Mapped[datetime]


class ReviewCard(Base):
    """A question that a candidate missed or was not sure of, and when to revise it (FSRS)."""

    __tablename__ = "review_cards"
    __table_args__ = (
        CheckConstraint("ground in ('missed', 'doubtful', 'guessed', 'known')", name="ground"),
        CheckConstraint("stability > 0", name="stability"),
        Index("ix_review_cards_user_id_due_at", "user_id", "due_at"),
        Index("ix_review_cards_question_id", "question_id"),
        Index("ix_review_cards_attempt_id", "attempt_id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    question_id: Mapped[UUID] = mapped_column(
        ForeignKey("questions.id", ondelete="CASCADE"), primary_key=True
    )
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"))
    """The attempt that the card rests on last. While its review is closed, the card is not shown."""
    ground: Mapped[str]
    """What became of the last answer: missed, doubtful, guessed; known if it was right and sure."""
    due_at: Mapped[datetime]
    reviewed_at: Mapped[datetime]
    stability: Mapped[float] = mapped_column(Double)
    difficulty: Mapped[float] = mapped_column(Double)
    reviews: Mapped[int] = mapped_column(SmallInteger)


class RatingWithdrawal(Base):
    """An attempt that ratings took in and whose result has gone since: until a replay, ratings are stale.

    A trigger of `attempt_figures` adds the rows. They are only inserted, so that nobody waits for a lock.
    """

    __tablename__ = "rating_withdrawals"

    applied: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The sequence number of the attempt that has gone."""
    withdrawn_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Dismissal(Base):
    """A recommendation that a candidate does not want to see until there is something new."""

    __tablename__ = "dismissals"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    recommendation_id: Mapped[UUID] = mapped_column(primary_key=True)
    until_evidence: Mapped[int]
    """It is shown again once its evidence has reached this number (`engine/recommending.py`)."""
    dismissed_at: Mapped[datetime]
