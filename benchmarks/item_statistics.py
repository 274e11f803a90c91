"""Item analysis and a 2PL of a large test: `python -m benchmarks.item_statistics [attempts]`.

100 questions, a fifth of them blank. The baseline in the same run is the least that so many steps of the EM
algorithm can cost: two products of the answers with the weights at 41 abilities, a step. Compare CPU seconds
on a busy machine.
"""

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from app.engine.statistics.irt.calibration import calibrate
from app.engine.statistics.irt.model import Items, Model, nodes, probabilities
from app.engine.statistics.irt.posterior import Responses
from app.engine.statistics.item_analysis import item_statistics, score_statistics

QUESTIONS = 100
T = TypeVar("T")


def timed(name: str, work: Callable[[], T]) -> T:
    """Do the work, and print its seconds."""
    begin, cpu = time.perf_counter(), time.process_time()
    found = work()
    print(f"{name}: {time.perf_counter() - begin:.2f} s, {time.process_time() - cpu:.2f} s of CPU")
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=100_000)
    count = parser.parse_args().count
    random = np.random.default_rng(1)
    items = Items(
        np.exp(random.normal(0.1, 0.3, QUESTIONS)), random.normal(0, 1, QUESTIONS), np.zeros(QUESTIONS)
    )
    right = random.random((count, QUESTIONS)) < probabilities(items, random.standard_normal(count)).T
    blank = random.random((count, QUESTIONS)) < 0.2
    shares = np.where(blank, 0.25, right)
    marks = np.where(blank, 0, np.where(right, 2, -2 / 3))
    maximum = np.full(QUESTIONS, 2.0)
    timed("item analysis", lambda: (item_statistics(marks, maximum), score_statistics(marks)))
    found = timed("2PL", lambda: calibrate(Responses(shares), Model.TWO))
    weights = random.random((QUESTIONS, len(nodes())))

    def products() -> None:
        for _ in range(found.steps):
            shares.T @ (shares @ weights)

    timed(f"baseline, {found.steps} steps", products)


if __name__ == "__main__":
    main()
