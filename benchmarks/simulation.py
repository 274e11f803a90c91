"""Whether statistics are true of simulated candidates: `python -m benchmarks.simulation [--share S]`.

It prints the figures beside their targets, and what following recommendations gains against random practice.
Everything is seeded. The candidates are those of benchmarks.simulated.
"""

import argparse
from collections.abc import Callable, Mapping
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from app.engine.recommending import NOTHING_KNOWN, Estimate, Kind, Situation, SubjectOrChapter, rank
from app.engine.statistics.bands import Change, change, score_band
from app.engine.statistics.clearing import Answered, Marking, chances_of_clearing
from app.engine.statistics.elo import Rating, Ratings, updated
from app.engine.statistics.guessing import accuracy
from app.engine.statistics.irt.calibration import Calibration, calibrate
from app.engine.statistics.irt.model import Floats, Items, Model, logistic
from app.engine.statistics.irt.posterior import Responses, abilities
from app.engine.statistics.irt.priors import Priors
from app.engine.statistics.item_analysis import score_statistics
from app.engine.statistics.strengths import Verdict, strengths
from benchmarks.simulated import (
    GUESS,
    QUESTIONS,
    RIGHT,
    SUBJECTS,
    WRONG,
    Candidates,
    Paper,
    Sheets,
    candidates,
    chances,
    paper,
    sit,
)

Figures = Mapping[str, float]

Z_90 = 1.6448536269514722
CUTOFFS = (180, 240, 300)
"""In thirds of a mark."""

LEARNED = 0.03
"""Logits that a subject gains with each question that was answered wrongly in practice and then studied."""
SESSION = 20
SITTINGS = 40
SUBJECT_WEIGHTS = np.array([30, 22, 18, 14, 10, 6])
"""Questions of each subject in a full paper, for the comparison of ways to practise."""


def calibrated(sheets: Sheets) -> Calibration:
    """A 3PL with guessing near 1 / options."""
    priors = Priors(logit_guessing_mean=float(np.log(GUESS / (1 - GUESS))), logit_guessing_deviation=0.2)
    return calibrate(Responses(sheets.shares), Model.THREE, priors)


def order(count: int, seed: int = 1) -> Figures:
    """Spearman's correlation of estimates with the true ability, after one paper of 100 questions."""
    random = np.random.default_rng(seed)
    people, questions = candidates(random, count, spread=0.3), paper(random)
    sheets = sit(random, people, questions)
    estimates = {
        "irt": abilities(Responses(sheets.shares), calibrated(sheets).items).estimate,
        "elo": elo_ratings(random, sheets),
        "raw marks": sheets.marks.sum(axis=1),
        "accuracy of answers": sheets.right.sum(axis=1) / np.maximum(sheets.answered.sum(axis=1), 1),
    }
    return {name: spearman(values, people.overall) for name, values in estimates.items()}


def elo_ratings(random: np.random.Generator, sheets: Sheets) -> Floats:
    """The candidates' ratings after their sheets were taken in, one after the other."""
    questions, found = [Rating()] * QUESTIONS, np.zeros(len(sheets.right))
    for person in random.permutation(len(sheets.right)):
        candidate = Rating()
        for question in range(QUESTIONS):
            share = float(sheets.shares[person, question])
            after = updated(Ratings(candidate, Rating(), questions[question]), share, GUESS)
            candidate, questions[question] = after.candidate, after.question
        found[person] = candidate.value
    return found


def spearman(one: Floats, other: Floats) -> float:
    first, second = (values.argsort().argsort() for values in (one, other))
    return float(np.corrcoef(first, second)[0, 1])


