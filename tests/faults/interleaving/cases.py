"""A case: an exam's state, two calls at it, and how they interleave, all drawn from one seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tests.faults.interleaving.world import DURATION_SECONDS, NOW

CALLS = (
    "start",
    "save",
    "submit",
    "pause",
    "resume",
    "extend",
    "void",
    "reopen",
    "admit-late",
    "cancel",
    "close",
    "publish",
    "release",
    "end",
    "register",
    "accommodate",
    "postpone",
    "sweep",
    "grade",
)
ISSUE_CALLS = CALLS[:13]
"""Those that the suite runs in every pair."""

STEERING = ("pause", "resume", "extend", "void", "reopen", "admit-late", "end")
GRACE = timedelta(seconds=10)
SECOND = timedelta(seconds=1)

Kind = Literal[
    "none",
    "running",
    "overdue",
    "paused",
    "submitted",
    "ended",
    "stopped",
    "void",
    "void-ended",
    "practicing",
    "practiced",
]
"""An attempt's state at first: `ended` by the clock, `stopped` by staff, `void-ended` first ended.

Who practices does so after the release: such an attempt is graded in the request that submits it.
"""

STARTS_FROM: dict[str, tuple[Kind, ...]] = {
    "start": ("none", "none", "running", "paused", "overdue", "practicing"),
    "register": ("none",),
    "save": ("running", "running", "overdue", "ended", "paused", "practicing"),
    "submit": ("running", "running", "overdue", "paused", "practicing", "practicing"),
    "pause": ("running", "running", "paused"),
    "resume": ("paused", "paused", "running"),
    "extend": ("running", "overdue", "ended", "paused"),
    "end": ("running", "paused", "overdue"),
    "void": ("running", "submitted", "ended", "paused"),
    "reopen": ("submitted", "ended", "stopped", "void", "void-ended"),
    "admit-late": ("ended", "submitted", "overdue"),
    "accommodate": ("none", "running", "ended", "paused"),
    "postpone": ("none",),
    "cancel": ("none", "running", "submitted", "paused"),
    "close": ("none", "running", "paused"),
    "publish": ("none",),
    "release": ("none", "submitted", "ended", "overdue"),
    "sweep": ("overdue", "overdue", "practicing"),
    "grade": ("submitted", "ended", "stopped", "practiced"),
}
ENDED: tuple[Kind, ...] = ("submitted", "ended", "stopped")
PRACTICE: tuple[Kind, ...] = ("practicing", "practiced")
KINDS: tuple[Kind, ...] = ("none", "running", "overdue", "paused", *ENDED, "void", "void-ended", "practiced")


@dataclass(frozen=True)
class Answer:
    """One response: the question by its place, and an option or None for a cleared answer."""

    question: int
    revision: int
    option: str | None


@dataclass(frozen=True)
class Logged:
    """An answer that is in the log at first."""

    answer: Answer
    lease: int
    late: bool


@dataclass(frozen=True)
class AttemptState:
    """An attempt as it stands at first."""

    kind: Kind
    started_at: datetime
    deadline_at: datetime
    lease: int
    accommodation_seconds: int
    extension_seconds: int
    paused_at: datetime | None
    submitted_at: datetime | None
    closed_by: str | None
    log: tuple[Logged, ...]
    graded: bool

    @property
    def status(self) -> str:
        """Its status in the database."""
        plain = dict.fromkeys(("running", "overdue", "practicing"), "in_progress") | {"paused": "paused"}
        if self.kind.startswith("void"):
            return "void"
        return plain.get(self.kind, "submitted")

    @property
    def practice(self) -> bool:
        """Whether it was started after the release."""
        return self.kind in PRACTICE


@dataclass(frozen=True)
class ExamState:
    """The exam as it stands at first. `stage`: draft, published, cancelled or released."""

    stage: str
    pinned: int
    starts_at: datetime
    entry_closes_at: datetime
    ends_at: datetime
    closed_at: datetime | None
    registration: str
    registered: tuple[str, ...]
    grants: tuple[tuple[str, int], ...]
    second_paper: bool


@dataclass(frozen=True)
class Call:
    """One call with its arguments; `now` is its arrival."""

    name: str
    now: datetime
    person: str = "A"
    seconds: int = 0
    targets: tuple[str, ...] | Literal["all"] = "all"
    answers: tuple[Answer, ...] = ()
    lease: int = 1
    group: str | None = None


@dataclass(frozen=True)
class Case:
    """Everything that one interleaving is made of."""

    seed: int
    number: int
    exam: ExamState
    attempts: dict[str, AttemptState]
    calls: tuple[Call, Call]
    switch: float
    prompt_worker: tuple[bool, bool]
    """Whether the jobs of a call that committed run at once, while the other call may be under way."""
    repeats: bool
    finishes: bool
    """Whether the clock then runs out, and the results are released."""
    lot: float
    """Below the share that is to be compared with serial orders, it is."""


def pairs(calls: Sequence[str] = CALLS) -> list[tuple[str, str]]:
    """Every unordered pair of calls, a call with itself too."""
    return [(one, two) for position, one in enumerate(calls) for two in calls[position:]]


def case_of(seed: int, number: int, pair: tuple[str, str] | None = None) -> Case:
    """The case with this number; by default the pairs take turns."""
    every = pairs()
    names = pair or every[number % len(every)]
    draw = random.Random(f"{seed}/{number}/{names}")
    kind = _kind(draw, names)
    exam = _exam(draw, names, kind)
    attempts = _attempts(draw, exam, kind)
    calls = _call(draw, names[0], attempts), _call(draw, names[1], attempts)
    return Case(
        seed=seed,
        number=number,
        exam=exam,
        attempts=attempts,
        calls=calls,
        switch=draw.choice((0.1, 0.3, 0.5, 0.8)),
        prompt_worker=(draw.random() < 0.4, draw.random() < 0.4),
        repeats=draw.random() < 0.2,
        finishes=draw.random() < 0.4,
        lot=draw.random(),
    )


def schedule_of(case: Case) -> random.Random:
    """What draws the order of statements."""
    return random.Random(f"schedule {case.seed}/{case.number}/{[call.name for call in case.calls]}")


def _kind(draw: random.Random, names: tuple[str, str]) -> Kind:
    """The state of A's attempt: mostly one that a call can do something with."""
    if draw.random() < 0.1:
        return draw.choice(KINDS)
    if "publish" in names and draw.random() < 0.8:
        return "none"
    return draw.choice(STARTS_FROM[draw.choice(names)])


