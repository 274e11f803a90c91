"""Strengths and weaknesses that are not chance.

A subject is compared with what the candidate's other subjects let expect: z = (observed - expected) / error.
The error has two parts, the chance in the answers and the uncertainty of the ability that the other subjects
show. The procedure of Benjamini and Hochberg (1995, Journal of the Royal Statistical Society B 57) bounds the
share of false findings among all findings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import special

from app.engine.statistics.irt.model import Floats, Items, probabilities
from app.engine.statistics.irt.posterior import Responses, abilities

_FALSE_DISCOVERY_RATE = 0.1
_MIN_ANSWERS = 5


class Verdict(StrEnum):
    """What is known of a subject."""

    STRENGTH = "strength"
    WEAKNESS = "weakness"
    NOT_PROVEN = "not_proven"


@dataclass(frozen=True, slots=True)
class SubjectStrength:
    """A subject against the other subjects of one candidate."""

    observed: float
    """Right answers; a blank counts as what a blind guess would earn."""

    expected: float
    z: float
    probability: float
    """Of so large a distance, in either direction, by chance."""

    verdict: Verdict


def strengths(shares: Floats, items: Items, subjects: NDArray[np.integer]) -> dict[int, SubjectStrength]:
    """Return each subject of one candidate.

    By question: `shares` as in `Responses`, the calibrated items, and the number of the subject. A
    subject with fewer than five questions, or without any question outside it, is not proven.
    """
    compared = {
        int(subject): _compared(shares, items, subjects == subject) for subject in np.unique(subjects)
    }
    known = {subject: found for subject, found in compared.items() if found is not None}
    rejected = benjamini_hochberg([_probability(z) for _, _, z in known.values()], _FALSE_DISCOVERY_RATE)
    proven = {subject for subject, is_proven in zip(known, rejected, strict=True) if is_proven}
    return {
        subject: SubjectStrength(observed, expected, z, _probability(z), _verdict(z, subject in proven))
        for subject, (observed, expected, z) in known.items()
    }


def benjamini_hochberg(probabilities: Sequence[float], rate: float) -> list[bool]:
    """Return which hypotheses are rejected, at most a share of `rate` of them falsely on average."""
    order = sorted(range(len(probabilities)), key=lambda place: probabilities[place])
    last = max(
        (
            position
            for position, place in enumerate(order, start=1)
            if probabilities[place] <= rate * position / len(order)
        ),
        default=0,
    )
    rejected = set(order[:last])
    return [place in rejected for place in range(len(probabilities))]


def _compared(shares: Floats, items: Items, inside: NDArray[np.bool_]) -> tuple[float, float, float] | None:
    """Observed, expected and z; None if there is too little to compare."""
    if inside.sum() < _MIN_ANSWERS or inside.all():
        return None
    others = abilities(Responses(shares[None, ~inside]), _some(items, ~inside))
    ability, error = float(others.estimate[0]), float(others.standard_error[0])
    own = _some(items, inside)
    points = np.array([ability - error, ability, ability + error])
    low, curve, high = probabilities(own, points).T
    by_ability = (high.sum() - low.sum()) / 2
    deviation = np.sqrt((curve * (1 - curve)).sum() + by_ability**2)
    observed, expected = float(shares[inside].sum()), float(curve.sum())
    return observed, expected, float((observed - expected) / deviation)


def _some(items: Items, chosen: NDArray[np.bool_]) -> Items:
    return Items(items.discrimination[chosen], items.difficulty[chosen], items.guessing[chosen])


def _probability(z: float) -> float:
    return float(2 * special.ndtr(-abs(z)))


def _verdict(z: float, is_proven: bool) -> Verdict:
    if not is_proven:
        return Verdict.NOT_PROVEN
    return Verdict.STRENGTH if z > 0 else Verdict.WEAKNESS