def intervals(count: int, seed: int = 2) -> Figures:
    """The share of 90 % intervals that hold the truth: of abilities, accuracies and scores."""
    random = np.random.default_rng(seed)
    people, questions = candidates(random, count, spread=0.0), paper(random)
    sheets, again = (sit(random, people, questions) for _ in range(2))
    complete = Sheets(random.random(sheets.right.shape) < chances(people, questions), sheets.right | True)
    band, mean = score_error(sheets), mean_score(random, people, questions)
    scores, next_scores = sheets.marks.sum(axis=1), again.marks.sum(axis=1)
    bands = [score_band(float(score), band) for score in scores]
    low, high = np.array([each.low for each in bands]), np.array([each.high for each in bands])
    answered, right = sheets.answered.sum(axis=1), sheets.right.sum(axis=1)
    truth = (chances(people, questions) * sheets.answered).sum(axis=1) / np.maximum(answered, 1)
    shares = [accuracy(int(r), int(n), GUESS) for r, n in zip(right, answered, strict=True)]
    return {
        "ability, everything answered": ability_coverage(people, complete),
        "ability, blanks by choice": ability_coverage(people, sheets),
        "accuracy": float(np.mean([s.low <= t <= s.high for s, t in zip(shares, truth, strict=True)])),
        "true score in the luck band": float(np.mean((low <= mean) & (mean <= high))),
        "next score in the luck band": float(np.mean((low <= next_scores) & (next_scores <= high))),
    }


def ability_coverage(people: Candidates, sheets: Sheets) -> float:
    """On the scale of the calibration: abilities with mean 0 and standard deviation 1."""
    found = abilities(Responses(sheets.shares), calibrated(sheets).items)
    truth = (people.overall - people.overall.mean()) / people.overall.std()
    return float(np.mean(np.abs(found.estimate - truth) <= Z_90 * found.standard_error))


def score_error(sheets: Sheets) -> float:
    return score_statistics(sheets.marks).standard_error


def mean_score(random: np.random.Generator, people: Candidates, questions: Paper) -> Floats:
    """The mean over many sittings: the true score."""
    sittings = [sit(random, people, questions).marks.sum(axis=1) for _ in range(SITTINGS)]
    return np.asarray(np.mean(sittings, axis=0), dtype=np.float64)


def cutoffs(count: int, seed: int = 3) -> Figures:
    """The expected calibration error of the probability of clearing a cut-off."""
    return {
        "with a paper of the same difficulty": cutoff_error(count, seed, is_other_paper=False),
        "with a paper that is harder or easier by chance": cutoff_error(count, seed, is_other_paper=True),
    }


def cutoff_error(count: int, seed: int, is_other_paper: bool) -> float:
    """Each candidate's chances, from one sitting, against what the next sitting brings."""
    random = np.random.default_rng(seed)
    people, first = candidates(random, count, spread=0.3), paper(random)
    second = paper(random) if is_other_paper else first
    sheets, later = sit(random, people, first), sit(random, people, second).marks.sum(axis=1)
    items = calibrated(sheets).items
    said, cleared = [], []
    for person in range(count):
        answered = sheets.answered[person]
        if answered.any():
            own = Items(items.discrimination[answered], items.difficulty[answered], items.guessing[answered])
            known = Answered(own, sheets.right[person, answered])
            chance = chances_of_clearing(known, own, Marking(QUESTIONS, 6, -2), CUTOFFS)
            said.append([each.probability for each in chance])
            cleared.append([3 * later[person] >= cutoff - 1e-6 for cutoff in CUTOFFS])
    return calibration_error(np.ravel(said), np.ravel(cleared))


def calibration_error(said: Floats, happened: Floats) -> float:
    """The mean distance of what was said from how often it happened, in ten groups by what was said."""
    groups = np.minimum((said * 10).astype(int), 9)
    parts = [abs(said[groups == each].sum() - happened[groups == each].sum()) for each in range(10)]
    return float(sum(parts) / len(said))


def verdicts(count: int, seed: int = 4) -> Figures:
    """How often candidates are told a strength or a change that there is not, and one that there is."""
    random = np.random.default_rng(seed)
    questions = paper(random)
    null, real = candidates(random, count, spread=0.0), candidates(random, count, spread=1.0)
    better = Candidates(null.ability + 1.0, null.reached, null.threshold, null.fatigue)
    before, same, after = (sit(random, each, questions) for each in (null, null, better))
    error, items = score_error(before), calibrated(before).items
    return {
        "null candidates with a strength": share_with_a_strength(before, items, questions),
        "candidates of real strengths with one": share_with_a_strength(
            sit(random, real, questions), items, questions
        ),
        "no improvement, yet up": share_of_ups(before, same, error),
        "no improvement, yet up or down": share_of_ups(before, same, error, Change.UP, Change.DOWN),
        "better by one logit, and up": share_of_ups(before, after, error),
    }


