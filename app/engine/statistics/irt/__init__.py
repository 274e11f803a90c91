"""Item response theory: Rasch (1PL), 2PL and 3PL models.

In all of them the probability of a right answer of a person of ability theta is

    P(theta) = c + (1 - c) / (1 + exp(-(a theta + d))),   b = -d / a

with discrimination a, intercept d, difficulty b and guessing c. Abilities have a standard normal
distribution. In the 1PL all items share a, in the 1PL and 2PL c is 0. There is no scaling constant of 1.7.

Source: Baker and Kim, "Item Response Theory: Parameter Estimation Techniques", 2nd edition, 2004.
"""
