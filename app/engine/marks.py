"""Marks as exact fractions: reading them from text, and printing them by a rounding policy."""

import re
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from app.sentences import Sentence

_FRACTION = re.compile(r"[+-]?(?:[0-9]+/[0-9]+|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
_MAX_MARKS_LENGTH = 16
_MAX_MARKS = 1_000
_MAX_DENOMINATOR = 10_000


class RoundingPolicy(StrEnum):
    """How exact marks are printed with two decimal places.

    `half_up` rounds them, halves away from zero. `upsc` prints a third as .34 and two thirds as .66.
    """

    HALF_UP = "half_up"
    UPSC = "upsc"


def parse_fraction(text: str, *, longest: int) -> Fraction:
    """Read `2`, `-0.25`, `.5` or `-2/3`: ASCII, no spaces, no exponent, at most `longest` characters.

    Raises ValueError with a sentence for the person who typed it.
    """
    if len(text) > longest:
        raise ValueError(Sentence("A number has at most {longest} characters.", longest=longest))
    if not _FRACTION.fullmatch(text):
        raise ValueError('A number is written like "2", "0.25" or "-2/3".')
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise ValueError("A fraction cannot be divided by zero.") from None


@lru_cache(maxsize=256)
def parse_marks(text: str) -> Fraction:
    """Read marks of a scheme, such as `2`, `-2/3` or `0.25`. Schemes have few different ones.

    Raises ValueError for another notation, beyond ±1,000, or finer than a ten-thousandth.
    """
    marks = parse_fraction(text, longest=_MAX_MARKS_LENGTH)
    if abs(marks) > _MAX_MARKS:
        raise ValueError(Sentence("Marks lie between -{largest} and {largest}.", largest=_MAX_MARKS))
    if marks.denominator > _MAX_DENOMINATOR:
        raise ValueError(Sentence("The denominator of marks is at most {largest}.", largest=_MAX_DENOMINATOR))
    return marks


@lru_cache(maxsize=4096)
def printed(raw: Fraction, factor: Fraction, policy: RoundingPolicy) -> str:
    """Print `raw * factor` with two decimal places, halves away from zero; never `-0.00`.

    `half_up` rounds once, the exact product. `upsc` first writes the raw marks with two places, a third
    as .34 and two thirds as .66 (other fractions half-up, such as CSAT's 5/6 as .83), then multiplies
    and rounds. Negative marks mirror positive ones.

    The second rule is inferred: it gives every cut-off that UPSC published for Prelims 2018-2025.
    Recent ones are kept: a result prints a hundred marks, of which few are different.
    """
    sign = "-" if raw * factor < 0 else ""
    marks = abs(raw)
    if policy is RoundingPolicy.UPSC:
        marks = _written_by_upsc(marks)
    cents = _cents(marks * abs(factor))
    return f"{sign if cents else ''}{cents // 100}.{cents % 100:02d}"


def reaches(exact: Fraction, printed_score: str | Decimal, required: Fraction) -> bool:
    """Return whether a score is at least the required one, exactly or as it is printed.

    Exactly too: 200/3 reaches 200/3, although `upsc` prints it as 66.66.
    """
    return exact >= required or Fraction(printed_score) >= required


def _written_by_upsc(marks: Fraction) -> Fraction:
    whole, rest = divmod(marks, 1)
    thirds = {Fraction(1, 3): 34, Fraction(2, 3): 66}
    return whole + Fraction(thirds.get(rest, _cents(rest)), 100)


def _cents(marks: Fraction) -> int:
    """Hundredths of marks that are not negative, rounded half-up."""
    return int(marks * 100 + Fraction(1, 2))
