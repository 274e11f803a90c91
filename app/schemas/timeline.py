"""The timeline of an attempt."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from app.schemas.attempts import Answer, Confidence
from app.schemas.common import Out
from app.services.proof import TimelineEvent


class TimelineEventOut(Out):
    """One event. The fields that its kind does not have are null.

    - `lease`: the attempt was started (lease 1) or resumed; `device` is what the app said of itself.
    - `response`: a response arrived. `outcome` is `saved`, `superseded` by a newer one, or `late`.
    - `order`: staff did `action`, for `reason`; `seconds` is the time that they gave.
    - `ended`: the attempt ended, by `closed_by`.
    """

    at: datetime
    elapsed_ms: int
    kind: Literal["lease", "response", "order", "ended"]
    lease: int | None = None
    device: str | None = None
    question_id: UUID | None = None
    number: int | None = None
    answer: Answer = None
    revision: int | None = None
    outcome: Literal["saved", "superseded", "late"] | None = None
    marked_for_review: bool | None = None
    time_spent_ms: int | None = None
    confidence: Confidence | None = None
    language: str | None = None
    action: str | None = None
    by: UUID | None = None
    reason: str | None = None
    seconds: int | None = None
    closed_by: Literal["candidate", "deadline", "staff"] | None = None

    @classmethod
    def of(cls, event: TimelineEvent) -> Self:
        """An event of the service."""
        common = {"at": event.at, "elapsed_ms": event.elapsed_ms, "kind": event.kind}
        return cls.model_validate(common | dict(event.facts))
