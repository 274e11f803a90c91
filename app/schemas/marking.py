"""Marking schemes as authors write them and candidates see them."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from app.engine.dropped_keys import DroppedRule
from app.engine.marks import RoundingPolicy, parse_marks, printed
from app.engine.partial_rules import NO_PARTIAL_MARKS, PARTIAL_RULES, partial_rule
from app.schemas.common import In, Marks, OptionId, Out, Percent


def _not_positive(value: str) -> str:
    if parse_marks(value) > 0:
        raise ValueError('Marks for an incorrect answer are zero or negative, such as "-2/3".')
    return value


def _positive(value: str) -> str:
    if parse_marks(value) <= 0:
        raise ValueError("Marks for a correct answer are positive.")
    return value


def _known_rule(name: str) -> str:
    partial_rule(name)
    return name


PartialRuleName = Annotated[
    str, AfterValidator(_known_rule), Field(json_schema_extra={"enum": list(PARTIAL_RULES)})
]
"""The name of a rule for partial marks."""


class MarkingPart(In):
    """Marks of one section or question; what is left out comes from the level above."""

    correct: Annotated[Marks, AfterValidator(_positive)] | None = None
    incorrect: Annotated[Marks, AfterValidator(_not_positive)] | None = None
    unattempted: Marks | None = None
    partial: PartialRuleName | None = None


class MarkingIn(In):
    """The marking scheme. `incorrect` is signed: UPSC deducts a third, "-2/3" of 2."""

    correct: Annotated[Marks, AfterValidator(_positive)]
    incorrect: Annotated[Marks, AfterValidator(_not_positive)]
    unattempted: Marks = "0"
    partial: PartialRuleName = NO_PARTIAL_MARKS.name
    dropped: DroppedRule
    rounding: RoundingPolicy
    not_attempted_option: Annotated[
        OptionId | None,
        Field(description="Added to every choice: alone, it earns nothing and costs nothing", examples=["e"]),
    ] = None
    most_unmarked_percent: Annotated[
        Percent | None,
        Field(description="A candidate who leaves a larger share of the questions unmarked is disqualified"),
    ] = None

    def stored(self) -> dict[str, Any]:
        """What the service takes. Rules that are not used are left out."""
        return self.model_dump(mode="json", exclude_none=True)


class MarkingOut(Out):
    """The marking scheme, in exact marks."""

    correct: str
    incorrect: str
    unattempted: str
    partial: PartialRuleName = NO_PARTIAL_MARKS.name
    dropped: DroppedRule
    rounding: RoundingPolicy
    not_attempted_option: str | None = None
    most_unmarked_percent: str | None = None


def printed_maximum(exact: str, marking: Mapping[str, Any]) -> str:
    """The maximum marks of a paper, rounded by the policy of its marking scheme."""
    return printed(Fraction(exact), Fraction(1), RoundingPolicy(marking["rounding"]))
