"""What a candidate should do next: actions, ranked by the marks that they gain for the minutes they take.

The model: a subject consists of `FACTS` things to know, each as likely to be asked as the others. Whoever
learns one of them from a missed question gains, in the next full paper, the marks of one question times the
subject's questions in a paper (its weight in the syllabus) divided by `FACTS`, times the probability that
it is still remembered after `HORIZON_DAYS`. Memory follows the forgetting curve of FSRS-6 (Ye and others,
open-spaced-repetition). A gain is a forecast of this model and no promise; its interval comes from the
uncertainty of the candidate's share of right answers.

The first full tests also make a candidate used to the format: 0.26 standard deviations from the first to the
second test of a kind (Hausknecht, Halpert, Di Paolo and Moriarty Gerrard, 2007, "Retesting in selection: a
meta-analysis of coaching and practice effects", Journal of Applied Psychology 92), less with each test.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, sqrt
from uuid import UUID

FACTS = 500
HORIZON_DAYS = 60
SESSION_QUESTIONS = 20
MIN_ANSWERS = 10
"""With fewer answers behind a share, the gain of an action is not stated."""

MINUTES_TO_ANSWER = 1.2
MINUTES_TO_LEARN = 1.0
"""For the explanation of a question that was missed."""
MINUTES_TO_REVISE = 1.0
MINUTES_FOR_TECHNIQUE = 10

_DECAY = 0.1542
_FACTOR = 0.9 ** (-1 / _DECAY) - 1
_STABILITY_OF_A_MISS = 0.212
"""FSRS-6: the stability, in days, of what was missed when it was first asked."""
_FAMILIARITY = 0.26
_DEVIATION = 0.125
"""The standard deviation of scores of a full paper as a share of its marks."""
_PRIOR_ANSWERS = 10
_Z_90 = 1.6448536269514722


class Kind(StrEnum):
    """The kinds of actions."""

    REVISE = "revise"
    PRACTICE = "practice"
    TEST = "test"
    CHAPTER = "chapter"
    TECHNIQUE = "technique"


MAX_ACTIONS = 10
MAX_PER_KIND: Mapping[Kind, int] = {
    Kind.REVISE: 1,
    Kind.PRACTICE: 3,
    Kind.CHAPTER: 3,
    Kind.TEST: 2,
    Kind.TECHNIQUE: 2,
}


class Ground(StrEnum):
    """Why an action is recommended."""

    DUE = "due"
    """Questions that were missed or lucky are about to be forgotten."""
    WEAK_SUBJECT = "weak_subject"
    """The subject is proven to be weaker than the others."""
    HEAVY_SUBJECT = "heavy_subject"
    """The subject has room for marks; that it is weaker than others is not proven."""
    NEW_SUBJECT = "new_subject"
    WEAK_CHAPTER = "weak_chapter"
    LOW_CHAPTER = "low_chapter"
    """Fewer right answers than in the rest of the subject, which may still be chance."""
    NEW_CHAPTER = "new_chapter"
    FIRST_TEST = "first_test"
    NEXT_TEST = "next_test"
    BLIND_GUESSES = "blind_guesses"
    """Answers that the candidate calls guesses lose marks."""
    FIFTY_FIFTIES = "fifty_fifties"
    """Doubtful answers gain marks, and many questions stay blank."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 90 % interval, and the number of answers behind it."""

    value: float
    low: float
    high: float
    n: int


NOTHING_KNOWN = Estimate(0.5, 0.16, 0.84, 0)
"""The share of right answers of somebody of whom nothing is known."""


@dataclass(frozen=True, slots=True)
class SubjectOrChapter:
    """A subject, or a chapter of it."""

    id: UUID
    subject_id: UUID
    questions: float
    """How many questions of it a full paper has, on average: its weight in the syllabus."""
    share: Estimate
    """The share of right answers to be expected."""
    offered: int
    """How many questions of it the candidate may practise."""


@dataclass(frozen=True, slots=True)
class DueCard:
    """A question that is due for revision, with its stability in days now and after a revision."""

    question_id: UUID
    subject_id: UUID
    days: float
    """Since it was answered last."""
    stability: float
    if_right: float
    if_wrong: float


@dataclass(frozen=True, slots=True)
class OfferedTest:
    """A test that the candidate may take and has not taken."""

    id: UUID
    version: int
    minutes: int
    questions: Mapping[UUID, int]
    """By subject."""
    is_full: bool


