"""What a report on a test says, as plain data: it is sent to the child process that draws the report.

A figure that is None is not known. The sentence that says why stands beside it, or in `missing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass


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
    """The parameters of a question in the model of item response theory, and how well it follows the model."""

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
    """The right answer, such as "B" or "A and C"."""
    facility: float | None
    discrimination: float | None
    efficiency: float | None
    blank: float
    """The share of candidates without an answer."""
    median_seconds: float | None
    options: Sequence[OptionShares]
    curve: ItemCurve | None
    findings: Sequence[str]
    """What is unusual, in sentences."""
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
class Fact:
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
    facts: Sequence[Fact]
    scores: Sequence[ScoreBar]
    mean: float | None
    max_score: float
    model: str | None
    groups: Sequence[str]
    """The names of the score groups, the lowest first."""
    items: Sequence[ReportItem]
    comparisons: Sequence[str]
    """Which groups were compared and what was found, or why none were; a sentence for each."""
    differences: Sequence[GroupDifference]
    abilities: Sequence[ScoreBar]
