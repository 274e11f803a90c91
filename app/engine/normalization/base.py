"""What a normalization method is: from the marks of several sessions to scores on one scale."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import ClassVar

from app.engine.ranking import Histogram

Scale = Mapping[Fraction, Fraction]
"""The normalized score of each raw score of a session."""


class NormalizationUndefined(ValueError):
    """A method has no result for these marks. `session` is the place of the session, None for all."""

    def __init__(self, session: int | None) -> None:
        super().__init__(session)
        self.session = session


class NormalizationMethod(ABC):
    """One way to bring the raw scores of several sessions (shifts) of an exam to one scale."""

    name: ClassVar[str]
    """What stored exams call the method. It never changes."""

    places: ClassVar[int]
    """With how many decimal places a normalized score is published and ranked."""

    @abstractmethod
    def exact(self, sessions: Sequence[Histogram]) -> list[Scale]:
        """Return the scale of each session before rounding. Each session has a candidate.

        Raises NormalizationUndefined.
        """

    def scales(self, sessions: Sequence[Histogram]) -> list[Scale]:
        """Return the scale of each session, rounded once, halves away from zero.

        A session is how many candidates have each raw score. One without candidates has an empty scale and no
        influence on the others. In a session a higher raw score never has a lower normalized one; after
        rounding the two can be equal.
        Raises NormalizationUndefined if the method has no result for these marks.
        """
        held = [index for index, session in enumerate(sessions) if sum(session.values())]
        try:
            found = self.exact([_occurring(sessions[index]) for index in held]) if held else []
        except NormalizationUndefined as error:
            place = None if error.session is None else held[error.session]
            raise NormalizationUndefined(place) from None
        scales: list[Scale] = [{} for _ in sessions]
        for index, scale in zip(held, found, strict=True):
            scales[index] = {raw: rounded(score, self.places) for raw, score in scale.items()}
        return scales


def rounded(value: Fraction, places: int) -> Fraction:
    """Round to decimal places, halves away from zero."""
    units = int(abs(value) * 10**places + Fraction(1, 2))
    return Fraction(units if value >= 0 else -units, 10**places)


def percentiles(session: Histogram) -> Mapping[Fraction, Fraction]:
    """Return the share of candidates of the session, from 0 to 1, that have at most each raw score."""
    total, below, found = sum(session.values()), 0, {}
    for raw in sorted(session):
        below += session[raw]
        found[raw] = Fraction(below, total)
    return found


def _occurring(session: Histogram) -> Histogram:
    return {raw: count for raw, count in session.items() if count}
