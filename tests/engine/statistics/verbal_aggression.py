"""The verbal aggression data of De Boeck and Wilson (2004), as the R package difR has them.

243 women and 73 men by their number of "yes" answers to 24 items, and how many of them said yes to some of
the items.
"""

import numpy as np
from numpy.typing import NDArray

WOMEN = (4, 3, 9, 7, 15, 9, 9, 14, 14, 15, 16, 13, 15, 9, 20, 18, 9, 6, 9, 8, 5, 6, 5, 1, 4)
MEN = (0, 1, 1, 0, 3, 4, 2, 3, 7, 5, 3, 2, 4, 6, 5, 5, 7, 3, 3, 2, 1, 3, 0, 2, 1)
"""By the number of yes answers, from 0 to 24."""

YES = {
    "S2WantShout": (
        (0, 0, 1, 1, 3, 2, 1, 6, 4, 7, 7, 7, 9, 4, 16, 12, 7, 5, 8, 8, 5, 6, 5, 1, 4),
        (0, 0, 0, 0, 0, 1, 0, 1, 2, 1, 0, 0, 1, 3, 0, 3, 5, 3, 1, 2, 0, 3, 0, 2, 1),
    ),
    "S4WantShout": (
        (0, 0, 0, 0, 3, 3, 1, 1, 2, 5, 4, 4, 4, 4, 5, 8, 4, 2, 6, 5, 4, 6, 4, 1, 4),
        (0, 0, 0, 0, 0, 2, 0, 0, 1, 1, 0, 0, 0, 1, 0, 2, 3, 1, 1, 0, 1, 3, 0, 2, 1),
    ),
    "S2DoScold": (
        (0, 0, 0, 0, 1, 1, 1, 3, 3, 1, 6, 5, 8, 6, 11, 12, 9, 5, 7, 6, 5, 6, 5, 1, 4),
        (0, 0, 0, 0, 0, 1, 2, 2, 4, 0, 2, 2, 3, 4, 4, 4, 7, 1, 3, 2, 1, 3, 0, 2, 1),
    ),
    "S1wantCurse": (
        (0, 1, 3, 2, 6, 1, 5, 6, 10, 11, 13, 12, 12, 7, 17, 16, 9, 6, 9, 8, 5, 6, 4, 1, 4),
        (0, 0, 0, 0, 1, 2, 0, 1, 4, 3, 3, 1, 3, 4, 4, 3, 7, 3, 3, 2, 1, 3, 0, 2, 1),
    ),
}
"""Of the women and of the men."""


def tables(item: str) -> NDArray[np.int64]:
    """The tables of an item for `mantel_haenszel`; women are the reference group."""
    yes = np.array(YES[item]).T
    return np.stack([yes, np.array([WOMEN, MEN]).T - yes], axis=2)
