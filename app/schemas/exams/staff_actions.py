"""Actions of staff that change attempts, and their dry runs: steering, closing, cancelling, releasing."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from app.engine.merit import ExamOutcome
from app.engine.steering import Exemption
from app.schemas.attempts import AttemptOut
from app.schemas.common import In, Out
from app.schemas.exams.catalog import ExamOut, ExamPaperOut
from app.schemas.exams.steering import MAX_EXTRA_SECONDS, MaybeReasonIn, Reason, ReasonIn, SecondsIn
from app.services.exams import ClosedPaper, DetailedPaper, ExamView, Forecast, LeftOut, Released, Steered
from app.services.exams import Previewed as PreviewedAction

Switch = Annotated[bool, Field(strict=True)]
DryRun = Annotated[bool, Field(strict=True, description="Answer what the call would do, and change nothing")]
Include = Annotated[
    list[Exemption],
    Field(max_length=2, description="Also end the attempts that have extra time, or that are paused"),
]


class ExtendIn(SecondsIn):
    """Seconds and a reason. The same extension within 30 seconds is added only with `again: true`."""

    again: Switch = False


class ReopenIn(ReasonIn):
    """The reason, and seconds in addition to the time that was left when the attempt ended.

    `go_on` lets a void attempt go on that had ended before it was voided.
    """

    seconds: Annotated[int, Field(ge=0, le=MAX_EXTRA_SECONDS, strict=True)] = 0
    go_on: Switch = False


class BulkIn(In):
    """The attempts: ids, or `"all"` of the exam or of one paper.

    `seconds` is for extend and reopen, `again` for extend, `go_on` for reopen, `include` for submit of all.
    """

    attempt_ids: Annotated[list[UUID], Field(min_length=1, max_length=1000)] | Literal["all"]
    paper_id: UUID | None = None
    reason: Reason | None = None
    seconds: Annotated[int, Field(ge=1, le=MAX_EXTRA_SECONDS, strict=True)] | None = None
    include: Include = Field(default_factory=list)
    again: Switch = False
    go_on: Switch = False
    dry_run: DryRun = False


class CancelIn(ReasonIn):
    """The reason, which everybody in the exam can read."""

    dry_run: DryRun = False


class ClosePaperIn(MaybeReasonIn):
    """Attempts that have extra time, or that are paused, end only if `include` names them."""

    include: Include = Field(default_factory=list)
    dry_run: DryRun = False


class ReleaseIn(In):
    """`early` releases while a paper is not over, with a reason for the audit log."""

    early: Switch = False
    reason: Reason | None = None
    dry_run: DryRun = False

    @model_validator(mode="after")
    def _reason_with_early(self) -> Self:
        if self.early and self.reason is None:
            raise ValueError("An early release needs a reason. It is stored in the audit log.")
        if self.reason is not None and not self.early:
            raise ValueError("A reason is only for an early release. Leave it out, or send early: true.")
        return self


class NoteOut(Out):
    """A sentence about one attempt, such as why an action was not possible."""

    attempt_id: UUID
    detail: str


class ListedAttemptOut(Out):
    """An attempt in a dry run. `seconds_left` is the time that its candidate has now."""

    attempt_id: UUID
    paper_id: UUID | None
    roll_number: str | None
    status: Literal["in_progress", "paused", "submitted", "void"]
    seconds_left: int
    extra_seconds: int


class LeftOutOut(Out):
    """The attempts that were not ended, because they have extra time or are paused.

    `first` lists at most 20 of them, by roll number. An attempt may have both reasons.
    """

    attempts: int
    extra_time: int
    paused: int
    first: list[ListedAttemptOut]

    @classmethod
    def of(cls, left_out: LeftOut) -> Self:
        """The attempts that an action left out."""
        return cls.model_validate(left_out)


class DryRunOut(Out):
    """What the call would do. Nothing was changed.

    `attempts` would change; `losing_time` of them would end with time left, `seconds_lost` together and
    `most_seconds_lost` at most. `with_extra_time` and `paused` count among those that would change. `first`
    lists at most 20 of them, by roll number.
    """

    dry_run: Literal[True] = True
    attempts: int
    losing_time: int
    seconds_lost: int
    most_seconds_lost: int
    with_extra_time: int
    paused: int
    first: list[ListedAttemptOut]
    unchanged: int = 0
    refused: list[NoteOut] = Field(default_factory=list)
    left_out: LeftOutOut | None = None

    @classmethod
    def of(cls, forecast: Forecast) -> Self:
        """The dry run of a cancellation."""
        return cls.model_validate(forecast)

    @classmethod
    def of_action(cls, previewed: PreviewedAction) -> Self:
        """The dry run of an action on attempts."""
        seen = cls.of(previewed.forecast)
        seen.unchanged = previewed.unchanged
        seen.refused = [NoteOut.model_validate(each) for each in previewed.refused]
        seen.left_out = LeftOutOut.of(previewed.left_out) if previewed.left_out else None
        return seen


class SteeredAttemptOut(AttemptOut):
    """The attempt after an action. `detail` is a sentence for staff if there is something to know.

    For example, an extension that was given a moment before is not added twice, and `detail` says so.
    """

    detail: str | None

    @classmethod
    def of_one(cls, steered: Steered) -> Self:
        """The result of an action on one attempt."""
        (attempt,) = [*steered.changed, *steered.unchanged]
        detail = next((note.detail for note in steered.notes), None)
        return cls(**dict(AttemptOut.of(attempt)), detail=detail)


class SteeredOut(Out):
    """The result of a bulk action. `unchanged` attempts were in the requested state already.

    `notes` have sentences about single attempts. `left_out` is for a submit of all, otherwise null.
    """

    changed: int
    unchanged: int
    refused: list[NoteOut]
    notes: list[NoteOut]
    left_out: LeftOutOut | None
    attempts: list[AttemptOut]
    """The changed attempts, at most 1,000."""

    @classmethod
    def of(cls, steered: Steered) -> Self:
        """The result of an action."""
        return cls(
            changed=len(steered.steps),
            unchanged=len(steered.unchanged),
            refused=[NoteOut.model_validate(each) for each in steered.refused],
            notes=[NoteOut.model_validate(each) for each in steered.notes],
            left_out=LeftOutOut.of(steered.left_out) if steered.left_out else None,
            attempts=[AttemptOut.of(attempt) for attempt in steered.changed[:1000]],
        )


class ClosedPaperOut(ExamPaperOut):
    """A closed paper, the number of attempts that ended with it, and those that go on."""

    attempts_ended: int
    left_out: LeftOutOut

    @classmethod
    def of_closed(cls, closed: ClosedPaper, paper: DetailedPaper) -> Self:
        """A paper that was closed."""
        shown = ExamPaperOut.of(paper)
        left_out = LeftOutOut.of(closed.left_out)
        return cls(**dict(shown), attempts_ended=len(closed.steered.steps), left_out=left_out)


class ReleasedOut(ExamOut):
    """The released exam, the version of the release, and the number of ranked candidates."""

    version: int
    participants: int

    @classmethod
    def of_release(cls, released: Released, view: ExamView) -> Self:
        """A release."""
        shown = ExamOut.of(view)
        return cls(
            **dict(shown), version=released.release.version, participants=released.release.participants
        )


class PlaceOut(Out):
    """A ranked candidate in the dry run of a release."""

    rank: int
    roll_number: str
    name: str
    total: str


class ReleaseDryRunOut(Out):
    """What the release would do. Nothing was changed.

    `closes` are the codes of papers that would be closed before their end, `graded_now` the attempts that no
    job has graded yet. `outcomes` counts candidates by outcome. `participants`, `outcomes` and `first_ranks`
    are null for who may not know the keys of all papers before the release.
    """

    dry_run: Literal[True] = True
    closes: list[str]
    registered: int
    graded_now: int
    participants: int | None
    outcomes: Mapping[ExamOutcome, int] | None
    first_ranks: list[PlaceOut] | None
