"""Sessions of one exam, brought to one scale: `python -m benchmarks.sessions [--count N]`.

Simulated candidates (benchmarks.simulated) sit papers of unequal difficulty. For each method it prints what
the sessions' scores are like, how far their distributions are apart, and what is done at the ends. The
figures are in docs/sessions.md. Everything is seeded.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from app.engine.equating.anchors import chained, frequency_estimation
from app.engine.equating.distributions import ScoreDistribution, distribution
from app.engine.equating.equipercentile import equipercentile
from app.engine.equating.linear import moments, tucker
from app.engine.equating.presmoothing import smoothed
from app.engine.normalization import NORMALIZATION_METHODS
from app.engine.statistics.irt.model import Floats, Items
from benchmarks.simulated import GUESS, QUESTIONS, SUBJECTS, Candidates, Paper, candidates, sit

Thirds = NDArray[np.int64]

ANCHORS = 20
"""Questions that all papers have in common, the first of each paper."""
STEP = 2 / 3
MIN_SCORE, MAX_SCORE = -QUESTIONS * STEP, QUESTIONS * 2.0


@dataclass(frozen=True, eq=False)
class Session:
    """A session: who sat it, and their marks in thirds of a mark, on the paper and on its anchor questions.

    `elsewhere` are their marks when they sit the first session's paper: a real exam does not know them.
    """

    marks: Thirds
    anchor: Thirds
    elsewhere: Floats


@dataclass(frozen=True)
class Plan:
    """How many candidates a session has, how difficult its paper is, and how able they are, in logits."""

    count: int
    difficulty: float = 0.0
    ability: float = 0.0


def simulate(plans: Sequence[Plan], seed: int) -> list[Session]:
    """All sessions of an exam."""
    random = np.random.default_rng(seed)
    common = items(random, ANCHORS)
    papers = [paper(random, common, plan.difficulty) for plan in plans]
    sessions = []
    for plan, questions in zip(plans, papers, strict=True):
        people = able(candidates(random, plan.count, spread=0.3), plan.ability)
        marks = sit(random, people, questions).marks * 3
        sessions.append(
            Session(
                marks=np.rint(marks.sum(axis=1)).astype(np.int64),
                anchor=np.rint(marks[:, :ANCHORS].sum(axis=1)).astype(np.int64),
                elsewhere=sit(random, people, papers[0]).marks.sum(axis=1),
            )
        )
    return sessions


def items(random: np.random.Generator, count: int) -> Items:
    """Questions of an exam: 3PL items."""
    return Items(np.exp(random.normal(0.1, 0.3, count)), random.normal(0, 1, count), np.full(count, GUESS))


def paper(random: np.random.Generator, common: Items, difficulty: float) -> Paper:
    """The anchor questions, and others of this mean difficulty."""
    own = items(random, QUESTIONS - ANCHORS)
    shift = difficulty - own.difficulty.mean()
    together = [
        np.concatenate(pair)
        for pair in (
            (common.discrimination, own.discrimination),
            (common.difficulty, own.difficulty + shift),
            (common.guessing, own.guessing),
        )
    ]
    return Paper(Items(*together), np.arange(QUESTIONS) % SUBJECTS)


def able(people: Candidates, ability: float) -> Candidates:
    """The same candidates, more able by so many logits."""
    return replace(people, ability=people.ability + ability)


def raw_marks(sessions: Sequence[Session]) -> list[Floats]:
    """Marks as they are."""
    return [session.marks / 3 for session in sessions]


def normalized(method: str) -> Callable[[Sequence[Session]], list[Floats]]:
    """By a method of app.engine.normalization."""

    def by_method(sessions: Sequence[Session]) -> list[Floats]:
        counted = [Counter(session.marks.tolist()) for session in sessions]
        exact = [{Fraction(raw, 3): count for raw, count in session.items()} for session in counted]
        scales = NORMALIZATION_METHODS[method].scales(exact)
        return [
            np.array([float(scale[Fraction(raw, 3)]) for raw in session.marks.tolist()])
            for session, scale in zip(sessions, scales, strict=True)
        ]

    return by_method


def of_paper(session: Session) -> ScoreDistribution:
    return smoothed(distribution(session.marks / 3, MIN_SCORE, MAX_SCORE, STEP))


def of_anchor(session: Session) -> ScoreDistribution:
    return smoothed(distribution(session.anchor / 3, -ANCHORS * STEP, ANCHORS * 2.0, STEP))


def looked_up(session: Session, equivalents: Floats) -> Floats:
    """The equivalents of a session's marks, from those of all possible marks."""
    found: Floats = equivalents[session.marks // 2 + QUESTIONS]
    return found


def equated(sessions: Sequence[Session]) -> list[Floats]:
    """Equipercentile equating to the first session's paper, after log-linear smoothing."""
    base = of_paper(sessions[0])
    return [looked_up(session, equipercentile(of_paper(session), base)) for session in sessions]


def chained_equated(sessions: Sequence[Session]) -> list[Floats]:
    """Chained equipercentile equating to the first session's paper, by the anchor questions."""
    base, base_anchor = of_paper(sessions[0]), of_anchor(sessions[0])
    return [
        looked_up(session, chained(of_paper(session), of_anchor(session), base_anchor, base))
        for session in sessions
    ]


def estimated(sessions: Sequence[Session]) -> list[Floats]:
    """Frequency estimation, in a population as the first session's."""
    base = joint(sessions[0])
    return [
        looked_up(session, MIN_SCORE + STEP * frequency_estimation(joint(session), base, 0.0))
        for session in sessions
    ]


def joint(session: Session) -> Floats:
    found = np.zeros((4 * QUESTIONS + 1, 4 * ANCHORS + 1))
    np.add.at(found, (session.marks // 2 + QUESTIONS, session.anchor // 2 + ANCHORS), 1)
    return found


def by_tucker(sessions: Sequence[Session]) -> list[Floats]:
    """Tucker's linear equating."""
    of_first, *_ = measured = [moments(session.marks / 3, session.anchor / 3) for session in sessions]
    lines = [tucker(own, of_first) for own in measured]
    return [line.at(session.marks / 3) for session, line in zip(sessions, lines, strict=True)]


METHODS: Mapping[str, Callable[[Sequence[Session]], list[Floats]]] = {
    "raw marks": raw_marks,
    **{name: normalized(name) for name in NORMALIZATION_METHODS},
    "equated, smoothed": equated,
    "anchors, chained": chained_equated,
    "anchors, frequency estimation": estimated,
    "anchors, Tucker": by_tucker,
}


def distance(one: Floats, other: Floats) -> float:
    """The largest difference of two distribution functions: Kolmogorov and Smirnov."""
    one, other = np.sort(one), np.sort(other)
    points = np.concatenate([one, other])
    below = [np.searchsorted(each, points, side="right") / len(each) for each in (one, other)]
    return float(np.abs(below[0] - below[1]).max())


def farthest(scores: Sequence[Floats]) -> float:
    """The largest distance between two sessions."""
    return max(distance(one, other) for one, other in combinations(scores, 2))


def top_shares(scores: Sequence[Floats], share: float = 0.1) -> list[float]:
    """Which share of each session is among the best of all, those with the last of these scores included."""
    every = np.sort(np.concatenate(scores))[::-1]
    last = every[int(share * len(every)) - 1]
    return [float(np.mean(session >= last)) for session in scores]


def show(title: str, plans: Sequence[Plan], seed: int) -> None:
    """Print a table for each method."""
    sessions = simulate(plans, seed)
    print(f"\n## {title}\n")
    told = ", ".join(f"{plan.count} at {plan.difficulty:+.1f}/{plan.ability:+.1f}" for plan in plans)
    print(f"Sessions (candidates at difficulty/ability in logits): {told}")
    truth = [session.elsewhere for session in sessions]
    print(f"Mean marks on the first session's paper: {row([each.mean() for each in truth])}\n")
    print("| method | mean | SD | lowest 1 % | median | best 0.1 % | highest | KS | in the best 10 % |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, method in METHODS.items():
        try:
            scores = method(sessions)
        except ValueError:
            print(f"| {name} | not defined | | | | | | | |")
            continue
        cells = [row([float(figure(each)) for each in scores]) for figure in FIGURES]
        best = " · ".join(f"{100 * each:.1f} %" for each in top_shares(scores))
        print(f"| {name} | {' | '.join(cells)} | {farthest(scores):.3f} | {best} |")


def at(share: float) -> Callable[[Floats], float]:
    return lambda scores: float(np.quantile(scores, share))


FIGURES: Sequence[Callable[[Floats], float]] = (np.mean, np.std, at(0.01), at(0.5), at(0.999), np.max)


def row(values: Sequence[float]) -> str:
    return " · ".join(f"{value:.1f}" for value in values)


def timed(count: int) -> None:
    """Print the seconds of each method for three sessions, and of a sort of all marks as baseline."""
    sessions = simulate([Plan(count), Plan(count, 0.4), Plan(count, -0.3)], seed=4)
    base = seconds(lambda: sorted(mark for session in sessions for mark in session.marks.tolist()))
    print(f"\n## Time for 3 x {count:,} candidates\n\nA sort of all marks: {base:.2f} s")
    for name, method in METHODS.items():
        taken = seconds(lambda method=method: method(sessions))  # type: ignore[misc]
        print(f"{name}: {taken:.2f} s, {taken / base:.1f} times the sort")


def seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="candidates of a session")
    parser.add_argument("--timed", type=int, default=100_000, help="candidates of a session, for the time")
    given = parser.parse_args()
    count, few = given.count, max(given.count // 50, 50)
    show("Equal ability", [Plan(count), Plan(count, 0.4), Plan(count, -0.3)], 1)
    show("Unequal sizes", [Plan(2 * count), Plan(few, 0.4)], 2)
    show("Unequal ability", [Plan(count), Plan(count, 0.4, 0.3)], 3)
    timed(given.timed)


if __name__ == "__main__":
    main()
