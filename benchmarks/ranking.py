"""What official ranks cost: `python -m benchmarks.ranking [candidates]`.

`merit` against the plain rule: exact totals as fractions, ranks from a histogram of fractions for each paper,
overall and by category. Both rank the same candidates of two papers in turn; the ratio is what counts. The
plain rule leaves out cut-offs, qualifying shares and disability, which `merit` has in its time.
"""

import argparse
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from random import Random
from statistics import median
from uuid import UUID

from app.engine.merit import Entrant, ExamPaperRule, PaperScore, merit
from app.engine.qualifying_shares import QualifyingShares

ROUNDS = 5
CATEGORIES = ("general", "ews", "obc", "sc", "st")
FIRST, SECOND = UUID(int=1), UUID(int=2)
PAPERS = [
    ExamPaperRule(FIRST, counts_for_merit=True, max_score=Fraction(200)),
    ExamPaperRule(
        SECOND,
        counts_for_merit=True,
        max_score=Fraction(200),
        shares=QualifyingShares(Decimal(0), {"sc": Decimal(0)}),
    ),
]
CUTOFFS = {"general": Decimal(200), "obc": Decimal(180), "sc": Decimal(160), "pwbd": Decimal(100)}


def candidates(count: int) -> list[Entrant]:
    """Candidates with marks in thirds, none below zero."""
    random = Random(1)

    def score() -> PaperScore:
        exact = Fraction(random.randint(0, 600), 3)
        return PaperScore(exact, Decimal(round(exact * 100)) / 100)

    return [
        Entrant(
            id=UUID(int=number + 1),
            category=random.choice(CATEGORIES),
            scores={FIRST: score(), SECOND: score()},
            pwbd=random.choice([None] * 24 + [2]),
        )
        for number in range(count)
    ]


def plain(entrants: Sequence[Entrant]) -> list[tuple[int, int, list[int]]]:
    """Rank, rank in the category and ranks in the papers of each candidate, by the plain rule."""
    totals = [sum((score.exact for score in each.scores.values()), Fraction(0)) for each in entrants]
    in_papers = {paper: ranks(each.scores[paper].exact for each in entrants) for paper in (FIRST, SECOND)}
    overall = ranks(totals)
    in_category = {
        category: ranks(
            total for each, total in zip(entrants, totals, strict=True) if each.category == category
        )
        for category in CATEGORIES
    }
    return [
        (
            overall[total],
            in_category[each.category][total],
            [in_papers[paper][each.scores[paper].exact] for paper in (FIRST, SECOND)],
        )
        for each, total in zip(entrants, totals, strict=True)
    ]


def ranks(scores: Iterable[Fraction]) -> Mapping[Fraction, int]:
    """The rank of each score: one more than how many are better."""
    found, above = {}, 0
    for score, count in sorted(Counter(scores).items(), reverse=True):
        found[score] = above + 1
        above += count
    return found


def by_merit(entrants: Sequence[Entrant]) -> list[tuple[int, int, list[int]]]:
    """The same ranks by `merit`."""
    found = []
    for result in merit(PAPERS, entrants, CUTOFFS):
        in_papers = [result.papers[paper].standing for paper in (FIRST, SECOND)]
        assert result.standings is not None
        rank, in_category = result.standings.overall.rank, result.standings.in_category.rank
        found.append((rank, in_category, [standing.rank for standing in in_papers if standing]))
    return found


def seconds(work: Callable[[], object]) -> float:
    """The processor's seconds that a call takes."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("candidates", type=int, nargs="?", default=100_000)
    entrants = candidates(parser.parse_args().candidates)
    assert by_merit(entrants) == plain(entrants)
    own, other = [], []
    for _ in range(ROUNDS):
        own.append(seconds(lambda: merit(PAPERS, entrants, CUTOFFS)))
        other.append(seconds(lambda: plain(entrants)))
    tracemalloc.start()
    kept = merit(PAPERS, entrants, CUTOFFS)
    _, most = tracemalloc.get_traced_memory()
    print(f"{len(kept):,} candidates, two papers; processor seconds, median of {ROUNDS}")
    ratio = median(own) / median(other)
    print(f"merit {median(own):.2f}, the plain rule {median(other):.2f}: ratio {ratio:.2f}")
    print(f"memory of merit at most {most / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
