"""What a candidate's devices know of their answers: acknowledged, refused, or sent and never heard of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.engine.responses import Event, standing_answers
from rehearsal.plans import Answer

Identity = tuple[UUID, int, int]


@dataclass
class Log:
    """The reference of the rehearsal: it holds what the server has promised, and nothing that it computed."""

    acknowledged: dict[Identity, Event] = field(default_factory=dict)
    refused: dict[Identity, Event] = field(default_factory=dict)
    unheard: dict[Identity, Event] = field(default_factory=dict)
    late: dict[Identity, Event] = field(default_factory=dict)
    """Kept by the server and not counted, unless staff admit them."""
    admitted: bool = False
    problems: list[str] = field(default_factory=list)
    graded: bool = False
    """Whether the candidate has seen a result: from then on nothing may be saved, heard of or not."""

    def acknowledge(self, events: Iterable[Event]) -> None:
        """The server said 200: these are on disk and will be graded."""
        self.acknowledged.update(_by_identity(events))

    def refuse(self, events: Iterable[Event], *, unsure: bool) -> None:
        """The server said no. An earlier try that nobody heard of may have been in time all the same."""
        (self.unheard if unsure and not self.graded else self.refused).update(_by_identity(events))

    def lose(self, events: Iterable[Event]) -> None:
        """The client gave up: what was not heard of may have been saved or not."""
        unknown = {key: event for key, event in _by_identity(events).items() if key not in self.acknowledged}
        self.unheard.update(unknown)

    def keep_late(self, events: Iterable[Event]) -> None:
        """The server said that they came too late, and that it has kept them."""
        for identity, event in _by_identity(events).items():
            self.late.setdefault(identity, event)

    def admit(self) -> None:
        """Staff let the late answers count: that is as good as an acknowledgement."""
        self.admitted = True
        self.acknowledge(self.late.values())
        self.late.clear()

    def standing(self) -> dict[UUID, Event]:
        """What stands of all that was acknowledged."""
        return standing_answers(self.acknowledged.values())

    def possible(self) -> Mapping[UUID, set[Answer]]:
        """The answers that may be graded: what stands, or a later one of which nothing was heard."""
        standing = self.standing()
        answers: dict[UUID, set[Any]] = {id_: {event.answer} for id_, event in standing.items()}
        for event in self.uncertain:
            current = standing.get(event.question_id)
            if current is None or event.order > current.order:
                answers.setdefault(event.question_id, {None}).add(event.answer)
        return answers

    @property
    def uncertain(self) -> list[Event]:
        """What may have been saved without a word of it."""
        return [event for identity, event in self.unheard.items() if identity not in self.acknowledged]

    def lost_anything(self, late: int) -> bool:
        """Whether something did not arrive, beyond the `late` answers that were not to."""
        refused = [identity for identity in self.refused if identity not in self.acknowledged]
        return bool(self.uncertain) or len(refused) > late

    def time_spent(self) -> dict[UUID, int]:
        """Milliseconds by question: a device's last total counts, devices add up."""
        of_lease: dict[tuple[UUID, int], int] = {}
        for event in self.acknowledged.values():
            key = (event.question_id, event.lease)
            of_lease[key] = max(of_lease.get(key, 0), event.time_spent_ms or 0)
        totals: dict[UUID, int] = {}
        for (question_id, _), spent in of_lease.items():
            totals[question_id] = totals.get(question_id, 0) + spent
        return totals


def _by_identity(events: Iterable[Event]) -> dict[Identity, Event]:
    return {(event.question_id, event.lease, event.revision): event for event in events}
