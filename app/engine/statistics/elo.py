"""Elo ratings of candidates and questions, updated after each answer.

The probability of a right answer is 1 / (1 + exp(-(ability + ability in the subject - difficulty))). Each
rating moves by its step times the surprise: the answer, 1 or 0, minus the probability of a right one. The
step shrinks with the number of answers, as in Pelánek (2016), "Applications of the Elo rating system in
adaptive educational systems", Computers & Education 98. A rating is in logits.
"""

from dataclasses import dataclass
from math import exp

_STEP, _SHRINK = 0.6, 0.02
_SUBJECT_STEP, _SUBJECT_SHRINK = 0.3, 0.02
_QUESTION_STEP, _QUESTION_SHRINK = 0.4, 0.05


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating and the number of answers behind it."""

    value: float = 0.0
    answers: int = 0


@dataclass(frozen=True, slots=True)
class Ratings:
    """The three ratings that an answer concerns."""

    candidate: Rating
    in_subject: Rating
    question: Rating


def probability_of_right(ratings: Ratings, guessing: float = 0.0) -> float:
    """Return the probability of a right answer. `guessing` is that of a blind guess, 1 / options."""
    logit = ratings.candidate.value + ratings.in_subject.value - ratings.question.value
    return guessing + (1 - guessing) / (1 + exp(-max(-30.0, min(30.0, logit))))


def updated(ratings: Ratings, share: float, guessing: float = 0.0) -> Ratings:
    """Return the ratings after an answer: `share` is 1 for right and 0 for wrong."""
    surprise = share - probability_of_right(ratings, guessing)
    return Ratings(
        candidate=_moved(ratings.candidate, surprise, _STEP, _SHRINK),
        in_subject=_moved(ratings.in_subject, surprise, _SUBJECT_STEP, _SUBJECT_SHRINK),
        question=_moved(ratings.question, -surprise, _QUESTION_STEP, _QUESTION_SHRINK),
    )


def _moved(rating: Rating, surprise: float, step: float, shrink: float) -> Rating:
    return Rating(rating.value + step / (1 + shrink * rating.answers) * surprise, rating.answers + 1)
