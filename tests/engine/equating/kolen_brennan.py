"""Data of Kolen and Brennan, "Test Equating, Scaling, and Linking", 2nd edition, 2004.

The frequencies are also in the test data of the Julia package Equate.jl (github.com/takuizum/Equate.jl).
"""

# fmt: off

ACT_X = [
    0, 1, 1, 3, 9, 18, 59, 67, 91, 144, 149, 192, 192, 192, 201, 204, 217, 181, 184, 170, 201, 147, 163,
    147, 140, 147, 126, 113, 100, 106, 107, 91, 83, 73, 72, 75, 50, 37, 38, 23, 15,
]
"""ACT Mathematics, form X: how many have each score from 0 to 40 (table 2.5)."""

ACT_Y = [
    0, 1, 3, 13, 42, 59, 95, 131, 158, 161, 194, 164, 166, 197, 177, 158, 169, 132, 158, 151, 134, 137,
    122, 110, 116, 132, 104, 104, 114, 97, 107, 88, 80, 79, 70, 61, 48, 47, 29, 32, 12,
]
"""Form Y."""

ACT_X_RANKS = [
    0.0, 0.01, 0.03, 0.08, 0.22, 0.53, 1.42, 2.88, 4.7, 7.42, 10.8, 14.74, 19.17, 23.61, 28.15, 32.83,
    37.69, 42.28, 46.5, 50.59, 54.87, 58.89, 62.47, 66.05, 69.37, 72.68, 75.84, 78.6, 81.06, 83.44,
    85.9, 88.18, 90.19, 92.0, 93.67, 95.37, 96.81, 97.82, 98.68, 99.39, 99.83,
]
"""The percentile ranks of form X that are printed in table 2.5, in percent."""

NEAT_X = [
    0, 0, 1, 5, 9, 13, 36, 51, 77, 86, 92, 113, 128, 90, 113, 80, 91, 87, 73, 50, 73, 54, 54, 41, 35,
    42, 31, 31, 23, 22, 17, 8, 14, 7, 6, 1, 1,
]
"""Form X of 36 items, scores 0 to 36, of group 1 (section 4.6)."""

NEAT_X_ANCHOR = [14, 54, 142, 249, 274, 247, 232, 173, 118, 75, 42, 27, 8]
"""The 12 anchor items of the same group."""

NEAT_Y = [
    0, 0, 0, 1, 3, 10, 25, 24, 35, 43, 61, 64, 78, 66, 85, 93, 81, 101, 80, 84, 75, 65, 65, 75, 63, 61,
    49, 56, 34, 37, 40, 24, 20, 27, 6, 5, 2,
]
"""Form Y of 36 items, scores 0 to 36, of group 2 (section 4.6)."""

NEAT_Y_ANCHOR = [11, 36, 88, 159, 213, 240, 232, 246, 161, 120, 85, 34, 13]
"""The 12 anchor items of the same group."""
