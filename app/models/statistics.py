"""Statistics of tests and questions, as the last refresh computed them (docs/decisions/0067)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, Index, Integer
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class PaperStatistics(Base):
    """The statistics of the participants of a cohort who took one paper.

    They may be computed while the embargo withholds the results. A candidate's figures read a row only for
    an attempt whose result is shown to the candidate; staff read it through the embargo.
    """

    __tablename__ = "paper_statistics"
    __table_args__ = (Index("ix_paper_statistics_test_id", "test_id"),)

    cohort_id: Mapped[UUID] = mapped_column(primary_key=True)
    paper_id: Mapped[UUID] = mapped_column(ForeignKey("papers.id"), primary_key=True)
    test_id: Mapped[UUID] = mapped_column(ForeignKey("tests.id"))
    key_id: Mapped[UUID] = mapped_column(ForeignKey("paper_keys.id"))
    """The version of the key that the results were marked by."""
    participants: Mapped[int]
    """The number of results that count, as in the histogram."""
    right_answers: Mapped[int] = mapped_column(BigInteger)
    """The number of right answers in them. With `participants` it shows whether results have changed."""
    attempts: Mapped[int]
    """The number of attempts that were analyzed: all participants, or a sample of them if they are many."""
    computed_at: Mapped[datetime]
    mean: Mapped[float | None] = mapped_column(Double)
    standard_deviation: Mapped[float | None] = mapped_column(Double)
    alpha: Mapped[float | None] = mapped_column(Double)
    standard_error: Mapped[float | None] = mapped_column(Double)
    """The standard error of measurement of one score, in marks."""
    median_ms: Mapped[list[int | None]] = mapped_column(ARRAY(Integer))
    """By question in the order of the paper: the median time. Null where too few times are known."""
    option_counts: Mapped[list[list[int]]] = mapped_column(JSONB)
    """By question in the order of the paper: how often each option was chosen, in the order of the paper;
    then how often it was left blank, and any other answer. A question without options has the last two."""
    analysis: Mapped[dict[str, Any]] = mapped_column(JSONB, deferred=True)
    """Everything else, for staff: `services/analytics/analysis.py` writes and reads it."""


class ItemParameters(Base):
    """The parameters of a question by item response theory, from its largest calibration.

    Rasch, 2PL and 3PL have the same scale: abilities have mean 0 and deviation 1 among those who took the
    paper. A calibration under embargo is not stored here before its release.
    """

    __tablename__ = "item_parameters"
    __table_args__ = (
        CheckConstraint("model in ('1pl', '2pl', '3pl')", name="model"),
        CheckConstraint("discrimination > 0", name="discrimination"),
    )

    question_id: Mapped[UUID] = mapped_column(
        ForeignKey("questions.id", ondelete="CASCADE"), primary_key=True
    )
    question_version: Mapped[int]
    """The version of the question that was answered."""
    model: Mapped[str]
    difficulty: Mapped[float] = mapped_column(Double)
    difficulty_error: Mapped[float] = mapped_column(Double)
    discrimination: Mapped[float] = mapped_column(Double)
    discrimination_error: Mapped[float] = mapped_column(Double)
    guessing: Mapped[float] = mapped_column(Double)
    guessing_error: Mapped[float] = mapped_column(Double)
    answers: Mapped[int]
    """How many attempts the calibration rests on, blank answers included."""
    cohort_id: Mapped[UUID]
    paper_id: Mapped[UUID] = mapped_column(ForeignKey("papers.id"))
    """The cohort and the paper of the calibration."""
    computed_at: Mapped[datetime]
