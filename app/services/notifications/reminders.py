"""Reminders of papers that open soon. Every worker looks for due ones; each is created once."""

from functools import partial

from app.services.components import Components
from app.services.notifications import creating
from app.services.notifications.kinds import RULES
from app.services.unit_of_work import reading


class Reminders:
    """Creates due reminders.

    They are computed from the papers' start times, so moving a paper needs no update.

    The notifications of users record who has been reminded. This object only remembers which reminders are
    done, to save statements. After a restart, each that is due is processed again, which creates nothing.
    """

    def __init__(self, parts: Components) -> None:
        self._parts = parts
        self._done: set[str] = set()

    async def remind(self) -> int:
        """Create due reminders. Returns how many notifications were created."""
        now = self._parts.clock.now()
        created, due = 0, set()
        for kind, rules in RULES.items():
            if rules.reminder is None:
                continue
            async with reading(self._parts.engine) as reads:
                papers = await reads.exam_events.papers_starting(*rules.reminder.starts_due(now))
            for exam, paper in papers:
                key = creating.reminder(exam, paper, kind).dedupe_key
                due.add(key)
                if key in self._done:
                    continue
                # The confirmation told the times to those who registered after the reminder was due.
                registered_until = rules.reminder.due_at(paper.starts_at)
                notice_for = partial(creating.reminder, exam, paper, kind)
                created += await creating.create_for_registered(
                    self._parts, exam.id, notice_for, now, registered_until=registered_until
                )
                self._done.add(key)
        self._done &= due
        return created
