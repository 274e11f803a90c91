"""Attempts and answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import ErrorDetails
from typing_extensions import TypeAliasType

from app.core.clock import Clock
from app.core.names import cleaned
from app.engine.timing import SectionWindow, remaining_seconds
from app.models import Attempt, AttemptRow, ResponseEvent
from app.schemas.common import In, LanguageTag, Out
from app.services.attempts import AttemptView, Response, SaveReport, StartedAttempt

MAX_REVISION = 2**31 - 1
MAX_OPTIONS, MAX_OPTION_LENGTH, MAX_TEXT_LENGTH = 20, 20, 200


def _check_type(value: Any) -> Any:
    """Report a wrong type as one error. Without this, Pydantic reports one for each type of the union."""
    is_text = isinstance(value, str) and len(value) <= MAX_TEXT_LENGTH
    if value is None or is_text or _are_options(value) or _are_pairs(value):
        return value
    raise ValueError(
        "Send a list of option ids, a string, an object of pairs, or null to clear it,"
        " as the question's type requires."
    )


def _are_options(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MAX_OPTIONS
        and all(isinstance(option, str) and len(option) <= MAX_OPTION_LENGTH for option in value)
    )


def _are_pairs(value: Any) -> bool:
    return isinstance(value, dict) and _are_options([*value.keys(), *value.values()])


_OptionId = Annotated[str, StringConstraints(max_length=MAX_OPTION_LENGTH)]

Answer = TypeAliasType(
    "Answer",
    Annotated[
        Annotated[list[_OptionId], Field(max_length=MAX_OPTIONS)]
        | Annotated[str, StringConstraints(max_length=MAX_TEXT_LENGTH)]
        | Annotated[dict[_OptionId, _OptionId], Field(max_length=MAX_OPTIONS)]
        | None,
        Field(
            description="Option ids, a string or pairs, by the type of the question; null means no answer",
            examples=[["b"], "3.14", {"p": "2", "q": "1"}],
        ),
    ],
)
AnswerIn = Annotated[Answer, BeforeValidator(_check_type)]


Confidence = Literal["sure", "doubtful", "guess"]


class StartIn(In):
    """The device that starts, for your own records."""

    device: Annotated[str, StringConstraints(max_length=200), AfterValidator(cleaned)] | None = None


class SubmitIn(In):
    """The attempt to submit."""

    attempt_id: UUID


class ResponseIn(In):
    """An answer to a question. The device increments `revision` with each change within its lease.

    The answer with the highest lease, and within it the highest revision, is the standing answer.
    """

    question_id: UUID
    revision: Annotated[int, Field(ge=1, le=MAX_REVISION, strict=True)]
    answer: AnswerIn
    marked_for_review: bool = False
    time_spent_ms: Annotated[int, Field(ge=0, le=MAX_REVISION, strict=True)] = 0
    confidence: Confidence | None = None
    language: LanguageTag | None = None

    def command(self) -> Response:
        """The response as a command for the service."""
        return Response(
            question_id=self.question_id,
            revision=self.revision,
            answer=self.answer,
            marked_for_review=self.marked_for_review,
            time_spent_ms=self.time_spent_ms,
            confidence=self.confidence,
            language=self.language,
        )


class WrongResponse(NamedTuple):
    """A response that does not have the form of one: its question, if that can be read, and the errors."""

    question_id: UUID | None
    sent: Any
    errors: list[ErrorDetails]


class _PartlyRead(list[ResponseIn]):
    """The responses that could be read. `wrong` has the others, by their place in the request."""

    wrong: Mapping[int, WrongResponse]


def _read_each(value: Any, read: ValidatorFunctionWrapHandler) -> list[ResponseIn]:
    """Read the other responses if some are wrong, so that one answer can name every wrong response."""
    try:
        found: list[ResponseIn] = read(value)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        places = {each["loc"][0] if each["loc"] else None for each in errors}
        if None in places:
            raise  # The list itself is wrong, for example too long.
        readable = [item for place, item in enumerate(value) if place not in places]
        partly = _PartlyRead(read(readable) if readable else ())
        partly.wrong = {
            place: WrongResponse(
                _question_id(item), item, [each for each in errors if each["loc"][0] == place]
            )
            for place, item in enumerate(value)
            if place in places
        }
        return partly
    return found


def _question_id(item: Any) -> UUID | None:
    try:
        return UUID(item["question_id"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


class ResponsesIn(In):
    """Answers of one device. Sending them again has no effect."""

    attempt_id: UUID
    lease: Annotated[int, Field(ge=1, le=MAX_REVISION, strict=True)]
    responses: Annotated[list[ResponseIn], Field(min_length=1, max_length=200), WrapValidator(_read_each)]

    @property
    def wrong(self) -> Mapping[int, WrongResponse]:
        """The responses that do not have the form of one, by their place. `responses` has the others."""
        return self.responses.wrong if isinstance(self.responses, _PartlyRead) else {}


class StandingOut(Out):
    """The standing answer of a question, if it is not the one that was sent."""

    question_id: UUID
    lease: int
    revision: int
    answer: Answer


class ClosedOut(Out):
    """A response that was not stored, because its timed section takes no answers now."""

    question_id: UUID
    section_id: UUID


class SavedOut(Out):
    """The outcome of a save. Each answer is counted in exactly one of the first five fields.

    - `saved`: the answer is new, and is now the standing answer.
    - `known`: the same answer was saved before.
    - `superseded`: the answer is saved, but a later one is the standing answer.
    - `conflicts`: another answer was saved before with this lease and revision, and is kept.
    - `closed`: the answer is not saved, because its timed section has ended or has not started.

    `receipt` proves that the answers of the first three kinds were received, and when: keep it with the body
    that you sent. It is null if there are none, or if the server could not sign: the answers are saved then
    too, and a retry gets a receipt.
    """

    saved: int
    known: int
    superseded: list[StandingOut]
    conflicts: list[StandingOut]
    closed: list[ClosedOut]
    server_time: datetime
    deadline_at: datetime
    receipt: Annotated[str, Field(examples=["AQ"])] | None

    @classmethod
    def of(cls, report: SaveReport) -> Self:
        """The report of a save."""
        return cls.model_validate(report)


class ResponseOut(Out):
    """The standing answer of a question."""

    question_id: UUID
    answer: Answer
    lease: int
    revision: int
    marked_for_review: bool
    time_spent_ms: int
    confidence: Confidence | None

    @classmethod
    def of(cls, event: ResponseEvent) -> Self:
        """The answer of a response event."""
        return cls.model_validate(event)


class AttemptOut(Out):
    """An attempt."""

    id: UUID
    test_id: UUID
    exam_paper_id: UUID | None
    status: Literal["in_progress", "paused", "submitted", "graded", "void"]
    number: int
    practice: bool
    lease: int
    started_at: datetime
    deadline_at: datetime
    submitted_at: datetime | None

    @classmethod
    def of(cls, attempt: Attempt | AttemptRow) -> Self:
        """An attempt's row."""
        return cls.model_validate(attempt)


