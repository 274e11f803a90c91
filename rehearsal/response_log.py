"""What a candidate's devices know of their responses: acknowledged, refused, or sent without an answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from rehearsal.plans import Answer

Identity = tuple[UUID, int, int]


@dataclass(frozen=True)
class ResponseEvent:
    """One save of one question by one device, as it was sent."""

    question_id: UUID
    lease: int
    revision: int
    answer: Answer
    marked_for_review: bool = False
    time_spent_ms: int | None = None
    confidence: str | None = None
    language: str | None = None

    @property
    def identity(self) -> Identity:
        return self.question_id, self.lease, self.revision

    @property
    def order(self) -> tuple[int, int]:
        """The later lease wins; within a lease the later revision wins."""
        return self.lease, self.revision


def standing_events(events: Iterable[ResponseEvent]) -> dict[UUID, ResponseEvent]:
    """The last event of each question, also if it clears the answer."""
    return {event.question_id: event for event in sorted(events, key=lambda event: event.order)}


@dataclass
class RehearsedLog:
    """The reference of the rehearsal. It holds what the server has promised and nothing that it computed."""

    acknowledged: dict[Identity, ResponseEvent] = field(default_factory=dict)
    refused: dict[Identity, ResponseEvent] = field(default_factory=dict)
    unconfirmed: dict[Identity, ResponseEvent] = field(default_factory=dict)
    """Sent without a final answer: the server may have saved them."""
    late: dict[Identity, ResponseEvent] = field(default_factory=dict)
    """Kept by the server and not counted, unless staff admit them."""
    admitted: bool = False
    problems: list[str] = field(default_factory=list)
    delays: list[str] = field(default_factory=list)
    """What could not happen because the time was over by the server's clock."""
    graded: bool = False
    """Whether the candidate has seen a result. From then on the server must not save anything."""

    def acknowledge(self, events: Iterable[ResponseEvent]) -> None:
        """The server answered 200: these events are stored and will be graded."""
        self.acknowledged.update(_by_identity(events))

    def refuse(self, events: Iterable[ResponseEvent], *, maybe_processed: bool) -> None:
        """The server refused the events. `maybe_processed` says that an earlier try may have been in time."""
        known = self.unconfirmed if maybe_processed and not self.graded else self.refused
        known.update(_by_identity(events))

    def mark_unconfirmed(self, events: Iterable[ResponseEvent]) -> None:
        """The client gave up without an answer."""
        unknown = {key: event for key, event in _by_identity(events).items() if key not in self.acknowledged}
        self.unconfirmed.update(unknown)

    def keep_late(self, events: Iterable[ResponseEvent]) -> None:
        """The server answered that the events came too late and that it has kept them."""
        for identity, event in _by_identity(events).items():
            self.late.setdefault(identity, event)

    def admit(self) -> None:
        """Staff let the late responses count, which is as good as an acknowledgement."""
        self.admitted = True
        self.acknowledge(self.late.values())
        self.late.clear()

    def standing(self) -> dict[UUID, ResponseEvent]:
        """The event that stands for each question, of those that were acknowledged."""
        return standing_events(self.acknowledged.values())

    def possible(self) -> Mapping[UUID, set[Answer]]:
        """The answers that may be graded: the one that stands, or a later one that is unconfirmed."""
        standing = self.standing()
        answers: dict[UUID, set[Answer]] = {id_: {event.answer} for id_, event in standing.items()}
        for event in self.uncertain:
            current = standing.get(event.question_id)
            if current is None or event.order > current.order:
                answers.setdefault(event.question_id, {None}).add(event.answer)
        return answers

    @property
    def uncertain(self) -> list[ResponseEvent]:
        """Events that the server may have saved without having acknowledged them."""
        return [event for identity, event in self.unconfirmed.items() if identity not in self.acknowledged]

    def lost_anything(self, late: int) -> bool:
        """Whether anything did not arrive, beyond the `late` responses that are sent after the end."""
        refused = [identity for identity in self.refused if identity not in self.acknowledged]
        return bool(self.uncertain) or len(refused) > late

    def time_spent(self) -> dict[UUID, int]:
        """Milliseconds by question: the highest total of each lease, added up over the leases."""
        of_lease: dict[tuple[UUID, int], int] = {}
        for event in self.acknowledged.values():
            key = (event.question_id, event.lease)
            of_lease[key] = max(of_lease.get(key, 0), event.time_spent_ms or 0)
        totals: dict[UUID, int] = {}
        for (question_id, _), spent in of_lease.items():
            totals[question_id] = totals.get(question_id, 0) + spent
        return totals


def _by_identity(events: Iterable[ResponseEvent]) -> dict[Identity, ResponseEvent]:
    return {event.identity: event for event in events}
