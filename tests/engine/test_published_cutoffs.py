"""UPSC's published cut-offs: the figures, and that each is a score which UPSC's way of printing can give."""

from decimal import Decimal
from fractions import Fraction

import pytest

from app.engine.marks import RoundingPolicy, printed
from app.engine.published_cutoffs import (
    CATEGORIES,
    QUESTIONS,
    PublishedCutoff,
    cutoff_of,
    lowest_reaching,
    published_cutoffs,
    years,
)

# General, EWS, OBC, SC, ST, typed in apart from the file.
ANNOUNCED = {
    2025: "92.66 89.34 92.00 84.00 82.66",
    2024: "87.98 85.92 87.28 79.03 74.23",
    2023: "75.41 68.02 74.75 59.25 47.82",
    2022: "88.22 82.83 87.54 74.08 69.35",
    2021: "87.54 80.14 84.85 75.41 70.71",
    2020: "92.51 77.55 89.12 74.84 68.71",
    2019: "98.00 90.00 95.34 82.00 77.34",
    2018: "98.00 - 96.66 84.00 83.34",
}
DROPPED = {2020: 2, 2021: 1, 2022: 1, 2023: 1, 2024: 3}


def scores(dropped: int) -> dict[str, int]:
    """Every printed score of a paper with so many dropped questions, and its thirds of a mark."""
    counted = QUESTIONS - dropped
    raw = {6 * right - 2 * wrong for right in range(counted + 1) for wrong in range(counted + 1 - right)}
    factor = Fraction(QUESTIONS, counted)
    return {printed(Fraction(thirds, 3), factor, RoundingPolicy.UPSC): thirds for thirds in raw}


def test_the_figures() -> None:
    found = {(each.year, each.category): str(each.marks) for each in published_cutoffs()}
    announced = {
        (year, category): marks
        for year, row in ANNOUNCED.items()
        for category, marks in zip(CATEGORIES, row.split(), strict=True)
        if marks != "-"
    }
    assert found == announced
    assert len(found) == 39
    assert years() == tuple(ANNOUNCED)
    assert {each.year: each.dropped_questions for each in published_cutoffs() if each.dropped_questions} == (
        DROPPED
    )


def test_a_category_that_did_not_exist_has_none() -> None:
    assert cutoff_of(2018, "ews") is None
    found = cutoff_of(2019, "ews")
    assert found == PublishedCutoff(2019, "ews", Decimal("90.00"), 0)
    assert found.source == "UPSC, cut-off marks of the Civil Services Examination 2019"


@pytest.mark.parametrize("cutoff", published_cutoffs(), ids=lambda each: f"{each.year}-{each.category}")
def test_each_is_the_printed_score_of_some_answer_sheet(cutoff: PublishedCutoff) -> None:
    """With the questions that were dropped in that year. No lower score reaches the cut-off."""
    printed_scores = scores(cutoff.dropped_questions)
    assert str(cutoff.marks) in printed_scores
    assert lowest_reaching(cutoff.marks, cutoff.dropped_questions) == printed_scores[str(cutoff.marks)]


@pytest.mark.parametrize(
    ("marks", "dropped", "thirds"),
    [
        ("98.00", 0, 294),
        ("92.66", 0, 278),
        ("92.67", 0, 279),
        ("0.00", 0, 0),
        ("200.00", 0, 600),
        ("98.00", 2, 289),
    ],
)
def test_the_lowest_score_that_reaches(marks: str, dropped: int, thirds: int) -> None:
    """Of a paper with two dropped questions, 288 thirds are 96 marks and print as 97.96."""
    assert lowest_reaching(Decimal(marks), dropped) == thirds
