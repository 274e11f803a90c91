"""Attempts, the response log, results and histograms."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    column,
    func,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app.models.base import SCHEMA, Base, Identified, Timestamped, WholeNumber, WholeNumbers


class AttemptStatus(StrEnum):
    """The status of an attempt."""

    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    SUBMITTED = "submitted"
    GRADED = "graded"
    VOID = "void"


RUNNING = text("status in ('in_progress', 'paused')")


class Attempt(Identified, Timestamped, Base):
    """One attempt at one test or exam paper."""

    __tablename__ = "attempts"
    __table_args__ = (
        CheckConstraint("status in ('in_progress', 'paused', 'submitted', 'graded', 'void')", name="status"),
        CheckConstraint("closed_by in ('candidate', 'deadline', 'staff')", name="closed_by"),
        CheckConstraint("voided_from in ('in_progress', 'paused', 'submitted')", name="voided_from"),
        Index(
            "uq_attempts_number",
            "user_id",
            "test_id",
            "exam_paper_id",
            "number",
            unique=True,
            postgresql_where=text("user_id is not null"),  # answer sheets on paper may have no account yet
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "uq_attempts_official",
            "registration_id",
            "exam_paper_id",
            unique=True,
            postgresql_where=text("not practice and exam_paper_id is not null"),
        ),
        Index(
            "uq_attempts_running",
            "user_id",
            "test_id",
            "exam_paper_id",
            unique=True,
            postgresql_where=RUNNING,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_attempts_overdue", "deadline_at", postgresql_where=text("status = 'in_progress'")),
        Index("ix_attempts_ungraded", "id", postgresql_where=text("status = 'submitted'")),
        # Partial, because most attempts have no exam paper.
        Index(
            "ix_attempts_exam_paper_id", "exam_paper_id", postgresql_where=text("exam_paper_id is not null")
        ),
        # Not on `test_id` alone. In the first minute of an exam the table is not analyzed yet. The planner
        # would prefer such an index to the primary key, and read all attempts of the test.
        Index("ix_attempts_test_id_user_id", "test_id", "user_id"),
        # The list of a test's attempts. The condition is true for each, but only the list states it: for the
        # reason above, the planner must not see this index in the statements of candidates.
        Index("ix_attempts_listed", "test_id", "id", postgresql_where=text("number > 0")),
        # The same list, of those that are not graded: few after a test, among a million.
        Index(
            "ix_attempts_listed_by_status",
            "test_id",
            "status",
            "id",
            postgresql_where=text("number > 0 and status <> 'graded'"),
        ),
    )

    test_id: Mapped[UUID] = mapped_column(ForeignKey("tests.id"))
    paper_id: Mapped[UUID] = mapped_column(ForeignKey("papers.id"))
    exam_paper_id: Mapped[UUID | None] = mapped_column(ForeignKey("exam_papers.id"))
    registration_id: Mapped[UUID | None] = mapped_column(ForeignKey("registrations.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    number: Mapped[int]
    practice: Mapped[bool]
    status: Mapped[str] = mapped_column(server_default=AttemptStatus.IN_PROGRESS)
    lease: Mapped[int] = mapped_column(server_default="1")
    device: Mapped[str | None]
    seed: Mapped[int] = mapped_column(BigInteger)
    """Determines the order of questions and options (`engine/ordering.py`)."""
    started_at: Mapped[datetime]
    accommodation_seconds: Mapped[int] = mapped_column(server_default="0")
    """Extra time that the exam grants this candidate from the start, such as compensatory time."""
    additions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    """Added time: `{"kind": "extension" | "pause" | "reopening", "at", "seconds"}`.

    An extension also has `ordered_at` and `order`, by which a repeated request is recognized.
    """
    paused_at: Mapped[datetime | None]
    """When the attempt was paused. It stays if the attempt is ended or voided while it is paused."""
    deadline_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    voided_from: Mapped[str | None]
    """The status before the voiding (docs/steering.md)."""


@dataclass(slots=True)
class AttemptRow:
    """The columns of an attempt that actions of staff read or change, without the ORM.

    An action is for thousands of attempts; objects of the ORM would take most of its time
    (docs/decisions/0097). What is changed here is stored by `ExamAttemptRepository.store`.
    """

    id: UUID
    test_id: UUID
    exam_paper_id: UUID | None
    registration_id: UUID | None
    user_id: UUID | None
    number: int
    practice: bool
    lease: int
    started_at: datetime
    status: str
    deadline_at: datetime
    accommodation_seconds: int
    additions: list[dict[str, Any]]
    paused_at: datetime | None
    submitted_at: datetime | None
    closed_by: str | None
    voided_from: str | None


class AttemptLease(Base):
    """When a device started or resumed an attempt. Attempts before migration 0035 have no such rows."""

    __tablename__ = "attempt_leases"

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True)
    lease: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str | None]
    given_at: Mapped[datetime]


class ResponseEvent(Base):
    """One save of one answer. The event with the highest (lease, revision) counts (docs/decisions/0012).

    Partitioned by `attempt_id`; the ids are ordered by time. There is no foreign key to `attempts`: the only
    statement that inserts reads the locked attempt, and a check of each row would double its cost.
    """

    __tablename__ = "response_events"
    __table_args__ = (
        CheckConstraint("confidence in ('sure', 'doubtful', 'guess')", name="confidence"),
        {"postgresql_partition_by": "RANGE (attempt_id)"},
    )

    attempt_id: Mapped[UUID] = mapped_column(primary_key=True)
    question_id: Mapped[UUID] = mapped_column(primary_key=True)
    lease: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    answer: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    """A list of option ids, a string for numeric, null where the candidate cleared the answer."""
    marked_for_review: Mapped[bool] = mapped_column(server_default="false")
    time_spent_ms: Mapped[int] = mapped_column(server_default="0")
    confidence: Mapped[str | None]
    language: Mapped[str | None]
    late: Mapped[bool] = mapped_column(server_default="false")
    """Arrived after deadline and grace. It is kept and does not count."""
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class PackedLog(Base):
    """The log of a closed attempt in one row, a tenth of the size of its events (docs/decisions/0093).

    The view `logged_events` has the events of both tables. Each column has one entry for each event, in the
    order of their arrival.
    """

    __tablename__ = "packed_logs"

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True)
    positions: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    """The questions, by their places in the attempt's paper."""
    leases: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    revisions: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    answers: Mapped[list[Any]] = mapped_column(JSON)
    marked_for_review: Mapped[list[bool]] = mapped_column(ARRAY(Boolean))
    time_spent_ms: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    confidences: Mapped[str] = mapped_column(Text)
    """A letter for each event: s(ure), d(oubtful), g(uess), or `-`."""
    languages: Mapped[list[str | None]] = mapped_column(ARRAY(Text))
    late: Mapped[list[bool]] = mapped_column(ARRAY(Boolean))
    received_at: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))


