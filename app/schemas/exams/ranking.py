"""How an exam ranks: tie-breaks, percentiles and percentages of sections."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator
from typing_extensions import TypeAliasType

from app.schemas.common import ONE_LINE, In, Out, Percent
from app.schemas.users import Category

Code = Annotated[str, StringConstraints(min_length=1, max_length=40), ONE_LINE]
PartName = Annotated[str, StringConstraints(min_length=1, max_length=200), ONE_LINE]
Group = Literal[Category, "pwbd", "pwbd_1", "pwbd_2", "pwbd_3", "pwbd_4", "pwbd_5"]
"""A category, everybody with a benchmark disability, or one kind of it."""

PercentileDefinitionName = Literal["at_or_below", "mid_rank", "better_than"]
"""What a percentile counts: same and lower scores (NTA), lower ones and half of the same, or lower ones."""

Preset = Literal["none", "nta", "ssc"]
Measure = Literal["score", "wrong", "wrong_ratio", "name"]
SectionGroup = Literal["all", Group]
SectionPercents = Annotated[
    dict[PartName, dict[SectionGroup, Percent]],
    Field(max_length=50, examples=[{"Physics": {"all": "30", "sc": "25", "pwbd": "20"}}]),
]


class CriterionIn(In):
    """One step of a tie-break: a higher `score`, fewer `wrong` answers, a lower `wrong_ratio`, or `name`.

    `wrong_ratio` is wrong answers for each right one. It looks at a paper by its code, a section of it by its
    name, or a subject by its name; without any of them, at all papers that count for merit. `name` is
    alphabetical.
    """

    by: Measure
    paper: Code | None = None
    section: PartName | None = None
    subject: PartName | None = None

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if self.section is not None and self.paper is None:
            raise ValueError("Name the paper of the section.")
        if self.subject is not None and self.paper is not None:
            raise ValueError("Name a paper or a subject, not both.")
        if self.by == "name" and (self.paper is not None or self.subject is not None):
            raise ValueError("The name has no paper, section or subject. Leave them out.")
        return self


def _kind(value: Any) -> str:
    """Which of the two is meant, so that only its mistakes are reported."""
    return "criteria" if isinstance(value, list) else "preset"


TieBreaksIn = TypeAliasType(
    "TieBreaksIn",
    Annotated[
        Annotated[Preset, Tag("preset")]
        | Annotated[list[CriterionIn], Field(min_length=1, max_length=20), Tag("criteria")],
        Discriminator(_kind),
    ],
)
"""A preset, or criteria in their order."""


def stored_tie_breaks(tie_breaks: Preset | list[CriterionIn]) -> str | list[dict[str, Any]]:
    """Tie-breaks as an exam stores them."""
    if isinstance(tie_breaks, str):
        return tie_breaks
    return [criterion.model_dump(exclude_none=True) for criterion in tie_breaks]


class CriterionOut(Out):
    """One step of a tie-break, as it was set."""

    by: Measure
    paper: str | None = None
    section: str | None = None
    subject: str | None = None


TieBreaks = TypeAliasType("TieBreaks", Preset | list[CriterionOut])
