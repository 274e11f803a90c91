"""What the answers of candidates say of them and of questions: ratings, abilities, review cards, advice.

Ratings, answers by chapter and review cards can be calculated again from the attempts in their sequence
(docs/decisions/0068), and abilities from results. `dismissals` cannot.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, Index, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class CandidateRating(Base):
    """A candidate's Elo rating in logits, and habits of answering.

    The counts that are not whole numbers lose half of their weight with every 1,000 questions.
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
    """When the attempt that was counted last ended."""
    abilities_at: Mapped[datetime | None]
    """When the abilities were estimated last. Null at first, and if an attempt was counted later."""


class SubjectRating(Base):
    """A candidate's Elo rating in a subject, in logits, relative to `candidate_ratings.rating`."""

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
    """A candidate's ability in a subject, from first answers in official attempts that may be reviewed."""

    __tablename__ = "subject_abilities"
    __table_args__ = (Index("ix_subject_abilities_subject_id", "subject_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True)
    estimate: Mapped[float] = mapped_column(Double)
    """Expected a posteriori, in the units of `item_parameters`."""
    standard_error: Mapped[float] = mapped_column(Double)
    answers: Mapped[int]
    """The number of different questions. A blank counts if the candidate has seen the question."""
    estimated_at: Mapped[datetime]


class ReviewCard(Base):
    """A question that a candidate once missed, guessed or doubted, and when to revise it (FSRS)."""

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
    """The last attempt that changed the card. While it may not be reviewed, the card is not shown."""
    ground: Mapped[str]
    """What the last answer was: missed (wrong or blank), guessed, doubtful (also: partly right), or known."""
    due_at: Mapped[datetime]
    reviewed_at: Mapped[datetime]
    stability: Mapped[float] = mapped_column(Double)
    difficulty: Mapped[float] = mapped_column(Double)
    reviews: Mapped[int] = mapped_column(SmallInteger)


class RatingWithdrawal(Base):
    """An attempt that is counted in ratings and whose result was deleted: ratings are stale until a replay.

    A trigger of `attempt_figures` adds the rows. It does not lock ratings. A replay deletes the rows.
    """

    __tablename__ = "rating_withdrawals"

    applied: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """`attempt_figures.applied` of the attempt: a sequence number."""
    withdrawn_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Dismissal(Base):
    """A recommendation that a candidate does not want to see until there is something new."""

    __tablename__ = "dismissals"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    recommendation_id: Mapped[UUID] = mapped_column(primary_key=True)
    until_evidence: Mapped[int]
    """It is shown again if `Action.evidence` of `engine/recommending.py`, a count, is at least this."""
    dismissed_at: Mapped[datetime]
