"""Estimates of one subject that need numpy. They run in a thread, on the answers of at most 100 attempts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import fmean, stdev
from typing import TYPE_CHECKING
from uuid import UUID

from app.sentences import Sentence
from app.services.analytics.cutoffs import ItemCurve
from app.services.analytics.estimates import MIN_ANSWERS_IN_SUBJECT, Estimate, Strength, accuracy_of
from app.services.analytics.subject_answers import CORRECT, INCORRECT, SubjectAnswer

if TYPE_CHECKING:
    from app.engine.statistics.irt.model import Items

MIN_TIMED_ANSWERS = 10
MIN_QUESTIONS_IN_HALF = 10
MAX_COMPARED_ANSWERS = 1_000
"""Verdicts rest on the newest of the first answers: more of them take time and decide no better."""
MIN_TIME_MS, MAX_TIME_RATIO = 1_000, 10.0
"""A question that was open for less than a second was not read. A ratio beyond ten is a break."""
_Z_90 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class TrendVerdict:
    """Whether the later official attempts show more ability than the earlier ones. None: see `reason`."""

    verdict: str | None
    n: int
    """The questions that were compared."""
    reason: Sentence | None = None


def accuracy(answers: Iterable[SubjectAnswer]) -> Estimate:
    """The share of right answers among those that were right or wrong, with its interval."""
    judged = [each.outcome == CORRECT for each in answers if each.outcome in (CORRECT, INCORRECT)]
    missing = Sentence("You have answered none of these questions.")
    return accuracy_of(sum(judged), len(judged), missing=missing)


def first_encounters(answers: Iterable[SubjectAnswer]) -> list[SubjectAnswer]:
    """The first answer to each question. A question that one has seen before says little of ability."""
    found: dict[UUID, SubjectAnswer] = {}
    for each in answers:
        found.setdefault(each.question_id, each)
    return list(found.values())


def _calibrated(answers: Iterable[SubjectAnswer]) -> list[SubjectAnswer]:
    """The newest of the first answers to questions whose difficulty is known, the oldest first."""
    return [each for each in first_encounters(answers) if each.curve is not None][-MAX_COMPARED_ANSWERS:]


def chapter_verdicts(answers: Sequence[SubjectAnswer]) -> Mapping[UUID | None, Strength]:
    """Each chapter against the other chapters of the subject, by first answers to calibrated questions."""
    known = _calibrated(answers)
    counts = {chapter: sum(each.chapter_id == chapter for each in known) for chapter in _chapters(answers)}
    compared = _compared(known) if sum(count > 0 for count in counts.values()) > 1 else {}
    return {chapter: _strength(compared.get(chapter), count, len(known)) for chapter, count in counts.items()}


def _chapters(answers: Iterable[SubjectAnswer]) -> list[UUID | None]:
    return list(dict.fromkeys(each.chapter_id for each in answers))


def _compared(known: Sequence[SubjectAnswer]) -> dict[UUID | None, str]:
    import numpy as np  # noqa: PLC0415

    from app.engine.statistics.strengths import strengths  # noqa: PLC0415

    chapters = _chapters(known)
    places = np.array([chapters.index(each.chapter_id) for each in known])
    found = strengths(np.array([each.share for each in known]), _items(known), places)
    return {chapters[place]: strength.verdict.value for place, strength in found.items()}


def _strength(verdict: str | None, n: int, known: int) -> Strength:
    if verdict is not None:
        return Strength(verdict, n)
    if n >= MIN_ANSWERS_IN_SUBJECT and n == known:
        return Strength(n=n, reason=Sentence("This needs answers in another chapter to compare with."))
    return Strength(
        n=n,
        reason=Sentence(
            "This needs {needed} questions of the chapter whose difficulty is known. There are {given}.",
            needed=MIN_ANSWERS_IN_SUBJECT,
            given=n,
        ),
    )


def pace(answers: Iterable[SubjectAnswer]) -> Estimate:
    """The own time for a question in times of the participants' median, typically (the geometric mean)."""
    ratios = [
        log(each.own_ms / each.median_ms)
        for each in answers
        if each.is_answered and each.median_ms and (each.own_ms or 0) >= MIN_TIME_MS and each.own_ms
    ]
    usable = [ratio for ratio in ratios if abs(ratio) <= log(MAX_TIME_RATIO)]
    if len(usable) < MIN_TIMED_ANSWERS:
        reason = Sentence(
            "This needs {needed} answers whose times can be compared with others. There are {given}.",
            needed=MIN_TIMED_ANSWERS,
            given=len(usable),
        )
        return Estimate.missing(len(usable), reason)
    mean, error = fmean(usable), _Z_90 * stdev(usable) / sqrt(len(usable))
    return Estimate(exp(mean), exp(mean - error), exp(mean + error), len(usable))


def trend_verdict(answers: Sequence[SubjectAnswer]) -> TrendVerdict:
    """The ability that the later half of the official attempts shows, against the earlier half.

    The difficulty of the questions is allowed for, and each question counts when it was seen first.
    """
    known = _calibrated(each for each in answers if not each.practice)
    attempts = list(dict.fromkeys(each.attempt_id for each in known))
    earlier = set(attempts[: len(attempts) // 2])
    halves = (
        [each for each in known if each.attempt_id in earlier],
        [each for each in known if each.attempt_id not in earlier],
    )
    fewest = min(len(half) for half in halves)
    if fewest < MIN_QUESTIONS_IN_HALF:
        reason = Sentence(
            "This needs {needed} new questions of known difficulty in each half of your official attempts."
            " There are {given}.",
            needed=MIN_QUESTIONS_IN_HALF,
            given=fewest,
        )
        return TrendVerdict(None, len(known), reason)
    return TrendVerdict(_change(*halves), len(known))


def _change(earlier: Sequence[SubjectAnswer], later: Sequence[SubjectAnswer]) -> str:
    from app.engine.statistics.bands import change  # noqa: PLC0415

    (before, before_error), (after, after_error) = (_ability(half) for half in (earlier, later))
    return change(before, before_error, after, after_error).value


def _ability(answers: Sequence[SubjectAnswer]) -> tuple[float, float]:
    import numpy as np  # noqa: PLC0415

    from app.engine.statistics.irt.posterior import Responses, abilities  # noqa: PLC0415

    found = abilities(Responses(np.array([[each.share for each in answers]])), _items(answers))
    return float(found.estimate[0]), float(found.standard_error[0])


def _items(answers: Sequence[SubjectAnswer]) -> "Items":
    from app.engine.statistics.clearing import items_of  # noqa: PLC0415

    curves = [each.curve or ItemCurve(1.0, 0.0) for each in answers]
    return items_of([(each.discrimination, each.difficulty, each.guessing) for each in curves])
