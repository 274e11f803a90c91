"""The response log as a pure fold: which answer stands, and what becomes of one that comes in.

Reports of saves are computed with it. The tests compare the SAVE statement with it.
A log holds the events of one attempt, in any order. Events that are kept as late are no part of it until
they are admitted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from app.engine.answers import Answer


@dataclass(frozen=True)
class Event:
    """One save of one question. Its content is every field after `revision`, compared as given."""

    question_id: UUID
    lease: int
    revision: int
    answer: Answer | None
    marked_for_review: bool = False
    time_spent_ms: int | None = None
    confidence: str | None = None
    language: str | None = None

    @property
    def order(self) -> tuple[int, int]:
        """The later lease wins, within a lease the later revision."""
        return self.lease, self.revision


@dataclass(frozen=True)
class Saved:
    """New to the log, and it stands."""


@dataclass(frozen=True)
class Known:
    """In the log already, with the same content; it may since have been superseded."""


@dataclass(frozen=True)
class Superseded:
    """New to the log, which keeps it, but `standing` is later."""

    standing: Event


@dataclass(frozen=True)
class Conflicting:
    """The log has this lease and revision with another content, and keeps that; `standing` is what counts."""

    standing: Event


@dataclass(frozen=True)
class NotTaken:
    """New to the log of answers in time, which does not take it.

    The section is closed, the time is over, or the log is full. A late answer may be kept as late.
    """


Verdict = Saved | Known | Superseded | Conflicting | NotTaken


def standing_answers(events: Iterable[Event]) -> dict[UUID, Event]:
    """What stands for each question: the event of the highest (lease, revision), even a cleared one.

    Only tests call it: the reference for the statement in `repositories/attempts/standing.py`.
    """
    standing: dict[UUID, Event] = {}
    for event in events:
        current = standing.get(event.question_id)
        if current is None or event.order > current.order:
            standing[event.question_id] = event
    return standing


def classify(log: Iterable[Event], incoming: Event, *, takes_new: bool = True) -> Verdict:
    """The outcome of a response that comes in (docs/decisions/0012, docs/decisions/0052).

    The responses of one request are taken in the order sent, each against the log with those before it:
    `Saved` and `Superseded` join the log, the other outcomes change nothing. `takes_new` is false if nothing
    new may be stored: the section is closed, the attempt takes no answers, or the log is full. What is in the
    log is still known or a conflict.
    """
    same_question = [event for event in log if event.question_id == incoming.question_id]
    recorded = next((event for event in same_question if event.order == incoming.order), None)
    if recorded == incoming:
        return Known()
    latest = max(same_question, key=lambda event: event.order, default=incoming)
    if recorded is not None:
        return Conflicting(latest)
    if not takes_new:
        return NotTaken()
    return Saved() if incoming.order >= latest.order else Superseded(latest)


def count_changes(answers: Sequence[Answer | None]) -> int:
    """How often the answer to a question changed, from what was saved in the order of lease and revision.

    The first answer is no change. From then on each save of another answer is one, and so is clearing the
    answer. A save of the same answer, for example with another flag, is none. Devices may send only the
    newest revision of a question, so that this is the least number of changes. The order of marked options
    does not matter.
    """
    distinct = [answer for answer, _ in groupby(map(_unordered, answers))]
    given = distinct[1:] if distinct and distinct[0] is None else distinct
    return max(len(given) - 1, 0)


def _unordered(answer: Answer | None) -> Answer | None:
    """The same answer for the same options, in whatever order they were marked."""
    return tuple(sorted(answer)) if isinstance(answer, tuple) else answer  # type: ignore[return-value]
