"""Checks of the messages that sockets received: each once, in one order, and to the right candidates."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

COMMON = frozenset({"announcement", "paper_opened", "paper_closed", "results_released"})
OWN = frozenset({"extended", "paused", "resumed", "force_submitted", "attempt_changed"})
COUNTED = OWN - {"attempt_changed"}
_CONNECTING = timedelta(seconds=2)
_SUBJECTS = ("announcement_id", "attempt_id", "paper_id", "exam_id")

Subject = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message with its type and the id of what it is about."""

    id: str
    type: str
    at: str
    about: str

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> "ReceivedMessage":
        """A message as it was received."""
        data = message["data"]
        about = next((str(data[name]) for name in _SUBJECTS if data.get(name)), "")
        return cls(message["id"], message["type"], message["at"], about)

    @property
    def subject(self) -> Subject:
        return self.type, self.about


@dataclass
class MessageLog:
    """All messages that one client received over all its connections."""

    received: list[ReceivedMessage] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    began_at: datetime | None = None
    """When the first connection was opened, by the server's clock."""
    _known: set[tuple[str, str, str]] = field(default_factory=set)
    _ids: set[str] = field(default_factory=set)
    _may_repeat: bool = False

    def begin_connection(self, at: datetime, *, gap: bool) -> None:
        """Note a new connection. After a gap the server repeats messages, possibly under new ids."""
        self.began_at = self.began_at or at
        self._may_repeat = gap

    def add(self, message: Mapping[str, Any]) -> bool:
        """Add a message. Returns False for a known message that the server repeats after a gap."""
        received = ReceivedMessage.of(message)
        known = received.id in self._ids or (received.at, *received.subject) in self._known
        if known and self._may_repeat:
            return False
        if known:
            self.problems.append(f"{received.type} was received twice under id {received.id}")
        self._ids.add(received.id)
        self._known.add((received.at, *received.subject))
        self.received.append(received)
        return True


@dataclass(frozen=True, slots=True)
class OwnMessages:
    """The messages about one candidate's attempts: those that must come, and those that may come."""

    attempt_ids: frozenset[str] = frozenset()
    required: Counter[Subject] = field(default_factory=Counter)
    optional: Counter[Subject] = field(default_factory=Counter)
    """Additional messages of actions that came at the same time as the attempt's start or end."""


def mismatches(
    logs: Mapping[int, MessageLog],
    common: Mapping[Subject, datetime | None],
    own: Mapping[int, OwnMessages],
) -> list[str]:
    """What each candidate did not receive, or should not have received, one sentence each.

    `common` are the messages for everybody, with the time of those that may have been sent before a candidate
    connected; `own` are the messages by candidate.
    """
    order = _usual_order(logs, common)
    found = []
    for number, log in sorted(logs.items()):
        wrong = [
            *log.problems,
            *_common_mismatches(log, common, order),
            *_own_mismatches(log, own.get(number, OwnMessages())),
        ]
        found += [f"Candidate {number}: socket: {sentence}" for sentence in wrong]
    return found


def _usual_order(
    logs: Mapping[int, MessageLog], common: Mapping[Subject, datetime | None]
) -> Mapping[Subject, int]:
    """The positions of messages in the most frequent order among the longest ones."""
    orders = Counter(_common(log) for log in logs.values())
    known = [order for order in orders if set(order) <= common.keys()]
    best = max(known, key=lambda order: (len(set(order)), orders[order]), default=())
    return {subject: position for position, subject in enumerate(best)}


def _common(log: MessageLog) -> tuple[Subject, ...]:
    return tuple(message.subject for message in log.received if message.type in COMMON)


def _common_mismatches(
    log: MessageLog, common: Mapping[Subject, datetime | None], order: Mapping[Subject, int]
) -> Iterator[str]:
    received = _common(log)
    counts = Counter(received)
    for subject, sent_at in sorted(common.items(), key=lambda item: item[0]):
        if not counts[subject] and not _was_sent_before(log, sent_at):
            yield f"{subject[0]} was not received"
    for subject, count in sorted(counts.items()):
        if count > (subject in common):
            yield f"{subject[0]} was received {count} times"
    positions = [order[subject] for subject in received if subject in order]
    if positions != sorted(positions):
        yield "messages came in another order than to others"


def _was_sent_before(log: MessageLog, sent_at: datetime | None) -> bool:
    """Whether a message was sent before the candidate connected, or while they were connecting."""
    return sent_at is not None and (log.began_at is None or sent_at < log.began_at + _CONNECTING)


def _own_mismatches(log: MessageLog, own: OwnMessages) -> Iterator[str]:
    messages = [message for message in log.received if message.type in OWN]
    for message in messages:
        if message.about not in own.attempt_ids:
            yield f"{message.type} is about somebody else's attempt {message.about}"
    counts = Counter(
        message.subject
        for message in messages
        if message.type in COUNTED and message.about in own.attempt_ids
    )
    for subject, count in sorted((own.required - counts).items()):
        yield f"{count} × {subject[0]} about their attempt was not received"
    for subject, count in sorted((counts - own.required - own.optional).items()):
        yield f"{count} × {subject[0]} about their attempt was received too often"
