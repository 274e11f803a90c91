"""What is known of a question's difficulty before anybody has answered it.

It is the author's label, and the calibrated questions with the same label: those of the institute, then
those of the chapter. Each mean is drawn toward the one before as if ten questions spoke for that (an
empirical Bayes estimate: Lindley and Smith, 1972, "Bayes estimates for the linear model", Journal of the
Royal Statistical Society B 34).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_OF_LABEL: Mapping[str | None, float] = {"easy": -1.0, "medium": 0.0, "hard": 1.0, None: 0.0}
_WEIGHT = 10
_DEVIATION, _DEVIATION_WITHOUT_LABEL = 1.0, 1.5


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Calibrated questions: how many, and their mean difficulty in logits."""

    questions: int = 0
    mean: float = 0.0


@dataclass(frozen=True, slots=True)
class DifficultyPrior:
    """A normal distribution of the difficulty, in logits."""

    mean: float
    deviation: float


def difficulty_prior(label: str | None, known: Sequence[Calibrated] = ()) -> DifficultyPrior:
    """Return the prior of a question with this label.

    `known` are calibrated questions with the same label, the widest group first: all, then of its chapter.
    """
    mean = _OF_LABEL[label]
    for group in known:
        mean = (_WEIGHT * mean + group.questions * group.mean) / (_WEIGHT + group.questions)
    return DifficultyPrior(mean, _DEVIATION_WITHOUT_LABEL if label is None else _DEVIATION)
