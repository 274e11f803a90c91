"""What changing answers gained or cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class AnswerChanges:
    """The changes of one attempt. A change is from the first answer of a question to its standing answer."""

    right_to_wrong: int
    wrong_to_right: int
    wrong_to_wrong: int
    net_marks: Fraction
    """Marks of the standing answers minus marks of the first ones."""


def answer_changes(
    first_and_standing: Sequence[tuple[Fraction, Fraction]], zero: Fraction = Fraction(0)
) -> AnswerChanges:
    """Return the sums over the questions that were answered more than once.

    Each pair is the marks of the first answer and the marks of the standing one. An answer with more marks
    than `zero` counts as right.
    """
    right_to_wrong = sum(first > zero >= standing for first, standing in first_and_standing)
    wrong_to_right = sum(standing > zero >= first for first, standing in first_and_standing)
    wrong_to_wrong = sum(first <= zero and standing <= zero for first, standing in first_and_standing)
    net = sum((standing - first for first, standing in first_and_standing), Fraction(0))
    return AnswerChanges(right_to_wrong, wrong_to_right, wrong_to_wrong, net)
