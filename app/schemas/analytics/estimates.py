"""Estimates with their intervals, and sentences in each language."""

from typing import Annotated, Self

from pydantic import Field

from app.core.translations import LANGUAGES, in_language
from app.schemas.common import LocalizedText, Out
from app.services.analytics.estimates import Estimate


class EstimateOut(Out):
    """An estimate with its 90 % interval.

    With too little behind it, `value` is null and `reason` says how much is missing.
    """

    value: float | None
    low: float | None
    high: float | None
    n: Annotated[int, Field(description="On how many answers, or participants, it rests")]
    reason: LocalizedText | None

    @classmethod
    def of(cls, estimate: Estimate) -> Self:
        """An estimate of a service."""
        return cls(
            value=_rounded(estimate.value),
            low=_rounded(estimate.low),
            high=_rounded(estimate.high),
            n=estimate.n,
            reason=localized(estimate.reason),
        )


def localized(sentence: str | None) -> dict[str, str] | None:
    """A sentence in each language of the application."""
    if sentence is None:
        return None
    return {language: str(in_language(sentence, language)) for language in LANGUAGES}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
