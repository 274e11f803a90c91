"""The scenario of each candidate in a rehearsed exam: papers, arrival, extra time, and staff's action."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from random import Random
from typing import Any

CATEGORIES = ("general", "ews", "obc", "sc", "st")
_WEIGHTS = (40, 10, 27, 15, 8)


class Arrival(Enum):
    """When a candidate comes to a paper."""

    ON_TIME = "in the first seconds"
    TOO_EARLY = "before the paper opens, then in the first seconds"
    LATE = "late, while entry is open"
    TOO_LATE = "after entry has closed"


class Intervention(Enum):
    """What staff do to a candidate's attempt at the first paper. Each candidate gets at most one."""

    NONE = "nothing"
    GRANTED = "gets extra time during the attempt"
    EXTENDED = "gets an extension"
    PAUSED = "is paused and resumed"
    SUBMITTED = "is submitted by staff"
    VOIDED = "is voided"
    ADMITTED = "sends late answers, which are admitted"
    VOIDED_BY_MISTAKE = "is voided by mistake and reopened"
    """Only on a bad day."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens to one candidate. `papers` are the indexes of the papers that they take."""

    number: int
    category: str
    pwbd: int | None
    papers: frozenset[int]
    arrival: Arrival = Arrival.ON_TIME
    intervention: Intervention = Intervention.NONE
    has_own_grant: bool = False
    disconnects: tuple[float, ...] = field(default=())
    """When their socket is disconnected, as shares of a paper's time."""
    signs_in_again: bool = False
    """Whether a later device signs in for a new session."""

    @property
    def has_extra_time(self) -> bool:
        """Whether extra time is granted to the candidate or their group."""
        return self.pwbd is not None or self.has_own_grant or self.intervention is Intervention.GRANTED


def make_scenarios(seed: int, candidates: int, papers: int, *, bad_day: bool = False) -> Sequence[Scenario]:
    """One scenario for each candidate, equal for equal seeds. Small exams have the rare ones, too."""
    rng = Random(f"cast {seed}")  # noqa: S311 -- repeatable on purpose
    everything = frozenset(range(papers))
    scenarios = {number: _ordinary(rng, number, everything) for number in range(1, candidates + 1)}
    free = iter(rng.sample(sorted(scenarios), candidates))
    for changes, count in (_bad_day if bad_day else _rare)(candidates, papers):
        for _ in range(count):
            if (number := next(free, None)) is not None:
                scenarios[number] = replace(scenarios[number], **changes)
    return [scenarios[number] for number in sorted(scenarios)]


def _ordinary(rng: Random, number: int, papers: frozenset[int]) -> Scenario:
    disconnects = (
        tuple(rng.uniform(0.05, 0.9) for _ in range(rng.randint(1, 2))) if rng.random() < 0.3 else ()
    )
    return Scenario(
        number=number,
        category=rng.choices(CATEGORIES, _WEIGHTS)[0],
        pwbd=rng.randint(1, 5) if rng.random() < 0.06 else None,
        papers=papers,
        disconnects=disconnects,
        signs_in_again=rng.random() < 0.5,
    )


def _rare(candidates: int, papers: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Changes to ordinary scenarios, and the number of candidates that get them, at least one."""

    def share(scenario: float) -> int:
        return max(1, round(scenario * candidates))

    yield {"intervention": Intervention.ADMITTED, "pwbd": None}, 1
    yield {"intervention": Intervention.VOIDED, "pwbd": None}, 1
    yield {"intervention": Intervention.SUBMITTED, "pwbd": None}, 1
    yield {"intervention": Intervention.PAUSED, "pwbd": None}, 1
    yield {"intervention": Intervention.EXTENDED, "pwbd": None}, share(0.02)
    yield {"has_own_grant": True, "pwbd": 1}, share(0.01)
    yield {"papers": frozenset()}, share(0.03)
    if papers > 1:
        yield {"papers": frozenset({0})}, share(0.02)
        yield {"papers": frozenset(range(1, papers))}, share(0.02)
    yield {"pwbd": 2}, share(0.02)
    yield {"intervention": Intervention.GRANTED, "pwbd": None}, share(0.01)
    yield {"arrival": Arrival.TOO_LATE}, share(0.01)
    yield {"arrival": Arrival.LATE}, share(0.04)
    yield {"arrival": Arrival.TOO_EARLY}, share(0.08)
    yield {"intervention": Intervention.PAUSED, "pwbd": None}, max(0, round(0.2 * candidates) - 1)


def _bad_day(candidates: int, papers: int) -> Iterator[tuple[dict[str, Any], int]]:
    """The same for a bad day: nobody is ended, voided or admitted late but by mistake."""

    def share(scenario: float) -> int:
        return max(1, round(scenario * candidates))

    yield {"intervention": Intervention.VOIDED_BY_MISTAKE, "pwbd": None}, 1
    yield {"has_own_grant": True, "pwbd": 1}, share(0.01)
    yield {"pwbd": 2}, share(0.02)
    yield {"papers": frozenset()}, share(0.03)
    if papers > 1:
        yield {"papers": frozenset({0})}, share(0.02)
    yield {"arrival": Arrival.TOO_EARLY}, share(0.08)
    yield {"intervention": Intervention.PAUSED, "pwbd": None}, share(0.25)
