"""LSAT section 6 of Bock and Lieberman (1970): 1,000 people, five items, by pattern of right answers."""

import numpy as np

_FREQUENCIES = {
    **dict(enumerate((3, 6, 2, 11, 1, 1, 3, 4, 1, 8))),
    11: 16,
    **dict(enumerate((3, 2, 15, 10, 29, 14, 81, 3, 28, 15, 80, 16, 56, 21, 173, 11, 61, 28, 298), start=13)),
}
"""How many people had each pattern: the five answers as a binary number, 1 for right. Two did not occur."""

PATTERNS = np.array([[number >> place & 1 for place in (4, 3, 2, 1, 0)] for number in _FREQUENCIES], float)
WEIGHTS = np.array(list(_FREQUENCIES.values()), float)
