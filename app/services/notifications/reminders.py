"""Reminders of papers that open soon: looked for by every worker, made once."""

from app.services.components import Components
from app.services.notifications import creating
from app.services.notifications.kinds import RULES
from app.services.unit_of_work import reading


class Reminders:
    """What is due is read from the papers' own times, so that moving one needs nothing to be put right.

    Who is told is remembered by the inboxes. What this object remembers only saves asking them again: a
    worker that starts goes through each paper once.
    """

    def __init__(self, parts: Components) -> None:
        self._parts = parts
        self._done: set[str] = set()

    async def remind(self) -> int:
        """Make the reminders that are due; how many people were told."""
        now = self._parts.clock.now()
        told, due = 0, set()
        for kind, rules in RULES.items():
            if rules.reminder is None:
                continue
            async with reading(self._parts.engine) as reads:
                papers = await reads.exam_events.papers_starting(*rules.reminder.starts_due(now))
            for exam, paper in papers:
                notice = creating.reminder(exam, paper, kind)
                due.add(notice.dedupe_key)
                if notice.dedupe_key in self._done:
                    continue
                # Whoever registered after it was due has just been told the time.
                since = rules.reminder.due_at(paper.starts_at)
                told += await creating.tell_registered(self._parts, exam.id, notice, now, since=since)
                self._done.add(notice.dedupe_key)
        self._done &= due
        return told