class SectionTimeOut(Out):
    """When a timed section accepts answers."""

    id: UUID
    opens_at: datetime
    deadline_at: datetime


class StandingAttemptOut(AttemptOut):
    """The current state of an attempt: time, orders and standing answers. Reading it takes no lease.

    `remaining_seconds` of a paused attempt is the time that remained at the pause.
    """

    server_time: datetime
    remaining_seconds: int
    paper_version: int
    question_order: list[UUID]
    option_orders: dict[UUID, list[str]]
    section_times: list[SectionTimeOut]
    answered: int
    """The number of questions with a standing answer."""
    marked_for_review: int
    """The number of questions that are marked for review."""
    responses: list[ResponseOut]

    @classmethod
    def of_state(cls, state: AttemptView, now: datetime) -> Self:
        """The state of an attempt at this time."""
        attempt = state.attempt
        stopped_at = attempt.paused_at or attempt.submitted_at or now
        return cls(
            **dict(AttemptOut.of(attempt)),
            server_time=now,
            remaining_seconds=remaining_seconds(stopped_at, attempt.deadline_at),
            paper_version=state.paper.version,
            question_order=list(state.question_order),
            option_orders={question: list(order) for question, order in state.option_orders.items()},
            section_times=section_times(state.section_times),
            answered=state.answered,
            marked_for_review=state.marked_for_review,
            responses=[ResponseOut.of(event) for event in state.responses],
        )


def section_times(windows: Sequence[SectionWindow]) -> list[SectionTimeOut]:
    """The windows of timed sections."""
    return [SectionTimeOut(id=w.section_id, opens_at=w.opens_at, deadline_at=w.deadline_at) for w in windows]


class StartedOut(AttemptOut):
    """The attempt in progress: lease, token, orders of questions and options, and standing answers."""

    attempt_token: str
    server_time: datetime
    remaining_seconds: int
    paper_version: int
    question_order: list[UUID]
    option_orders: dict[UUID, list[str]]
    section_times: list[SectionTimeOut]
    responses: list[ResponseOut]

    @classmethod
    def of_start(cls, started: StartedAttempt, clock: Clock) -> Self:
        """What starting or resuming returns."""
        now = clock.now()
        attempt = started.attempt
        return cls(
            **AttemptOut.of(attempt).model_dump(),
            attempt_token=started.token,
            server_time=now,
            remaining_seconds=remaining_seconds(now, attempt.deadline_at),
            paper_version=started.paper.version,
            question_order=list(started.question_order),
            option_orders={question: list(order) for question, order in started.option_orders.items()},
            section_times=section_times(started.section_times),
            responses=[ResponseOut.of(event) for event in started.responses],
        )