@dataclass(frozen=True, slots=True)
class Technique:
    """A habit of answering whose change gains marks in each full paper."""

    ground: Ground
    marks: Estimate
    share: Estimate
    """The share of right answers among those that the habit concerns."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a candidate, and what is on offer."""

    subjects: Sequence[SubjectOrChapter] = ()
    chapters: Sequence[SubjectOrChapter] = ()
    cards: Sequence[DueCard] = ()
    tests: Sequence[OfferedTest] = ()
    techniques: Sequence[Technique] = ()
    tests_taken: int = 0
    """Full tests."""
    right: float = 2.0
    """Marks of a right answer."""
    wrong: float = -2 / 3
    wrong_share: float = 0.7
    """How many of the questions that are not right are answered wrongly, not left blank."""
    answers: int = 0

    @property
    def swing(self) -> float:
        """The marks between a question that is missed and one that is right."""
        return self.right - self.wrong * self.wrong_share

    @property
    def paper_questions(self) -> float:
        """How many questions a full paper has."""
        return sum(subject.questions for subject in self.subjects)


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do next. `target` is what it concerns, None for the revision of all subjects."""

    kind: Kind
    ground: Ground
    target: UUID | None
    gain: Estimate
    """Marks in the next full paper."""
    minutes: int
    evidence: int
    """Counts what the action rests on; it grows when there is something new (see `again_after`)."""
    again_after: int
    """By how much `evidence` must grow until an action that was dismissed is recommended again."""
    questions: Sequence[UUID] = ()
    """Of a revision: those with the largest gain first."""
    count: int = 0
    share: Estimate | None = field(default=None)
    weight: float = 0.0
    """The questions of the subject in a full paper."""

    @property
    def is_stated(self) -> bool:
        """Whether there is enough behind the gain to state it."""
        return self.gain.n >= MIN_ANSWERS

    @property
    def per_minute(self) -> float:
        return self.gain.value / self.minutes


def retention(stability: float, days: float) -> float:
    """Return the probability that something is remembered after some days."""
    return float((1 + _FACTOR * max(days, 0.0) / stability) ** -_DECAY)


def chapter_share(right: float, seen: int, subject: Estimate) -> Estimate:
    """Return the share of right answers in a chapter, drawn to that of its subject by few answers.

    `right` may count a blank as the share that a blind guess earns.
    """
    weight = seen + _PRIOR_ANSWERS
    value = (right + _PRIOR_ANSWERS * subject.value) / weight
    error = _Z_90 * sqrt(max(value * (1 - value), 0.01) / (weight + 1))
    return Estimate(value, max(value - error, 0.0), min(value + error, 1.0), seen)


def rank(
    situation: Situation, today: int = 0, is_unwanted: Callable[[Action], bool] | None = None
) -> list[Action]:
    """Return the actions with the largest gain per minute first, without unwanted ones.

    `today` is the number of the day, by which a dismissed revision comes back.
    """
    actions = [
        *_revision(situation, today),
        *(_practice(situation, subject) for subject in situation.subjects if subject.offered),
        *_chapters(situation),
        *(_test(situation, test) for test in situation.tests),
        *(_technique(situation, technique) for technique in situation.techniques),
    ]
    worthwhile = [
        action for action in actions if action.gain.value > 0 and not (is_unwanted and is_unwanted(action))
    ]
    ordered = sorted(worthwhile, key=lambda action: (-action.per_minute, action.kind, str(action.target)))
    return list(_not_too_many(ordered))


def _not_too_many(ordered: Iterable[Action]) -> Iterable[Action]:
    """The best of each kind."""
    taken: Counter[Kind] = Counter()
    for action in ordered:
        if taken.total() < MAX_ACTIONS and taken[action.kind] < MAX_PER_KIND[action.kind]:
            taken[action.kind] += 1
            yield action


def _value_of_a_fact(situation: Situation, questions: float) -> float:
    """The marks that one more thing known gains in a paper with so many questions of its subject."""
    return situation.swing * questions / FACTS


def _learning(situation: Situation, weight: float, share: Estimate, count: float) -> Estimate:
    """The gain of answering new questions and reading the explanations of those that were missed."""
    each = count * _value_of_a_fact(situation, weight) * retention(_STABILITY_OF_A_MISS, HORIZON_DAYS)
    return Estimate(each * (1 - share.value), each * (1 - share.high), each * (1 - share.low), share.n)


def _minutes(count: float, share: Estimate) -> int:
    return ceil(count * (MINUTES_TO_ANSWER + MINUTES_TO_LEARN * (1 - share.value)))


def _revision(situation: Situation, today: int) -> Iterable[Action]:
    """One session over what is due, in all subjects."""
    weights = {subject.id: subject.questions for subject in situation.subjects}
    gains = {
        card.question_id: _value_of_a_fact(situation, weights.get(card.subject_id, 0.0)) * _remembered(card)
        for card in situation.cards
    }
    best = sorted(gains, key=lambda question_id: (-gains[question_id], question_id))[:SESSION_QUESTIONS]
    if not best:
        return
    gain = sum(gains[question_id] for question_id in best)
    yield Action(
        kind=Kind.REVISE,
        ground=Ground.DUE,
        target=None,
        # What is uncertain is memory: half and one and a half times the forecast.
        gain=Estimate(gain, gain / 2, gain * 1.5, max(situation.answers, len(best))),
        minutes=ceil(len(best) * MINUTES_TO_REVISE),
        evidence=today,
        again_after=1,
        questions=best,
        count=len(situation.cards),
    )


def _remembered(card: DueCard) -> float:
    """By how much a revision now raises the probability that the question is known at the horizon."""
    now = retention(card.stability, card.days)
    revised = now * retention(card.if_right, HORIZON_DAYS) + (1 - now) * retention(
        card.if_wrong, HORIZON_DAYS
    )
    return max(revised - retention(card.stability, card.days + HORIZON_DAYS), 0.0)


def _practice(situation: Situation, subject: SubjectOrChapter) -> Action:
    return _session(situation, Kind.PRACTICE, _ground_of_subject(situation, subject), subject, subject)


def _ground_of_subject(situation: Situation, subject: SubjectOrChapter) -> Ground:
    if subject.share.n < MIN_ANSWERS:
        return Ground.NEW_SUBJECT
    others = [each for each in situation.subjects if each.id != subject.id and each.share.n]
    answers = sum(each.share.n for each in others)
    mean = sum(each.share.value * each.share.n for each in others) / answers if answers else 0.0
    return Ground.WEAK_SUBJECT if subject.share.high < mean else Ground.HEAVY_SUBJECT


def _chapters(situation: Situation) -> Iterable[Action]:
    """Chapters that are weaker than their subject, and untouched ones of a subject that is not."""
    subjects = {subject.id: subject for subject in situation.subjects}
    for chapter in situation.chapters:
        subject = subjects.get(chapter.subject_id)
        if subject is None or not chapter.offered:
            continue
        ground = _ground_of_chapter(chapter, subject)
        if ground is not None:
            yield _session(situation, Kind.CHAPTER, ground, chapter, subject)


def _ground_of_chapter(chapter: SubjectOrChapter, subject: SubjectOrChapter) -> Ground | None:
    if chapter.share.n == 0:
        return Ground.NEW_CHAPTER if subject.share.n >= 2 * MIN_ANSWERS else None
    if chapter.share.n < MIN_ANSWERS or chapter.share.value >= subject.share.value:
        return None
    return Ground.WEAK_CHAPTER if chapter.share.high < subject.share.value else Ground.LOW_CHAPTER


def _session(
    situation: Situation, kind: Kind, ground: Ground, chosen: SubjectOrChapter, subject: SubjectOrChapter
) -> Action:
    """A session of new questions of a subject or chapter."""
    count = min(SESSION_QUESTIONS, chosen.offered)
    return Action(
        kind=kind,
        ground=ground,
        target=chosen.id,
        gain=_learning(situation, subject.questions, chosen.share, count),
        minutes=_minutes(count, chosen.share),
        evidence=chosen.share.n,
        again_after=SESSION_QUESTIONS,
        count=count,
        share=chosen.share,
        weight=chosen.questions,
    )


def _test(situation: Situation, test: OfferedTest) -> Action:
    subjects = {subject.id: subject for subject in situation.subjects}
    known = [(subjects[each], count) for each, count in test.questions.items() if each in subjects]
    parts = [_learning(situation, subject.questions, subject.share, count) for subject, count in known]
    missed = sum(count * (1 - subject.share.value) for subject, count in known)
    familiarity = _familiarity(situation) if test.is_full else 0.0
    return Action(
        kind=Kind.TEST,
        ground=Ground.FIRST_TEST if situation.tests_taken == 0 else Ground.NEXT_TEST,
        target=test.id,
        gain=Estimate(
            sum(part.value for part in parts) + familiarity,
            sum(part.low for part in parts) + familiarity / 2,
            sum(part.high for part in parts) + familiarity * 1.5,
            situation.answers,
        ),
        minutes=max(ceil(test.minutes + MINUTES_TO_LEARN * missed), 1),
        evidence=test.version,
        again_after=1,
        count=sum(test.questions.values()),
    )


def _familiarity(situation: Situation) -> float:
    """The marks that one more full test gains because the format becomes familiar."""
    deviation = _DEVIATION * situation.paper_questions * situation.right
    return float(_FAMILIARITY * deviation / (1 + situation.tests_taken) ** 2)


def _technique(situation: Situation, technique: Technique) -> Action:
    return Action(
        kind=Kind.TECHNIQUE,
        ground=technique.ground,
        target=None,
        gain=technique.marks,
        minutes=MINUTES_FOR_TECHNIQUE,
        evidence=situation.answers,
        again_after=100,
        count=technique.share.n,
        share=technique.share,
    )