def _exam(draw: random.Random, names: tuple[str, str], kind: Kind) -> ExamState:
    stage = "released" if kind in PRACTICE else "published"
    if kind == "none" and draw.random() < (0.4 if "publish" in names else 0.03):
        stage = "draft"
    elif kind not in PRACTICE and draw.random() < 0.04:
        stage = "cancelled"
    elif kind in ("none", *ENDED, "void-ended") and draw.random() < 0.05:
        stage = "released"
    starts_in, entry_in, ends_in = draw.choice(((-3000, 900, 2000), (-3000, 900, 900), (-3000, 2, 300)))
    closed_at = None
    if kind == "none" and draw.random() < (0.6 if "postpone" in names else 0.1):
        starts_in, entry_in, ends_in = draw.choice(((1, 900, 1500), (600, 1200, 1800)))
    elif draw.random() < 0.05:
        closed_at = NOW - draw.randrange(1, 50) * SECOND
    registered = [person for person in "BCD" if draw.random() < 0.8] + ["A"] * (
        kind not in ("none", *PRACTICE) or ("register" not in names and draw.random() < 0.8)
    )
    return ExamState(
        stage=stage,
        pinned=draw.choice((1, 1, 2)) if "publish" in names else 2,
        starts_at=NOW + starts_in * SECOND,
        entry_closes_at=NOW + entry_in * SECOND,
        ends_at=NOW + ends_in * SECOND,
        closed_at=closed_at,
        registration=draw.choice(("required", "open")),
        registered=tuple(registered),
        grants=draw.choice(((), (), (("all", 120),), (("A", 300),), (("all", 60), ("A", 30)))),
        second_paper=draw.random() < 0.3,
    )


def _attempts(draw: random.Random, exam: ExamState, kind: Kind) -> dict[str, AttemptState]:
    if exam.stage == "draft" or exam.starts_at > NOW:
        return {}
    kinds: dict[str, Kind] = {"A": kind}
    if "B" in exam.registered and kind != "none":
        kinds["B"] = draw.choice(("none", "running", "submitted", "ended"))
    if "C" in exam.registered and kind != "none":
        kinds["C"] = "submitted"
    if exam.stage == "cancelled":
        kinds = {person: "void" for person, each in kinds.items() if each != "none"}
    if exam.stage == "released":
        kinds = {person: each for person, each in kinds.items() if each not in ("running", "paused")}
    return {person: _attempt(draw, exam, person, each) for person, each in kinds.items() if each != "none"}