def share_with_a_strength(sheets: Sheets, items: Items, questions: Paper) -> float:
    found = [strengths(shares, items, questions.subjects) for shares in sheets.shares]
    has = [any(each.verdict is Verdict.STRENGTH for each in one.values()) for one in found]
    return float(np.mean(has))


def share_of_ups(before: Sheets, after: Sheets, error: float, *verdicts: Change) -> float:
    pairs = zip(before.marks.sum(axis=1), after.marks.sum(axis=1), strict=True)
    found = [change(float(one), error, float(two), error) for one, two in pairs]
    return float(np.mean([each in (verdicts or (Change.UP,)) for each in found]))


def practice(count: int, sessions: int = 10, seed: int = 5) -> Figures:
    """The marks of a full paper that practice sessions gain: the recommended ones, and random ones.

    Each session has 20 new questions of one subject. Each that is answered wrongly adds `LEARNED` logits to
    the ability in the subject. The recommendations know only the answers: those of one full paper, then of
    each session.
    """
    gains: dict[str, list[float]] = {"recommended": [], "random": [], "weakest subject": []}
    for person in range(count):
        for name, found in gains.items():
            # The same candidate and the same luck for each way to practise.
            random = np.random.default_rng((seed, person))
            ability = random.standard_normal() + 0.7 * random.standard_normal(SUBJECTS)
            found.append(practised(random, ability, sessions, name))
    means = {name: float(np.mean(found)) for name, found in gains.items()}
    ahead = np.array(gains["recommended"]) - np.array(gains["random"])
    error = float(Z_90 * ahead.std(ddof=1) / np.sqrt(count))
    return {**means, "recommended above random": float(ahead.mean()), "its 90 % error": error}


def practised(random: np.random.Generator, ability: Floats, sessions: int, way: str) -> float:
    """The gain in expected marks of one candidate."""
    start, ability = expected_marks(ability), ability.copy()
    seen = SUBJECT_WEIGHTS.copy()
    right = random.binomial(seen, share_right(ability))
    for _ in range(sessions):
        subject = chosen(random, right, seen, way)
        known = random.binomial(SESSION, share_right(ability)[subject])
        ability[subject] += LEARNED * (SESSION - known)
        right[subject] += known
        seen[subject] += SESSION
    return expected_marks(ability) - start


def chosen(random: np.random.Generator, right: NDArray[np.int64], seen: NDArray[np.int64], way: str) -> int:
    """The subject of the next session."""
    if way == "random":
        return int(random.integers(SUBJECTS))
    if way == "weakest subject":
        return int((right / seen).argmin())
    subjects = [
        SubjectOrChapter(
            UUID(int=each), UUID(int=each), float(weight), share_of(int(right[each]), int(seen[each])), 999
        )
        for each, weight in enumerate(SUBJECT_WEIGHTS)
    ]
    best = next(each for each in rank(Situation(subjects=subjects)) if each.kind is Kind.PRACTICE)
    return best.target.int if best.target else 0


def share_of(right: int, seen: int) -> Estimate:
    """The share of right answers with its interval."""
    if not seen:
        return NOTHING_KNOWN
    found = accuracy(right, seen, GUESS)
    return Estimate(right / seen, found.low, found.high, seen)


def share_right(ability: Floats) -> Floats:
    """The probability that a question of each subject is right, if it is answered."""
    return GUESS + (1 - GUESS) * logistic(ability)


def expected_marks(ability: Floats) -> float:
    """In a full paper, with every question answered."""
    chance = share_right(ability)
    return float(SUBJECT_WEIGHTS @ (chance * RIGHT + (1 - chance) * WRONG))


PARTS: Mapping[str, tuple[Callable[[int], Figures], int]] = {
    "Spearman's correlation with the true ability": (order, 2_000),
    "Share of 90 % intervals that hold the truth (target .88 to .92)": (intervals, 4_000),
    "Expected calibration error of cut-offs (target at most .03)": (cutoffs, 1_000),
    "Verdicts (null strengths: below .10)": (verdicts, 1_000),
    "Marks that 10 sessions of practice gain": (practice, 300),
}


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the candidates, for a quick look")
    given = parser.parse_args()
    for title, (part, count) in PARTS.items():
        number = max(int(count * given.share), 50)
        print(f"{title}, {number} candidates")
        for name, value in part(number).items():
            print(f"  {value:8.3f}  {name}")


if __name__ == "__main__":
    main()
