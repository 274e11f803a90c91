"""Many random sheets of random papers of all question types: `python -m tests.engine.many_sheets [count]`.

Each is graded by `engine/grading.py` and by the plain rule with fractions, `score_paper`. A difference is an
error.
"""

import sys
from collections import Counter
from fractions import Fraction

from hypothesis import HealthCheck, Phase, given, settings

from app.engine.grading import LETTERS, Grader, scorecard_of
from app.engine.plain_grading import score_paper
from app.engine.scoring import PaperKey
from tests.engine.papers import Sheets, by_place, sat_papers

SHEETS_OF_A_PAPER = 20
PAPERS_A_ROUND = 100


def main(count: int) -> None:
    """Compare at least so many sheets, and print what they were."""
    seen: Counter[str] = Counter()

    @settings(
        max_examples=PAPERS_A_ROUND,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(sat_papers(SHEETS_OF_A_PAPER))
    def compare(sat: tuple[PaperKey, Sheets]) -> None:
        compare_paper(*sat, seen)

    while seen["sheets"] < count:
        compare()
    kinds = ", ".join(f"{name} {number:,}" for name, number in sorted(seen.items()))
    print(f"equal to the plain rule: {kinds}")


def compare_paper(key: PaperKey, sheets: Sheets, seen: Counter[str]) -> None:
    """Grade the sheets of a paper both ways."""
    grader = Grader(key)
    for answers in sheets:
        graded, card = grader.grade(by_place(key, answers)), score_paper(answers, key)
        assert graded.outcomes == "".join(LETTERS[item.outcome] for item in card.items)
        assert [Fraction(part, graded.denominator) for part in graded.marks] == [
            item.marks for item in card.items
        ]
        assert (graded.raw, graded.score) == (card.raw, card.score)
        assert scorecard_of(key, graded.outcomes, graded.marks, graded.denominator) == card
        seen.update(item.outcome.value for item in card.items)
        seen.update(type(item.key).__name__ for item in key.items)
    seen["sheets"] += len(sheets)
    seen["papers"] += 1


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
