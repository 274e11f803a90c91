"""What a partial rule is, and what it is told of an answer."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Parts:
    """An answer compared with one whole right answer of `total` parts: how many it has, and how many others.

    The parts of a choice question are its marked options, those of a matching question its pairs.
    """

    right: int
    wrong: int
    total: int
    are_independent: bool = False
    """Whether each part is a choice of its own, as a pair is, so that a wrong one spoils no other."""


class PartialRule(ABC):
    """What an answer earns that is right in part."""

    name: ClassVar[str]
    """What marking schemes and frozen papers call the rule. It never changes."""

    @abstractmethod
    def share(self, parts: Sequence[Parts]) -> Fraction:
        """The share of the question's marks, from 0 to 1; 0 makes the answer incorrect.

        `parts` has an entry for each whole right answer that the key accepts.
        """
