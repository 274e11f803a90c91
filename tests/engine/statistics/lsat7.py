"""LSAT section 7 of Bock and Lieberman (1970): 1,000 people, five items, by pattern of right answers."""

import numpy as np

_FREQUENCIES = (
    *(12, 19, 1, 7, 3, 19, 3, 17, 10, 5, 3, 7, 7, 23, 8, 28),
    *(7, 39, 11, 34, 14, 51, 15, 90, 6, 25, 7, 35, 18, 136, 32, 308),
)
"""How many people had each pattern: the five answers as a binary number, 1 for right."""

PATTERNS = np.array([[number >> place & 1 for place in (4, 3, 2, 1, 0)] for number in range(32)], float)
WEIGHTS = np.array(_FREQUENCIES, float)