def _attempt(draw: random.Random, exam: ExamState, person: str, kind: Kind) -> AttemptState:
    extension = draw.choice((0, 0, 0, 90)) if kind not in PRACTICE else 0
    extra = extra_of(exam.grants, person) if kind not in PRACTICE else 0
    allowed = DURATION_SECONDS + extra + extension
    if kind in ("overdue", "ended", "void-ended", "practiced"):
        started = NOW - (allowed + draw.randrange(15, 200)) * SECOND
    elif draw.random() < 0.2:  # about as the time runs out
        started = NOW - (allowed + draw.randrange(-3, 11)) * SECOND
    else:
        started = NOW - draw.randrange(30, 400) * SECOND
    ends_at = exam.ends_at if kind not in PRACTICE else started + timedelta(days=1)
    deadline = deadline_of(started, ends_at, extra + extension)
    paused = NOW - draw.randrange(0, 25) * SECOND if kind == "paused" else None
    lease = draw.choice((1, 1, 2, 3))
    ended: dict[Kind, tuple[datetime, str]] = {
        "submitted": (min(NOW - draw.randrange(1, 20) * SECOND, deadline), "candidate"),
        "stopped": (min(NOW - draw.randrange(1, 20) * SECOND, deadline), "staff"),
        "void": (min(NOW - draw.randrange(1, 20) * SECOND, deadline), "staff"),
        "ended": (deadline, "deadline"),
        "void-ended": (deadline, "deadline"),
        "practiced": (deadline, "deadline"),
    }
    submitted_at, closed_by = ended.get(kind, (None, None))
    may_be_late = kind in ("ended", "overdue", "void-ended", "practiced")
    return AttemptState(
        kind=kind,
        started_at=started,
        deadline_at=deadline,
        lease=lease,
        accommodation_seconds=extra,
        extension_seconds=extension,
        paused_at=paused,
        submitted_at=submitted_at,
        closed_by=closed_by,
        log=_log(draw, lease, may_be_late=may_be_late),
        graded=kind in ENDED and (exam.stage == "released" or draw.random() < 0.6),
    )


def deadline_of(started_at: datetime, ends_at: datetime, extra_seconds: int) -> datetime:
    """The deadline as the documents state it: extra time goes beyond the end of the window."""
    return min(started_at + DURATION_SECONDS * SECOND, ends_at) + extra_seconds * SECOND


def extra_of(grants: Sequence[tuple[str, int]], person: str) -> int:
    """The extra time of a person: their own grant, else that of all."""
    granted = dict(grants)
    return granted.get(person, granted.get("all", 0))


def _log(draw: random.Random, lease: int, *, may_be_late: bool) -> tuple[Logged, ...]:
    """Some answers, each lease and revision of a question once."""
    found = {}
    for _ in range(draw.randrange(5)):
        late = may_be_late and draw.random() < 0.4
        logged = Logged(_answer(draw), draw.randint(1, lease), late)
        found[logged.answer.question, logged.lease, logged.answer.revision] = logged
    return tuple(found.values())


def _answer(draw: random.Random) -> Answer:
    return Answer(draw.randrange(4), draw.randint(1, 4), draw.choice(("a", "b", "c", "d", None)))


def _call(draw: random.Random, name: str, attempts: dict[str, AttemptState]) -> Call:
    now = NOW + timedelta(milliseconds=draw.randrange(3000))
    person = "B" if "B" in attempts and draw.random() < 0.1 else "A"
    if person not in attempts and attempts and name in ("save", "submit"):
        person = draw.choice(sorted(attempts))
    targets: tuple[str, ...] | Literal["all"] = "all"
    if "A" in attempts and draw.random() < 0.75:
        targets = ("A", "B") if "B" in attempts and draw.random() < 0.3 else ("A",)
        targets = tuple(draw.sample(targets, len(targets)))
    answers = {(each.question, each.revision): each for each in (_answer(draw), _answer(draw), _answer(draw))}
    lease = attempts[person].lease if person in attempts else 1
    if draw.random() < 0.2:
        lease = draw.choice((max(lease - 1, 1), lease + 1))
    return Call(
        name=name,
        now=now,
        person=person,
        seconds=_seconds(draw, name),
        targets=targets,
        answers=tuple(answers.values())[: draw.randint(1, 3)],
        lease=lease,
        group="all" if name == "accommodate" and draw.random() < 0.4 else None,
    )


def _seconds(draw: random.Random, name: str) -> int:
    if name == "reopen":
        return draw.choice((0, 60, 300))
    if name == "accommodate":
        return draw.choice((0, 30, 240, 600))
    if name in ("end", "close"):  # not 0: with those who have extra time or are paused
        return draw.choice((0, 1))
    return draw.choice((30, 300, 900)) if name in ("extend", "postpone") else 0
