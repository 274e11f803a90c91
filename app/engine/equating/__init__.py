"""Equating of test forms: which score of one form means as much as a score of another.

Form X is equated to form Y. Forms are papers of the same content and length, but not of the same
difficulty.

- Candidates of both forms are equally able (equivalent groups): `equipercentile`, best after `presmoothing`.
- They are not, but both forms have anchor items in common (nonequivalent groups with anchor test, NEAT):
  `anchors` (chained equipercentile, frequency estimation) and `linear` (Tucker, Levine).

The functions are vectorized. An array of scores has one entry for each possible score of a form, in marks.
Group 1 took form X, group 2 took form Y. Errors are ValueError, for distributions without candidates, of
different lengths, or without a spread.

Sources: Kolen and Brennan, "Test Equating, Scaling, and Linking", 2nd edition, 2004, chapters 2 to 5; Holland
and Thayer, "Univariate and bivariate loglinear models for discrete test score distributions", Journal of
Educational and Behavioral Statistics 25, 2000.
"""