_EVENT_COLUMNS = [column.name for column in ResponseEvent.__table__.columns]
LoggedEvent = aliased(
    ResponseEvent,
    table("logged_events", *(column(name) for name in _EVENT_COLUMNS), schema=SCHEMA),
    adapt_on_names=True,
)
"""An event of the log, whether it is a row of its own or packed: for attempts that may be closed for long."""


class Result(Base):
    """A graded attempt, small and complete: what stood, what became of it, and by which key.

    `answers`, `outcomes` and `marks` have one entry for each question, in the order of the paper
    (`paper_questions.position`). Everything else that a result shows is computed from them and from the
    paper (docs/decisions/0048). Scores are exact: numerator and denominator of a reduced fraction.
    """

    __tablename__ = "results"
    __table_args__ = (
        CheckConstraint(
            "score_denominator > 0 and raw_denominator > 0 and marks_denominator > 0", name="denominators"
        ),
        Index(
            "uq_results_counted",
            "cohort_id",
            "user_id",
            unique=True,
            postgresql_where=text("counted and user_id is not null"),
        ),
        # Leaderboards: the participants with one score (docs/decisions/0071).
        Index(
            "ix_results_board",
            "cohort_id",
            "score_numerator",
            "score_denominator",
            "attempt_id",
            postgresql_where=text("counted"),
        ),
    )

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True)
    cohort_id: Mapped[UUID]
    """Whose candidates are ranked together: the exam paper, or the cohort of the key at a test."""
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    counted: Mapped[bool]
    """Whether this result is in the cohort's histogram: a candidate's first official graded attempt, unless
    it is disqualified or the candidate `was_staff`."""
    was_staff: Mapped[bool] = mapped_column(server_default="false")
    """Whether the candidate of an official attempt was staff between its start and its grading."""
    qualification: Mapped[str] = mapped_column(server_default="qualified")
    """`qualified`, `below_section_minimum` or `disqualified`, by the rules of the paper."""
    key_id: Mapped[UUID] = mapped_column(ForeignKey("paper_keys.id"))
    """The version of the paper's key that it was marked by."""
    score_numerator: Mapped[int] = mapped_column(WholeNumber)
    score_denominator: Mapped[int] = mapped_column(WholeNumber)
    raw_numerator: Mapped[int] = mapped_column(WholeNumber)
    raw_denominator: Mapped[int] = mapped_column(WholeNumber)
    """Marks before proration; the `upsc` policy prints from these."""
    answers: Mapped[list[Any]] = mapped_column(JSON)
    """The standing answers; null is blank. The type is `json`: `jsonb` takes almost three times as much."""
    outcomes: Mapped[str]
    """A letter for each question: `engine.grading.LETTERS`."""
    marks: Mapped[list[int]] = mapped_column(WholeNumbers)
    """Raw marks, in parts of `1 / marks_denominator`. Their sum is the raw score."""
    marks_denominator: Mapped[int] = mapped_column(WholeNumber)
    graded_at: Mapped[datetime]


class OutcomeCount(Base):
    """How many participants of a cohort answered each question of a paper correctly (docs/decisions/0057).

    Triggers of `results` write these rows, and a key revision, which updates results
    (docs/decisions/0075). The sum over the shards is exact; a single shard can be negative.
    """

    __tablename__ = "outcome_counts"

    cohort_id: Mapped[UUID] = mapped_column(primary_key=True)
    paper_id: Mapped[UUID] = mapped_column(ForeignKey("papers.id"), primary_key=True)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    results: Mapped[int]
    """The number of results that count, as in the histogram."""
    correct: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    """The number of correct answers by question, in the order of the paper."""


class ScoreCount(Base):
    """The histogram of a cohort: how many candidates have exactly this score (docs/decisions/0014)."""

    __tablename__ = "score_counts"
    __table_args__ = (CheckConstraint("candidates >= 0", name="candidates"),)

    cohort_id: Mapped[UUID] = mapped_column(primary_key=True)
    numerator: Mapped[int] = mapped_column(WholeNumber, primary_key=True)
    denominator: Mapped[int] = mapped_column(WholeNumber, primary_key=True)
    candidates: Mapped[int]
