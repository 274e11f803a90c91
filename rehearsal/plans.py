"""What each candidate will do, derived from the seed: answers, changes, devices, and an ending."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from random import Random

from rehearsal.questions import LANGUAGES, Question

Answer = tuple[str, ...] | str | None

_LAST_SYNC = 0.75
"""Every response is sent before this share of the time, which leaves the rest for retries."""


class Ending(Enum):
    """How an attempt ends."""

    SUBMIT = "submits"
    SUBMIT_TWICE = "submits twice at once"
    SUBMIT_WHILE_SAVING = "submits while the last answers are being saved"
    NEVER = "does not submit; the attempt ends at its deadline"


@dataclass(frozen=True, slots=True)
class Edit:
    """One change to one question: answered, changed, cleared or marked for review."""

    question: int
    answer: Answer
    marked_for_review: bool
    confidence: str | None
    language: str | None
    revision: int = 0
    time_spent_ms: int = 0


@dataclass(frozen=True, slots=True)
class Sync:
    """The edits that a device sends at a time, given as a share of the test's time."""

    at: float
    edits: Sequence[Edit]


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """What one device does: it starts the attempt at `opens_at`, and sends its edits in several syncs."""

    opens_at: float
    syncs: Sequence[Sync]
    by_attempt_token: bool

    @property
    def edits(self) -> list[Edit]:
        return [edit for sync in self.syncs for edit in sync.edits]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a candidate does. The last device sends `late` after the attempt has ended."""

    number: int
    device_plans: Sequence[DevicePlan]
    ending: Ending
    late: Sequence[Edit]

    def intended_answers(self) -> dict[int, Answer]:
        """The final answer to each question: a later device wins; on one device, the later edit wins."""
        return {edit.question: edit.answer for device_plan in self.device_plans for edit in device_plan.edits}

    @property
    def edit_count(self) -> int:
        return sum(len(device_plan.edits) for device_plan in self.device_plans)


def make_plan(seed: int, number: int, questions: Sequence[Question], devices: int) -> Plan:
    """The plan of a candidate, equal for equal seeds."""
    rng = Random(f"plan {seed} {number}")  # noqa: S311 -- repeatable on purpose
    ability = rng.uniform(0.3, 0.9)
    count = rng.randint(2, devices) if devices > 1 and rng.random() < 0.4 else 1
    scenarios = _divide(rng, list(_edits(rng, questions, ability)), count)
    late = [_edit(rng, questions, rng.randrange(len(questions)), ability) for _ in range(3)]
    *earlier, last = scenarios
    *last, first_late, second_late, third_late = _with_revisions(rng, [*last, *late])
    device_plans = [
        _device_plan(rng, scenario, number / count, (number + 1) / count)
        for number, scenario in enumerate([*(_with_revisions(rng, scenario) for scenario in earlier), last])
    ]
    ending = rng.choices(list(Ending), weights=[40, 15, 15, 30])[0]
    return Plan(number, device_plans, ending, [first_late, second_late, third_late])


def _edits(rng: Random, questions: Sequence[Question], ability: float) -> Iterator[Edit]:
    """Visit questions in a random order, then some of them a second and a third time."""
    share_visited = rng.uniform(0.7, 1)
    order = rng.sample(range(len(questions)), len(questions))
    visited = order[: max(1, round(share_visited * len(questions)))]
    for share in (1, 0.4, 0.15):
        for question in rng.sample(visited, round(share * len(visited))):
            yield _edit(rng, questions, question, ability)


def _edit(rng: Random, questions: Sequence[Question], place: int, ability: float) -> Edit:
    blank = rng.random() < 0.1
    return Edit(
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
    # Several options are accepted by every type; for a single choice they are wrong.
    many = question.type == "multiple_choice" or rng.random() < 0.05
    return tuple(rng.sample(question.options, rng.randint(1, len(question.options)) if many else 1))


def _number(rng: Random, value: Fraction) -> str:
    """The number in one of several notations."""
    return rng.choice(
        [f"{value.numerator}/{value.denominator}", f"{float(value):.4f}", f"{float(value):+.3f}"]
    )


def _divide(rng: Random, edits: Sequence[Edit], devices: int) -> list[list[Edit]]:
    """Divide the edits among the devices. A later device also clears some answers of the one before."""
    borders = [round(len(edits) * scenario / devices) for scenario in range(devices + 1)]
    scenarios = [list(edits[first:end]) for first, end in pairwise(borders)]
    for before, after in pairwise(scenarios):
        again = rng.sample(before, len(before) // 4)
        after[:0] = [replace(edit, answer=None, marked_for_review=True) for edit in again]
    return scenarios


def _with_revisions(rng: Random, edits: Sequence[Edit]) -> list[Edit]:
    """Number the edits of one device with revisions, and add the growing time spent."""
    revisions: dict[int, int] = {}
    spent: dict[int, int] = {}
    counted = []
    for edit in edits:
        question = edit.question
        revisions[question] = revisions.get(question, 0) + 1
        spent[question] = spent.get(question, 0) + rng.randint(2_000, 90_000)
        counted.append(replace(edit, revision=revisions[question], time_spent_ms=spent[question]))
    return counted


def _device_plan(rng: Random, edits: Sequence[Edit], opens: float, ends: float) -> DevicePlan:
    """A device that sends edits as they are made; it may go offline and send the rest later."""
    opens_at, ends_at = opens * _LAST_SYNC, ends * _LAST_SYNC
    batches = list(_batches(rng, edits))
    offline_from = rng.randrange(len(batches)) if rng.random() < 0.35 else len(batches)
    online, offline = batches[:offline_from], batches[offline_from:]
    moments = sorted(rng.uniform(opens_at, ends_at) for _ in online)
    syncs = [Sync(at, batch) for at, batch in zip(moments, online, strict=True)]
    if offline:
        queue = [edit for batch in offline for edit in batch]
        syncs.append(Sync(rng.uniform(ends_at, _LAST_SYNC), queue))
    return DevicePlan(opens_at, syncs, by_attempt_token=rng.random() < 0.7)


def _batches(rng: Random, edits: Sequence[Edit]) -> Iterator[Sequence[Edit]]:
    """Divide the edits into about eight batches, as often as an app saves in a real exam."""
    first = 0
    while first < len(edits):
        end = first + rng.randint(1, max(2, len(edits) // 4))
        yield edits[first:end]
        first = end
