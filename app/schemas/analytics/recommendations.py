"""Recommendations: what to do next, why, and what the app opens for it."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from app.engine.recommending import Action, Kind
from app.schemas.analytics.estimates import EstimateOut
from app.schemas.common import LocalizedText, Out, PageOut
from app.services.analytics.recommendations import Recommendation

_DIGITS = 2


class RecommendedCallOut(Out):
    """The call that the app makes when the candidate taps the recommendation."""

    method: Literal["GET", "POST"]
    path: str
    body: dict[str, Any] | None

    @classmethod
    def of(cls, recommendation: Recommendation) -> Self:
        """A practice session, the screen of a test, or the overview for a technique."""
        action = recommendation.action
        if action.kind is Kind.TEST:
            return cls(method="GET", path=f"/v1/tests/{action.target}", body=None)
        if action.kind is Kind.TECHNIQUE:
            return cls(method="GET", path="/v1/analytics/overview", body=None)
        return cls(method="POST", path="/v1/practice", body={"recommendation_id": str(recommendation.id)})


class RecommendationOut(Out):
    """Something to do next. `title` and `reason` are sentences in English and Hindi.

    `expected_gain_marks` is what it is expected to gain in the next full paper, with the 90 % interval; below
    10 answers it is null. `basis` says what it rests on. `ground` names the reason for programs: `due`,
    `weak_subject`, `heavy_subject`, `new_subject`, `weak_chapter`, `low_chapter`, `new_chapter`,
    `first_test`, `next_test`, `blind_guesses`, `fifty_fifties`; more may come.
    """

    id: Annotated[str, Field(description="The same advice has the same id at each call")]
    kind: Literal["revise", "practice", "test", "chapter", "technique"]
    ground: str
    title: LocalizedText
    reason: LocalizedText
    expected_gain_marks: EstimateOut
    basis: LocalizedText
    minutes: int
    action: RecommendedCallOut

    @classmethod
    def of(cls, recommendation: Recommendation) -> Self:
        """A recommendation of a service."""
        action = recommendation.action
        return cls(
            id=str(recommendation.id),
            kind=action.kind.value,
            ground=action.ground.value,
            title=recommendation.title,
            reason=recommendation.reason,
            expected_gain_marks=_gain(action, recommendation.missing),
            basis=recommendation.basis,
            minutes=action.minutes,
            action=RecommendedCallOut.of(recommendation),
        )


def _gain(action: Action, missing: LocalizedText | None) -> EstimateOut:
    if missing is not None:
        return EstimateOut(value=None, low=None, high=None, n=action.gain.n, reason=missing)
    value, low, high = (
        round(each, _DIGITS) for each in (action.gain.value, action.gain.low, action.gain.high)
    )
    return EstimateOut(value=value, low=low, high=high, n=action.gain.n, reason=None)


class RecommendationsOut(PageOut[RecommendationOut]):
    """What to do next, the largest gain per minute first: at most ten."""
