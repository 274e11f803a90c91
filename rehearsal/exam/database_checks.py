"""What the database holds of an exam's attempts, read and checked by SQL statements of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from rehearsal.database import connected
from rehearsal.exam.attempts import PaperAttempt

CLOSED_WITHIN = timedelta(seconds=10)
_CLOCK_DIFFERENCE = timedelta(seconds=0.5)

_ATTEMPTS = """
    select id, exam_paper_id, status, started_at, deadline_at, submitted_at, closed_by, updated_at
    from ias.attempts where exam_paper_id = any($1) and not practice
"""
_LATE = """
    select attempt_id, question_id, lease, revision from ias.response_events
    where late and attempt_id in (select id from ias.attempts where exam_paper_id = any($1))
"""
_VOID = """
    select (select count(*) from ias.results where attempt_id = any($1))
      + (select count(*) from ias.attempts where id = any($1) and status <> 'void')
"""


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """An attempt as the database holds it."""

    id: str
    paper_id: UUID
    status: str
    started_at: datetime
    deadline_at: datetime
    submitted_at: datetime | None
    closed_by: str | None
    updated_at: datetime


async def attempt_rows(paper_ids: Sequence[UUID]) -> dict[str, StoredAttempt]:
    """Every attempt at these papers, by id."""
    async with connected() as connection:
        rows = await connection.fetch(_ATTEMPTS, list(paper_ids))
    return {str(id_): StoredAttempt(str(id_), *rest) for id_, *rest in rows}


async def late_mismatches(paper_ids: Sequence[UUID], attempts: Sequence[PaperAttempt]) -> list[str]:
    """Responses that the server said it kept as late, and that are not stored as late."""
    async with connected() as connection:
        rows = await connection.fetch(_LATE, list(paper_ids))
    kept = {(str(attempt_id), *identity) for attempt_id, *identity in rows}
    found = []
    for attempt in attempts:
        promised = attempt.log.late.keys() - attempt.log.acknowledged.keys()
        if missing := [identity for identity in promised if (attempt.attempt_id, *identity) not in kept]:
            whose = f"Candidate {attempt.plan.number}: {attempt.paper.code}"
            found.append(f"{whose}: {len(missing)} late answers are not kept")
    return found


async def void_mismatches(attempt_ids: Sequence[str]) -> list[str]:
    """A voided attempt has the status void and no result."""
    if not attempt_ids:
        return []
    async with connected() as connection:
        wrong = await connection.fetchval(_VOID, [UUID(id_) for id_ in attempt_ids])
    return [f"{wrong} voided attempts are counted"] if wrong else []


def closing_mismatches(rows: Sequence[StoredAttempt], grace: timedelta) -> list[str]:
    """Attempts that still run after the exam, or were closed before their deadline and grace were over."""
    found = []
    for row in rows:
        due = row.deadline_at + grace
        if row.closed_by is None and row.status != "void":
            found.append(f"attempt {row.id} is {row.status} after the exam")
        elif row.closed_by == "deadline" and row.updated_at < due - _CLOCK_DIFFERENCE:
            found.append(f"attempt {row.id} was closed {due - row.updated_at} before its grace was over")
    return found


def closing_delays(
    rows: Sequence[StoredAttempt], grace: timedelta, outages: Sequence[tuple[datetime, datetime]]
) -> list[str]:
    """Overdue attempts that were closed too long after their grace.

    During an outage nothing is closed, so that the limit counts from the end of the outage.
    """
    found = []
    for row in rows:
        due = row.deadline_at + grace
        last = due + CLOSED_WITHIN
        for killed_at, back_at in sorted(outages):
            if killed_at < last and back_at > due:
                last = max(last, back_at + CLOSED_WITHIN)
        if row.closed_by == "deadline" and row.updated_at > last:
            found.append(f"attempt {row.id} was closed {row.updated_at - due} after its grace was over")
    return found
