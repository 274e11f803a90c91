"""The rules of objections to keys: when a candidate may object, and which claims can hold together."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from app.engine.question_types import DROPPED_KEY

MAX_OBJECTIONS = 200
"""The most objections of one candidate, if a test or an exam has no limit of its own."""

Key = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ObjectionRules:
    """The setting of an exam or a test. An exam has both times; a test has `days`, `closes_at`, or both."""

    sources_required: int
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    days: int | None = None
    """At a test: how long after the submission of an attempt."""
    limit: int | None = None

    @property
    def most(self) -> int:
        """The most objections of one candidate."""
        return MAX_OBJECTIONS if self.limit is None else self.limit

    def stored(self) -> dict[str, Any]:
        """The setting as JSON."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
            if value is not None
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """The setting that was stored."""
        times = {
            name: datetime.fromisoformat(stored[name]) for name in ("opens_at", "closes_at") if name in stored
        }
        return cls(**{**stored, **times})


@dataclass(frozen=True, slots=True)
class ObjectionWindow:
    """When a candidate may object: from `opens_at` until before `closes_at`."""

    opens_at: datetime
    closes_at: datetime

    def is_open(self, now: datetime) -> bool:
        return self.opens_at <= now < self.closes_at

    def is_over(self, now: datetime) -> bool:
        return now >= self.closes_at


def exam_window(rules: ObjectionRules) -> ObjectionWindow:
    """The window of an exam, which is the same for all candidates."""
    assert rules.opens_at is not None and rules.closes_at is not None  # noqa: S101, PT018 -- an exam has both
    return ObjectionWindow(rules.opens_at, rules.closes_at)


def attempt_window(rules: ObjectionRules, submitted_at: datetime) -> ObjectionWindow:
    """The window of one attempt at a test: some days from its submission, within the times of the test."""
    ends = [rules.closes_at] if rules.closes_at is not None else []
    if rules.days is not None:
        ends.append(submitted_at + timedelta(days=rules.days))
    begins = submitted_at if rules.opens_at is None else max(rules.opens_at, submitted_at)
    return ObjectionWindow(begins, min(ends))


def joined_claims(claims: Sequence[Key]) -> dict[str, Any] | None:
    """The key that grants all of these accepted claims, or None if they contradict each other.

    Claims that list accepted answers are joined, because each of these answers is right. Other claims can
    only be the same.
    """
    first = dict(claims[0])
    if all(claim == first for claim in claims):
        return first
    if any(claim == DROPPED_KEY or set(claim) != {"accepted"} for claim in claims):
        return None
    answers: list[Any] = []
    for claim in claims:
        answers += [answer for answer in claim["accepted"] if answer not in answers]
    return {"accepted": sorted(answers)}
