"""What a report on a test is made from, and what it says.

The material is loaded by the process that answers the request, and sent to a child process as plain data. The
child composes the content. A figure that is None is not known; `missing` says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from app.repositories.analytics.answer_sheets import SheetsInBulk


@dataclass(frozen=True, slots=True)
class MaterialItem:
    """A question of the paper, and the papers that hold it if something is unusual about it."""

    text: str
    right: str
    """The right answer in words, such as "B" or "A and C"."""
    option_ids: Sequence[str]
    right_ids: frozenset[str]
    """The options that belong to a right answer."""
    papers: Sequence[str]
    guess: float
    """How often a blind guess is right."""
    is_optional: bool = False
    """Whether candidates choose if they answer it."""


@dataclass(frozen=True, slots=True)
class ReportMaterial:
    """What a report is made from. Without `analysis` there are no statistics yet."""

    title: str
    subtitle: str
    rests_on: Sequence[str]
    attempts: int
    max_score: float
    items: Sequence[MaterialItem]
    analysis: Mapping[str, Any] | None
    """As a refresh of the statistics stored it."""
    median_ms: Sequence[int | None]
    sheets: SheetsInBulk


@dataclass(frozen=True, slots=True)
class OptionShares:
    """How many candidates chose an option, as shares of 1."""

    label: str
    is_right: bool
    share: float
    by_group: Sequence[float | None]
    """By score group, the lowest first. None for a group with too few candidates."""


@dataclass(frozen=True, slots=True)
class ObservedShare:
    """The share of right answers among candidates of about the same ability."""

    ability: float
    share: float
    candidates: int


@dataclass(frozen=True, slots=True)
class ItemCurve:
    """The parameters of a question by item response theory, and how well it follows the model."""

    discrimination: float
    difficulty: float
    difficulty_error: float
    guessing: float
    observed: Sequence[ObservedShare]


@dataclass(frozen=True, slots=True)
class ReportItem:
    """One question of the report."""

    number: int
    text: str
    right: str
    facility: float | None
    discrimination: float | None
    efficiency: float | None
    blank: float
    """The share of candidates without an answer."""
    median_seconds: float | None
    options: Sequence[OptionShares]
    curve: ItemCurve | None
    findings: Sequence[str]
    """What is unusual, in sentences, the most important first."""
    is_urgent: bool
    """Whether the key or the wording may be wrong."""
    papers: Sequence[str]
    """Which versions of which tests and exams hold the question; only of questions with findings."""


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """A question that one group found harder than an equally able other group did."""

    number: int
    comparison: str
    """Such as "Hindi compared with English"."""
    ets_class: str
    delta: float
    error: float
    sentence: str


@dataclass(frozen=True, slots=True)
class ScoreBar:
    """Candidates with a score of at least `lowest` and less than `highest`."""

    lowest: float
    highest: float
    candidates: int


@dataclass(frozen=True, slots=True)
class ReportFact:
    """A figure of the test with its meaning."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Point:
    """Something to look at, and the question that it is about, if it is about one."""

    sentence: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class ReportContent:
    """Everything that the report shows."""

    title: str
    subtitle: str
    rests_on: Sequence[str]
    """Sentences: how many attempts, which version of the key, when."""
    look_first: Sequence[Point]
    missing: Sequence[str]
    """What the report cannot say, and what is lacking."""
    facts: Sequence[ReportFact]
    scores: Sequence[ScoreBar]
    mean: float | None
    max_score: float
    model: str
    """A sentence about the model of item response theory."""
    groups: Sequence[str]
    """The names of the score groups, the lowest first."""
    items: Sequence[ReportItem]
    comparisons: Sequence[str]
    """Which groups were compared and what was found, or why none were; a sentence for each."""
    differences: Sequence[GroupDifference]
    abilities: Sequence[ScoreBar]


def labels_of(option_ids: Sequence[str]) -> dict[str, str]:
    """How options are called in the report: by ids that are letters or numbers, else by letters in order."""
    if all(len(option_id) == 1 or option_id.isdigit() for option_id in option_ids):
        return {option_id: option_id.upper() for option_id in option_ids}
    return dict(zip(option_ids, ascii_uppercase, strict=False))
