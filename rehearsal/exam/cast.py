"""Who plays what in a rehearsed exam: who comes, when, with what extra time, and what befalls them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from random import Random
from typing import Any

CATEGORIES = ("general", "ews", "obc", "sc", "st")
_WEIGHTS = (40, 10, 27, 15, 8)


class Arrival(Enum):
    """When a candidate comes to a paper."""

    WITH_THE_HERD = "with everybody"
    TOO_EARLY = "knocks before the door opens, then with everybody"
    LATE = "late, while the door is open"
    TOO_LATE = "when the door is closed"


class Fate(Enum):
    """What staff do to a candidate's attempt at the first paper; each of these happens to others."""

    NONE = "nothing"
    GRANTED = "gets extra time while sitting"
    EXTENDED = "gets an extension"
    PAUSED = "is paused and resumed"
    FORCED = "is submitted by staff"
    VOIDED = "is voided"
    ADMITTED = "sends late answers, which are admitted"


@dataclass(frozen=True, slots=True)
class Part:
    """One candidate's part; `papers` are the places of the papers that they come to."""

    number: int
    category: str
    pwbd: int | None
    papers: frozenset[int]
    arrival: Arrival = Arrival.WITH_THE_HERD
    fate: Fate = Fate.NONE
    has_own_grant: bool = False
    drops: tuple[float, ...] = field(default=())
    """When their socket breaks, as shares of a paper's time."""
    signs_in_anew: bool = False
    """Whether a later device has a session of its own."""


def cast(seed: int, candidates: int, papers: int) -> Sequence[Part]:
    """The same seed, the same parts. The rare parts come first, so that a small exam has them too."""
    rng = Random(f"cast {seed}")  # noqa: S311 -- repeatable on purpose
    everything = frozenset(range(papers))
    parts = {number: _ordinary(rng, number, everything) for number in range(1, candidates + 1)}
    free = iter(rng.sample(sorted(parts), candidates))
    for changes, count in _rare(candidates, papers):
        for _ in range(count):
            if (number := next(free, None)) is not None:
                parts[number] = replace(parts[number], **changes)
    return [parts[number] for number in sorted(parts)]


def _ordinary(rng: Random, number: int, papers: frozenset[int]) -> Part:
    drops = tuple(rng.uniform(0.05, 0.9) for _ in range(rng.randint(1, 2))) if rng.random() < 0.3 else ()
    return Part(
        number=number,
        category=rng.choices(CATEGORIES, _WEIGHTS)[0],
        pwbd=rng.randint(1, 5) if rng.random() < 0.06 else None,
        papers=papers,
        drops=drops,
        signs_in_anew=rng.random() < 0.5,
    )


def _rare(candidates: int, papers: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Changes to an ordinary part, and how many get them: at least one each."""

    def share(part: float) -> int:
        return max(1, round(part * candidates))

    yield {"fate": Fate.ADMITTED, "pwbd": None}, 1
    yield {"fate": Fate.VOIDED, "pwbd": None}, 1
    yield {"fate": Fate.FORCED, "pwbd": None}, 1
    yield {"fate": Fate.PAUSED, "pwbd": None}, 1
    yield {"fate": Fate.EXTENDED, "pwbd": None}, share(0.02)
    yield {"has_own_grant": True, "pwbd": 1}, share(0.01)
    yield {"papers": frozenset()}, share(0.03)
    if papers > 1:
        yield {"papers": frozenset({0})}, share(0.02)
        yield {"papers": frozenset(range(1, papers))}, share(0.02)
    yield {"pwbd": 2}, share(0.02)
    yield {"fate": Fate.GRANTED, "pwbd": None}, share(0.01)
    yield {"arrival": Arrival.TOO_LATE}, share(0.01)
    yield {"arrival": Arrival.LATE}, share(0.04)
    yield {"arrival": Arrival.TOO_EARLY}, share(0.08)
    yield {"fate": Fate.PAUSED, "pwbd": None}, max(0, round(0.2 * candidates) - 1)
