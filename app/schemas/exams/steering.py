"""Running exams: accommodations, actions on attempts, monitor, audit log."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.core.names import MAX_EMAIL_LENGTH, MAX_ROLL_NUMBER_LENGTH, email_address
from app.engine.schedule import ExamStage
from app.engine.steering import AdditionKind
from app.models import Accommodation
from app.repositories.exams import Candidate
from app.schemas.attempts import AttemptOut
from app.schemas.common import ONE_LINE, SEVERAL_LINES, In, Out, PageOut
from app.services.exams import Accommodated, Grant, Monitor, Regrant, Target

MAX_EXTRA_SECONDS = 86_400

Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000), SEVERAL_LINES]
Seconds = Annotated[int, Field(ge=1, le=MAX_EXTRA_SECONDS, strict=True)]


class TakeBackIn(In):
    """The grant to take back: of one person or of one group."""

    user_id: UUID | None = None
    email: Annotated[str, Field(max_length=MAX_EMAIL_LENGTH), AfterValidator(email_address)] | None = None
    roll_number: (
        Annotated[str, StringConstraints(min_length=1, max_length=MAX_ROLL_NUMBER_LENGTH), ONE_LINE] | None
    ) = None
    group: Literal["pwbd", "all"] | None = None
    reason: Reason

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        named = (self.user_id, self.email, self.roll_number, self.group)
        if sum(value is not None for value in named) != 1:
            raise ValueError("Send exactly one of user_id, email, roll_number and group.")
        return self

    def target(self) -> Target:
        """The person or the group."""
        return Target(self.user_id, self.roll_number, self.email, self.group)


class GrantIn(TakeBackIn):
    """Extra time for one person or one group. 0 takes the earlier grant back."""

    extra_seconds: Annotated[int, Field(ge=0, le=MAX_EXTRA_SECONDS, strict=True)]


class AccommodationsIn(In):
    """Grants to add or change. Grants that are not listed do not change. A dry run changes nothing."""

    items: Annotated[list[GrantIn], Field(min_length=1, max_length=1000)]
    dry_run: bool = False

    def grants(self) -> list[Grant]:
        """What the service takes."""
        return [Grant(item.target(), item.extra_seconds, item.reason) for item in self.items]


class AccommodationsTakenBackIn(In):
    """Grants to take back. Grants that are not listed do not change. A dry run changes nothing."""

    items: Annotated[list[TakeBackIn], Field(min_length=1, max_length=1000)]
    dry_run: bool = False

    def grants(self) -> list[Grant]:
        """What the service takes."""
        return [Grant(item.target(), 0, item.reason) for item in self.items]


class GrantHolderOut(Out):
    """The person or the group that an item names."""

    user_id: UUID | None
    group: Literal["pwbd", "all"] | None


class AccommodationOut(Out):
    """A grant of extra time."""

    user_id: UUID | None
    group: Literal["pwbd", "all"] | None
    extra_seconds: int
    reason: str

    @classmethod
    def of(cls, row: Accommodation) -> Self:
        """A grant of the database."""
        return cls.model_validate(
            {
                "user_id": row.user_id,
                "group": row.candidate_group,
                "extra_seconds": row.extra_seconds,
                "reason": row.reason,
            }
        )


class AccommodationsOut(PageOut[AccommodationOut]):
    """The grants of an exam."""


class RegrantedOut(Out):
    """An attempt of a candidate whose extra time changed, and by how many seconds its deadline moved.

    `kept` attempts have ended, or no time is left to take back; `detail` says which, and what to do.
    """

    attempt_id: UUID
    paper_id: UUID
    user_id: UUID | None
    outcome: Regrant
    seconds: int
    deadline_at: datetime
    detail: str | None


class AccommodationsChangedOut(Out):
    """All grants of the exam after the change, and what the change did. After a dry run: what it would do."""

    items: list[AccommodationOut]
    dry_run: bool
    unchanged: list[GrantHolderOut]
    """Items that changed no grant: it was the same before, or there was none to take back."""
    moved: int
    reopened: int
    kept: int
    attempts: list[RegrantedOut]
    """The attempts whose deadline differed from the grants, at most 1,000."""

    @classmethod
    def of(cls, done: Accommodated) -> Self:
        """The result of a change."""
        counts = Counter(each.outcome for each in done.attempts)
        return cls(
            items=[AccommodationOut.of(row) for row in done.grants],
            dry_run=done.dry_run,
            unchanged=[GrantHolderOut.model_validate(holder) for holder in done.unchanged],
            moved=counts[Regrant.MOVED],
            reopened=counts[Regrant.REOPENED],
            kept=counts[Regrant.KEPT],
            attempts=[RegrantedOut.model_validate(each) for each in done.attempts[:1000]],
        )


class ReasonIn(In):
    """The reason. It is stored in the audit log."""

    reason: Reason


class MaybeReasonIn(In):
    """An optional reason."""

    reason: Reason | None = None


class SecondsIn(ReasonIn):
    """Seconds and a reason."""

    seconds: Seconds


class PaperCountOut(Out):
    """The attempts at a paper by status."""

    paper_id: UUID
    code: str
    status: str
    started: int
    not_started: int
    """How many of those who are registered have started nothing."""
    in_progress: int
    paused: int
    submitted: int
    graded: int
    void: int


class MonitorOut(Out):
    """Counts of an exam. `connected` counts candidates with an open socket; null if this is unknown."""

    exam_id: UUID
    status: ExamStage
    server_time: datetime
    registered: int
    connected: int | None
    papers: list[PaperCountOut]

    @classmethod
    def of(cls, monitor: Monitor, now: datetime, connected: set[UUID] | None) -> Self:
        """The counts of the monitor."""
        states = ("in_progress", "paused", "submitted", "graded", "void")
        return cls(
            exam_id=monitor.exam.id,
            status=monitor.stage,
            server_time=now,
            registered=monitor.registered,
            connected=len(connected) if connected is not None else None,
            papers=[
                PaperCountOut(
                    paper_id=count.paper.paper.id,
                    code=count.paper.paper.code,
                    status=count.paper.status,
                    started=(started := sum(count.by_status.values())),
                    not_started=max(monitor.registered - started, 0),
                    **{state: count.by_status[state] for state in states},
                )
                for count in monitor.papers
            ],
        )


class AdditionOut(Out):
    """Time that was added to an attempt: why, when, and how much."""

    kind: AdditionKind
    at: datetime
    seconds: float


class HallRowOut(AttemptOut):
    """A candidate's attempt for proctors, without answers and score."""

    user_id: UUID | None
    roll_number: str | None
    name: str | None
    category: str | None
    device: str | None
    closed_by: str | None
    paused_at: datetime | None
    """When the attempt was paused. It stays if the attempt was ended or voided while it was paused."""
    accommodation_seconds: int
    additions: list[AdditionOut]
    answered: int
    """How many questions have an answer that counts."""
    marked_for_review: int
    last_saved_at: datetime | None
    connected: bool | None
    """Whether the candidate has an open socket. Null if this is unknown."""

    @classmethod
    def of_candidate(cls, candidate: Candidate, connected: set[UUID] | None) -> Self:
        """A candidate's attempt."""
        attempt, registration = candidate.attempt, candidate.registration
        names = ("user_id", "device", "closed_by", "paused_at", "accommodation_seconds", "additions")
        return cls(
            **dict(AttemptOut.of(attempt)),
            **{name: getattr(attempt, name) for name in names},
            roll_number=registration.roll_number if registration else None,
            name=registration.name if registration else None,
            category=registration.category if registration else None,
            answered=candidate.progress.answered,
            marked_for_review=candidate.progress.marked_for_review,
            last_saved_at=candidate.progress.last_saved_at,
            connected=attempt.user_id in connected if connected is not None else None,
        )


class AuditEntryOut(Out):
    """An action of staff on an exam."""

    id: UUID
    action: str
    actor_id: UUID | None
    attempt_id: UUID | None
    reason: str | None
    details: dict[str, Any]
    created_at: datetime
