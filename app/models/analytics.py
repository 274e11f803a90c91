"""What analytics keep of graded attempts."""

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, WholeNumber, WholeNumbers


class AttemptFigures(Base):
    """What the log and the key say of a graded attempt beyond its result (docs/decisions/0066).

    Arrays and `confidence` have one entry for each question, in the order of the paper. A row is deleted
    with its result. `engine/attempt_figures.py` computes it.
    """

    __tablename__ = "attempt_figures"
    __table_args__ = (
        CheckConstraint("denominator > 0", name="denominator"),
        Index(
            "ix_attempt_figures_applied",
            "applied",
            unique=True,
            postgresql_where=text("applied is not null"),
        ),
        Index("ix_attempt_figures_not_applied", "attempt_id", postgresql_where=text("applied is null")),
    )

    attempt_id: Mapped[UUID] = mapped_column(
        ForeignKey("results.attempt_id", ondelete="CASCADE"), primary_key=True
    )
    key_id: Mapped[UUID] = mapped_column(ForeignKey("paper_keys.id"))
    """The version of the key that the result was marked by."""
    spent_ms: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    """Milliseconds by question. Null if the log has no times, as with answer sheets on paper."""
    answered_order: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    """The place of each question in the order of first answers, from 1; 0 if it was never answered.

    Null if the order is not known, because all answers came at one moment.
    """
    confidence: Mapped[str]
    """A letter for each question: s(ure), d(oubtful), g(uess), `-` without an answer or a confidence."""
    language: Mapped[str | None]
    """The language in which most of the answers were given, if the client said so."""
    right_to_wrong: Mapped[int] = mapped_column(SmallInteger)
    wrong_to_right: Mapped[int] = mapped_column(SmallInteger)
    wrong_to_wrong: Mapped[int] = mapped_column(SmallInteger)
    net_marks: Mapped[int] = mapped_column(WholeNumber)
    """Raw marks of the standing answers minus those of the first answers, in parts of `1 / denominator`."""
    subject_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    sums: Mapped[list[int]] = mapped_column(WholeNumbers)
    """For each of the subjects, the fields of `engine.attempt_figures.SubjectSums`, one after the other."""
    denominator: Mapped[int] = mapped_column(WholeNumber)
    applied: Mapped[int | None] = mapped_column(BigInteger)
    """When ratings and review cards took the attempt in, as a sequence number. Null if they have not yet."""
