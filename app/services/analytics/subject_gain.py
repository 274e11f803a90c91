"""What a session of practice in a subject is expected to gain, by the model of recommendations."""

from collections.abc import Sequence
from fractions import Fraction
from uuid import UUID

from app.engine import recommending
from app.engine.attempt_figures import SubjectSums
from app.engine.recommending import MIN_ANSWERS, SESSION_QUESTIONS, Kind, Situation, SubjectOrChapter
from app.repositories.analytics.shown import ShownAttempt
from app.sentences import Sentence
from app.services.analytics.estimates import Estimate

_BLIND = 0.25
_Z_90 = 1.6448536269514722


def expected_gain(subject_id: UUID, sums: SubjectSums, attempts: Sequence[ShownAttempt]) -> Estimate:
    """The marks that a session of new questions gains in the next paper like the full ones taken so far."""
    if sums.questions < MIN_ANSWERS:
        reason = Sentence(
            "This needs {needed} questions of the subject. You have seen {given}.",
            needed=MIN_ANSWERS,
            given=sums.questions,
        )
        return Estimate.missing(sums.questions, reason)
    papers = [attempt for attempt in attempts if attempt.kind == "full" and attempt.figures]
    if not papers:
        reason = Sentence("This needs a full test: it shows how many questions of the subject a paper has.")
        return Estimate.missing(sums.questions, reason)
    weight = sum(_questions(attempt, subject_id) for attempt in papers) / len(papers)
    subject = SubjectOrChapter(subject_id, subject_id, weight, _share(sums), SESSION_QUESTIONS)
    right, wrong = (float(Fraction(papers[0].marking[name])) for name in ("correct", "incorrect"))
    situation = Situation(
        subjects=[subject], right=right, wrong=wrong, wrong_share=_wrong_share(sums), answers=sums.questions
    )
    actions = [each for each in recommending.rank(situation) if each.kind is Kind.PRACTICE]
    if not actions:  # No full paper had a question of the subject.
        return Estimate(0.0, 0.0, 0.0, sums.questions)
    gain = actions[0].gain
    return Estimate(gain.value, gain.low, gain.high, sums.questions)


def _questions(attempt: ShownAttempt, subject_id: UUID) -> int:
    found = attempt.figures.subjects.get(subject_id) if attempt.figures else None
    return found.questions if found else 0


def _share(sums: SubjectSums) -> recommending.Estimate:
    """The share of right answers to be expected. A blank counts as a blind guess."""
    blanks = sums.questions - sums.answered
    value = (sums.correct + sums.partial / 2 + blanks * _BLIND) / sums.questions
    half = _Z_90 * (max(value * (1 - value), 0.01) / sums.questions) ** 0.5
    return recommending.Estimate(value, max(value - half, 0.0), min(value + half, 1.0), sums.questions)


def _wrong_share(sums: SubjectSums) -> float:
    missed = sums.questions - sums.correct
    return sums.incorrect / missed if missed else 0.0
