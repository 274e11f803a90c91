"""What sockets told: everybody the same in the same order, each their own, nothing twice."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

COMMON = frozenset({"announcement", "paper_opened", "paper_closed", "results_released"})
OWN = frozenset({"extended", "paused", "resumed", "force_submitted", "attempt_changed"})
COUNTED = OWN - {"attempt_changed"}
_AT_ONCE = timedelta(seconds=2)
_SUBJECTS = ("announcement_id", "attempt_id", "paper_id", "exam_id")


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that is kept: its id, and what it is about."""

    id: str
    type: str
    at: str
    about: str

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> "Heard":
        """A message from the wire."""
        data = message["data"]
        about = next((str(data[name]) for name in _SUBJECTS if data.get(name)), "")
        return cls(message["id"], message["type"], message["at"], about)

    @property
    def subject(self) -> tuple[str, str]:
        return self.type, self.about


@dataclass
class Record:
    """All that one candidate's socket was told, over all its connections."""

    heard: list[Heard] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    began_at: datetime | None = None
    """When its first connection was greeted, by the server's clock."""
    _known: set[tuple[str, str, str]] = field(default_factory=set)
    _ids: set[str] = field(default_factory=set)
    _may_repeat: bool = False

    def begin(self, at: datetime, *, gap: bool) -> None:
        """A connection begins. After a gap the server repeats what it has, under ids that may be new."""
        self.began_at = self.began_at or at
        self._may_repeat = gap

    def take(self, message: Mapping[str, Any]) -> bool:
        """Keep a message; False for one that is known and was repeated with good reason."""
        heard = Heard.of(message)
        known = heard.id in self._ids or (heard.at, *heard.subject) in self._known
        if known and self._may_repeat:
            return False
        if known:
            self.problems.append(f"{heard.type} was told twice under id {heard.id}")
        self._ids.add(heard.id)
        self._known.add((heard.at, *heard.subject))
        self.heard.append(heard)
        return True


Subject = tuple[str, str]


def mismatches(
    records: Mapping[int, Record],
    common: Mapping[Subject, datetime | None],
    own: Mapping[int, Counter[Subject]],
    attempts: Mapping[int, set[str]],
) -> list[str]:
    """What each candidate was not told, or should not have been; by candidate, a sentence each.

    `common` is what everybody must hear, and when it was said, where that may have been before they came;
    `own` is what each must hear, `attempts` whose messages they may hear.
    """
    order = _usual_order(records, common)
    found = []
    for number, record in sorted(records.items()):
        wrong = [
            *record.problems,
            *_common_mismatches(record, common, order),
            *_own_mismatches(record, own.get(number, Counter()), attempts.get(number, set())),
        ]
        found += [f"Candidate {number}: socket: {sentence}" for sentence in wrong]
    return found


def _usual_order(
    records: Mapping[int, Record], common: Mapping[Subject, datetime | None]
) -> Mapping[Subject, int]:
    """The places of messages in the order in which most have heard them, of those who have heard the most."""
    orders = Counter(_common(record) for record in records.values())
    known = [order for order in orders if set(order) <= common.keys()]
    best = max(known, key=lambda order: (len(set(order)), orders[order]), default=())
    return {subject: place for place, subject in enumerate(best)}


def _common(record: Record) -> tuple[Subject, ...]:
    return tuple(heard.subject for heard in record.heard if heard.type in COMMON)


def _common_mismatches(
    record: Record, common: Mapping[Subject, datetime | None], order: Mapping[Subject, int]
) -> Iterator[str]:
    heard = _common(record)
    counts = Counter(heard)
    for subject, said_at in sorted(common.items()):
        if not counts[subject] and not _came_before(record, said_at):
            yield f"{subject[0]} was not told"
    for subject, count in sorted(counts.items()):
        if count > (subject in common):
            yield f"{subject[0]} was told {count} times"
    places = [order[subject] for subject in heard if subject in order]
    if places != sorted(places):
        yield "messages came in another order than to others"


def _came_before(record: Record, said_at: datetime | None) -> bool:
    """Whether it was said before they listened: then nobody owes it to them."""
    return said_at is not None and (record.began_at is None or said_at < record.began_at + _AT_ONCE)


def _own_mismatches(record: Record, own: Counter[Subject], attempts: set[str]) -> Iterator[str]:
    mine = [heard for heard in record.heard if heard.type in OWN]
    for heard in mine:
        if heard.about not in attempts:
            yield f"{heard.type} is about somebody else's attempt {heard.about}"
    counts = Counter(heard.subject for heard in mine if heard.type in COUNTED and heard.about in attempts)
    for subject, count in sorted((own - counts).items()):
        yield f"{count} × {subject[0]} about their attempt was not told"
    for subject, count in sorted((counts - own).items()):
        yield f"{count} × {subject[0]} about their attempt was told too often"
