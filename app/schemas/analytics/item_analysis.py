"""The item analysis of a test for its staff."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from app.engine.scoring import Item
from app.schemas.analytics.estimates import EstimateOut, localized
from app.schemas.analytics.progress import ExamOfAttemptOut, ExamPaperOfAttemptOut
from app.schemas.analytics.test_statistics import (
    Division,
    EtsClass,
    GroupKind,
    ItemFlagOut,
    JsonObject,
    Model,
    RestsOnOut,
    estimate,
    place_of,
)
from app.schemas.common import LocalizedText, Out
from app.services.analytics.flags import rank_of
from app.services.analytics.test_statistics import (
    AnalyzedItems,
    AnalyzedPaper,
    entries,
    missing_answers,
    missing_items,
    never_computed,
    right_options,
)
from app.services.tests.papers import FrozenQuestion


class ItemFiguresOut(Out):
    """The figures of a question, as Moodle defines them.

    `facility` is the mean mark as a share of the maximum, `guess_facility` what it would be if everybody
    guessed. Weights, index and efficiency are percentages. Where candidates choose which questions they
    answer, the figures rest on those who have answered the question (`n`), and there are no weights.
    """

    facility: EstimateOut
    guess_facility: float | None
    standard_deviation: float | None
    intended_weight: float | None
    effective_weight: float | None
    discrimination_index: EstimateOut
    discriminative_efficiency: float | None
    correct: int
    incorrect: int
    partial: int
    unattempted: int

    @classmethod
    def of(cls, found: JsonObject, attempts: int) -> Self:
        """As an analysis stores them. Earlier ones rest on all attempts."""
        count = found.get("attempts", attempts)
        reason = missing_answers(count) if found["facility"] is None else None
        own = {
            name: estimate(found[name], found[interval], count, reason)
            for name, interval in (
                ("facility", "facility_interval"),
                ("discrimination_index", "discrimination_interval"),
            )
        }
        return cls(**own, **{name: found[name] for name in cls.model_fields if name not in own})


class AnalyzedOptionOut(Out):
    """How often an option was chosen, in all and by score group, the weakest fifth of candidates first."""

    id: str
    right: bool
    chosen: int
    by_group: list[int]


class FitOut(Out):
    """S-X² of Orlando and Thissen. A small probability means that the question does not follow the model."""

    statistic: float | None
    degrees_of_freedom: int
    probability: float | None


class CalibrationOut(Out):
    """The parameters of a question by item response theory, in standard deviations of ability."""

    model: Model
    difficulty: EstimateOut
    difficulty_error: float | None
    discrimination: float | None
    discrimination_error: float | None
    guessing: float | None
    guessing_error: float | None
    fit: FitOut

    @classmethod
    def of(cls, found: JsonObject, calibration: JsonObject) -> Self:
        """As an analysis stores them."""
        difficulty = estimate(found["difficulty"], found["difficulty_interval"], calibration["answers"])
        names = (
            "difficulty_error",
            "discrimination",
            "discrimination_error",
            "guessing",
            "guessing_error",
            "fit",
        )
        return cls(model=calibration["model"], difficulty=difficulty, **{name: found[name] for name in names})


class DifferenceOut(Out):
    """Whether a question is harder for a group than for others of equal ability, by Mantel and Haenszel.

    `delta` below 0 is harder for the focal group. `ets_class`: A negligible, B moderate, C large.
    """

    by: GroupKind
    reference: str
    focal: str
    odds_ratio: float | None
    delta: float | None
    delta_error: float | None
    probability: float | None
    ets_class: EtsClass


class ItemPartOut(Out):
    """A question among those who answered in a language, or within its section."""

    language: str | None
    attempts: int
    facility: float | None
    discrimination_index: float | None


class ItemOut(Out):
    """A question of the paper. `options` is empty for a type without options."""

    question_id: UUID
    question_version: int
    number: int
    type: str
    section_id: UUID
    dropped: bool
    figures: ItemFiguresOut | None
    median_ms: Annotated[int | None, Field(description="Null if fewer than 20 times are known")]
    options: list[AnalyzedOptionOut]
    blank: int
    other: Annotated[int, Field(description="Answers that are not one of the options")]
    calibration: CalibrationOut | None
    differences: list[DifferenceOut]
    parts: list[ItemPartOut]

    @classmethod
    def of(cls, analyzed: AnalyzedPaper, place: int, by: Division | None) -> Self:
        """The question at this place, from 0."""
        row, analysis = analyzed.row, analyzed.row.analysis
        question, item = list(analyzed.paper.questions.values())[place], analyzed.key.rules.items[place]
        count = len(analyzed.paper.questions)
        found, calibration = entries(analysis, "items", count)[place], analysis["irt"]
        calibrated = calibration["items"][place] if calibration else None
        *_, blank, other = row.option_counts[place]
        return cls(
            question_id=question.id,
            question_version=analysis["questions"][place]["version"],
            number=place + 1,
            type=question.type,
            section_id=item.section_id,
            dropped=item.is_dropped,
            figures=ItemFiguresOut.of(found, row.attempts) if found else None,
            median_ms=row.median_ms[place],
            options=_options(question, item, row.option_counts[place], analysis["options"][place]),
            blank=blank,
            other=other,
            calibration=CalibrationOut.of(calibrated, calibration) if calibrated else None,
            differences=list(_differences(analysis["dif"], place)),
            parts=_parts(analysis, place, by),
        )


class ItemAnalysisOut(Out):
    """The item analysis of one version of a test, outside of exams or in one exam.

    All but `test_id` and `reason` is null before the first refresh. `score_groups` has the size of each fifth
    of the candidates, the weakest first; equal totals are in one group.
    """

    test_id: UUID
    paper_version: int | None
    exam: ExamOfAttemptOut | None
    exam_paper: ExamPaperOfAttemptOut | None
    rests_on: RestsOnOut | None
    reason: LocalizedText | None
    score_groups: list[int]
    items: list[ItemOut]
    flags: list[ItemFlagOut]

    @classmethod
    def of(cls, test_id: UUID, found: AnalyzedItems | None, by: Division | None) -> Self:
        """Of stored statistics, or that there are none."""
        if found is None:
            return cls(
                test_id=test_id,
                paper_version=None,
                exam=None,
                exam_paper=None,
                rests_on=None,
                reason=localized(never_computed()),
                score_groups=[],
                items=[],
                flags=[],
            )
        analyzed = found.analyzed
        analysis = analyzed.row.analysis
        return cls(
            test_id=test_id,
            paper_version=analyzed.paper.version,
            **place_of(analyzed),
            rests_on=RestsOnOut.of(analyzed),
            reason=localized(missing_items(analyzed.row.attempts)) if analysis["items"] is None else None,
            score_groups=analysis["score_groups"],
            items=[ItemOut.of(analyzed, place, by) for place in range(len(analyzed.paper.questions))],
            flags=[
                ItemFlagOut.of(flag, analyzed, found.holding)
                for flag in sorted(analysis["flags"], key=lambda flag: rank_of(flag["flag"]))
            ],
        )


def _options(
    question: FrozenQuestion, item: Item, totals: Sequence[int], by_group: Sequence[Sequence[int]]
) -> list[AnalyzedOptionOut]:
    """The last two counts are blanks and other answers."""
    listed = question.options[: len(totals) - 2]
    right = right_options(item, listed)
    return [
        AnalyzedOptionOut(
            id=option,
            right=option in right,
            chosen=totals[place],
            by_group=[group[place] for group in by_group],
        )
        for place, option in enumerate(listed)
    ]


def _differences(comparisons: Sequence[JsonObject], place: int) -> list[DifferenceOut]:
    return [
        DifferenceOut(
            by=found["by"], reference=found["reference"], focal=found["focal"], **found["items"][place]
        )
        for found in comparisons
        if found["items"][place] is not None
    ]


def _parts(analysis: Mapping[str, Any], place: int, by: Division | None) -> list[ItemPartOut]:
    if by == "language":
        return [_part(found, found["items"][place], found["language"]) for found in analysis["languages"]]
    if by == "section":
        return [
            _part(found, found["items"][found["positions"].index(place + 1)], None)
            for found in analysis["sections"]
            if place + 1 in found["positions"]
        ]
    return []


def _part(found: JsonObject, item: JsonObject, language: str | None) -> ItemPartOut:
    """An item of a part. Those of earlier analyses rest on all attempts of the part."""
    return ItemPartOut(language=language, **{"attempts": found["scores"]["attempts"], **item})
