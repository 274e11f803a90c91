"""What each candidate means to do, made from the seed: answers, changes of mind, devices, an ending."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from random import Random

from rehearsal.questions import LANGUAGES, Question

Answer = tuple[str, ...] | str | None

_LAST_SYNC = 0.75
"""Which share of the time is over when every queue has been sent. The rest is for what goes wrong."""


class Ending(Enum):
    """How a sitting ends."""

    SUBMIT = "submits"
    SUBMIT_TWICE = "submits twice at once"
    SUBMIT_WHILE_SAVING = "submits while the last answers are being saved"
    NEVER = "never submits; the clock does"


@dataclass(frozen=True, slots=True)
class Touch:
    """One thing done to one question: answered, changed, cleared or marked for review."""

    question: int
    answer: Answer
    marked_for_review: bool
    confidence: str | None
    language: str | None
    revision: int = 0
    time_spent_ms: int = 0


@dataclass(frozen=True, slots=True)
class Sync:
    """What a device sends at a moment, as a share of the test's time; after hours offline that is much."""

    at: float
    touches: Sequence[Touch]


@dataclass(frozen=True, slots=True)
class Term:
    """One device's time with the attempt: it starts, gets a lease, and syncs what is done on it."""

    opens_at: float
    syncs: Sequence[Sync]
    by_attempt_token: bool

    @property
    def touches(self) -> list[Touch]:
        return [touch for sync in self.syncs for touch in sync.touches]


@dataclass(frozen=True, slots=True)
class Plan:
    """A candidate's whole sitting. `late` is sent by the last device when it cannot count any more."""

    number: int
    terms: Sequence[Term]
    ending: Ending
    late: Sequence[Touch]

    def meant(self) -> dict[int, Answer]:
        """What is to stand for each question in the end: a later device wins, on a device the later touch."""
        return {touch.question: touch.answer for term in self.terms for touch in term.touches}

    @property
    def touch_count(self) -> int:
        return sum(len(term.touches) for term in self.terms)


def plan(seed: int, number: int, questions: Sequence[Question], devices: int) -> Plan:
    """The same candidate does the same for the same seed."""
    rng = Random(f"plan {seed} {number}")  # noqa: S311 -- repeatable on purpose
    ability = rng.uniform(0.3, 0.9)
    count = rng.randint(2, devices) if devices > 1 and rng.random() < 0.4 else 1
    parts = _divided(rng, list(_touches(rng, questions, ability)), count)
    late = [_touch(rng, questions, rng.randrange(len(questions)), ability) for _ in range(3)]
    *earlier, last = parts
    *last, first_late, second_late, third_late = _counted(rng, [*last, *late])
    terms = [
        _term(rng, part, number / count, (number + 1) / count)
        for number, part in enumerate([*(_counted(rng, part) for part in earlier), last])
    ]
    ending = rng.choices(list(Ending), weights=[40, 15, 15, 30])[0]
    return Plan(number, terms, ending, [first_late, second_late, third_late])


def _touches(rng: Random, questions: Sequence[Question], ability: float) -> Iterator[Touch]:
    """Through the paper in an order of one's own, then twice over what invites second thoughts."""
    diligence = rng.uniform(0.7, 1)
    order = rng.sample(range(len(questions)), len(questions))
    visited = order[: max(1, round(diligence * len(questions)))]
    for share in (1, 0.4, 0.15):
        for question in rng.sample(visited, round(share * len(visited))):
            yield _touch(rng, questions, question, ability)


def _touch(rng: Random, questions: Sequence[Question], place: int, ability: float) -> Touch:
    blank = rng.random() < 0.1
    return Touch(
        question=place,
        answer=None if blank else _answer(rng, questions[place], ability),
        marked_for_review=rng.random() < 0.2,
        confidence=rng.choice([None, "sure", "doubtful", "guess"]),
        language=rng.choice([None, *LANGUAGES]),
    )


def _answer(rng: Random, question: Question, ability: float) -> Answer:
    knows = rng.random() < ability
    if question.type == "numeric":
        return _number(rng, Fraction(question.key) if knows else Fraction(rng.randint(-900, 900), 7))
    if knows and not question.is_dropped:
        return (
            (question.key,)
            if question.type == "true_false"
            else tuple(rng.sample(question.key, len(question.key)))
        )
    # More options than one are an answer to every type, and to a single choice a wrong one.
    many = question.type == "multiple_choice" or rng.random() < 0.05
    return tuple(rng.sample(question.options, rng.randint(1, len(question.options)) if many else 1))


def _number(rng: Random, value: Fraction) -> str:
    """The number as somebody may type it."""
    return rng.choice(
        [f"{value.numerator}/{value.denominator}", f"{float(value):.4f}", f"{float(value):+.3f}"]
    )


def _divided(rng: Random, touches: Sequence[Touch], devices: int) -> list[list[Touch]]:
    """Each device has a part of what is done; a later one also thinks again about what the one before had."""
    borders = [round(len(touches) * part / devices) for part in range(devices + 1)]
    parts = [list(touches[first:end]) for first, end in pairwise(borders)]
    for before, after in pairwise(parts):
        again = rng.sample(before, len(before) // 4)
        after[:0] = [replace(touch, answer=None, marked_for_review=True) for touch in again]
    return parts


def _counted(rng: Random, touches: Sequence[Touch]) -> list[Touch]:
    """With the revisions and the growing time of one device."""
    revisions: dict[int, int] = {}
    spent: dict[int, int] = {}
    counted = []
    for touch in touches:
        question = touch.question
        revisions[question] = revisions.get(question, 0) + 1
        spent[question] = spent.get(question, 0) + rng.randint(2_000, 90_000)
        counted.append(replace(touch, revision=revisions[question], time_spent_ms=spent[question]))
    return counted


def _term(rng: Random, touches: Sequence[Touch], opens: float, ends: float) -> Term:
    """A device that syncs as it goes; now and then it loses the network, and comes back when it can."""
    opens_at, ends_at = opens * _LAST_SYNC, ends * _LAST_SYNC
    batches = list(_batches(rng, touches))
    offline_from = rng.randrange(len(batches)) if rng.random() < 0.35 else len(batches)
    online, offline = batches[:offline_from], batches[offline_from:]
    moments = sorted(rng.uniform(opens_at, ends_at) for _ in online)
    syncs = [Sync(at, batch) for at, batch in zip(moments, online, strict=True)]
    if offline:
        queue = [touch for batch in offline for touch in batch]
        syncs.append(Sync(rng.uniform(ends_at, _LAST_SYNC), queue))
    return Term(opens_at, syncs, by_attempt_token=rng.random() < 0.7)


def _batches(rng: Random, touches: Sequence[Touch]) -> Iterator[Sequence[Touch]]:
    """About eight of them, which is as often as an app syncs in a real exam."""
    first = 0
    while first < len(touches):
        end = first + rng.randint(1, max(2, len(touches) // 4))
        yield touches[first:end]
        first = end
