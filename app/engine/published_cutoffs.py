"""UPSC's published cut-offs of the Civil Services (Preliminary) Examination, General Studies Paper I.

The figures are in `upsc_cutoffs.csv`: one row per year, with the marks of each category as UPSC
printed them and the number of questions that UPSC dropped. The category ews exists since 2019.
"""

import csv
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

from app.engine.marks import RoundingPolicy, printed

CATEGORIES = ("general", "ews", "obc", "sc", "st")
QUESTIONS, RIGHT, WRONG = 100, Fraction(2), Fraction(-2, 3)
"""The scale of the paper."""
_FILE = Path(__file__).with_name("upsc_cutoffs.csv")


@dataclass(frozen=True, slots=True)
class PublishedCutoff:
    """The marks of the last candidate of a category who qualified in a year."""

    year: int
    category: str
    marks: Decimal
    """Out of 200, as printed."""
    dropped_questions: int
    """How many questions UPSC left out of the marking of that year's paper."""

    @property
    def source(self) -> str:
        return f"UPSC, cut-off marks of the Civil Services Examination {self.year}"


@cache
def published_cutoffs() -> tuple[PublishedCutoff, ...]:
    """Return all cut-offs, the newest year first, the categories of a year in UPSC's order."""
    with _FILE.open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        PublishedCutoff(int(row["year"]), category, Decimal(row[category]), int(row["dropped_questions"]))
        for row in sorted(rows, key=lambda row: row["year"], reverse=True)
        for category in CATEGORIES
        if row[category]
    )


@cache
def years() -> tuple[int, ...]:
    """Return the years with cut-offs, the newest first."""
    return tuple(sorted({cutoff.year for cutoff in published_cutoffs()}, reverse=True))


def cutoff_of(year: int, category: str) -> PublishedCutoff | None:
    """Return the cut-off of a category in a year; None if UPSC published none."""
    found = (each for each in published_cutoffs() if (each.year, each.category) == (year, category))
    return next(found, None)


def lowest_reaching(marks: Decimal, dropped_questions: int) -> int:
    """Return the lowest raw score that reaches the printed marks, in thirds of a mark.

    `dropped_questions` are those of the paper that is marked, which is prorated and printed as UPSC does.
    """
    factor = Fraction(QUESTIONS, QUESTIONS - dropped_questions)
    low, high = 0, 3 * QUESTIONS * int(RIGHT)
    while low < high:
        middle = (low + high) // 2
        if Decimal(printed(Fraction(middle, 3), factor, RoundingPolicy.UPSC)) >= marks:
            high = middle
        else:
            low = middle + 1
    return low
