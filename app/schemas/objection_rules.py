"""The settings of exams and tests for objections to keys."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from app.engine.objections import MAX_OBJECTIONS, ObjectionRules
from app.schemas.common import In, Out
from app.schemas.strict import Moment

MAX_SOURCES = 10

SourcesRequired = Annotated[
    int,
    Field(ge=0, le=MAX_SOURCES, description="How many different sources an objection needs, such as 3"),
]
Limit = Annotated[
    int | None,
    Field(ge=1, le=MAX_OBJECTIONS, description="The most objections of one candidate; null is no limit"),
]


class ExamObjectionsIn(In):
    """The window for objections to the keys of an exam. It is open in the stage `provisional_key` only."""

    opens_at: Moment
    closes_at: Moment
    sources_required: SourcesRequired
    limit: Limit = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.closes_at <= self.opens_at:
            raise ValueError("closes_at must be after opens_at.")
        return self

    def stored(self) -> dict[str, Any]:
        """The setting as it is stored."""
        return ObjectionRules(self.sources_required, self.opens_at, self.closes_at, limit=self.limit).stored()


class TestObjectionsIn(In):
    """The window for objections to the key of a test. Each attempt has its own.

    It begins when the review shows the key, and ends `days` after the submission, at the latest at
    `closes_at`. At an exam, the exam's window holds instead.
    """

    opens_at: Moment | None = None
    closes_at: Moment | None = None
    days: Annotated[int, Field(ge=1, le=365)] | None = None
    sources_required: SourcesRequired
    limit: Limit = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.closes_at is None and self.days is None:
            raise ValueError("Send days, closes_at, or both: a window has an end.")
        if self.opens_at is not None and self.closes_at is not None and self.closes_at <= self.opens_at:
            raise ValueError("closes_at must be after opens_at.")
        return self

    def stored(self) -> dict[str, Any]:
        """The setting as it is stored."""
        return ObjectionRules(
            self.sources_required, self.opens_at, self.closes_at, self.days, self.limit
        ).stored()


class ObjectionRulesOut(Out):
    """The setting for objections. `days` is of a test alone."""

    opens_at: datetime | None
    closes_at: datetime | None
    days: int | None
    sources_required: int
    limit: int | None

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> Self | None:
        """The stored setting; None if no objections are taken."""
        return cls.model_validate(ObjectionRules.of(stored)) if stored is not None else None
