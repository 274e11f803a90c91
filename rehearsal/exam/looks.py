"""Looks into the database at an exam, by statements of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, text

from app.database import transaction
from rehearsal.audit import auditing
from rehearsal.exam.sitting import PaperSitting

CLOSED_WITHIN = timedelta(seconds=10)
_CLOCKS = timedelta(seconds=0.5)

_ATTEMPTS = text(
    """
    select id, exam_paper_id, status, started_at, deadline_at, submitted_at, closed_by, updated_at
    from ias.attempts where exam_paper_id = any(:paper_ids) and not practice
    """
)
_LATE = text(
    """
    select attempt_id, question_id, lease, revision from ias.response_events
    where late and attempt_id in (select id from ias.attempts where exam_paper_id = any(:paper_ids))
    """
)
_VOID = text(
    """
    select (select count(*) from ias.results where attempt_id in :void)
      + (select count(*) from ias.attempts where id in :void and status <> 'void')
    """
).bindparams(bindparam("void", expanding=True))


@dataclass(frozen=True, slots=True)
class Row:
    """An attempt as it stands in the database."""

    id: str
    paper_id: UUID
    status: str
    started_at: datetime
    deadline_at: datetime
    submitted_at: datetime | None
    closed_by: str | None
    updated_at: datetime


async def attempts(paper_ids: Sequence[UUID]) -> dict[str, Row]:
    """Every attempt at these papers, by id."""
    async with auditing() as engine, transaction(engine, read_only=True) as session:
        rows = await session.execute(_ATTEMPTS, {"paper_ids": list(paper_ids)})
        return {str(row.id): Row(str(row.id), *row[1:]) for row in rows}


async def late_mismatches(paper_ids: Sequence[UUID], sittings: Sequence[PaperSitting]) -> list[str]:
    """What the server said it has kept as late, is kept, and as late."""
    async with auditing() as engine, transaction(engine, read_only=True) as session:
        rows = await session.execute(_LATE, {"paper_ids": list(paper_ids)})
        kept = {(str(row.attempt_id), row.question_id, row.lease, row.revision) for row in rows}
    found = []
    for sitting in sittings:
        promised = sitting.log.late.keys() - sitting.log.acknowledged.keys()
        if missing := [identity for identity in promised if (sitting.attempt_id, *identity) not in kept]:
            whose = f"Candidate {sitting.plan.number}: {sitting.hall.code}"
            found.append(f"{whose}: {len(missing)} late answers are not kept")
    return found


async def void_mismatches(attempt_ids: Sequence[str]) -> list[str]:
    """A voided attempt is void, and has no result."""
    if not attempt_ids:
        return []
    async with auditing() as engine, transaction(engine, read_only=True) as session:
        wrong = await session.scalar(_VOID, {"void": [UUID(id_) for id_ in attempt_ids]})
    return [f"{wrong} voided attempts count all the same"] if wrong else []


def closing_mismatches(
    rows: Sequence[Row], grace: timedelta, outages: Sequence[tuple[datetime, datetime]]
) -> list[str]:
    """Overdue attempts were closed when deadline and grace were over, and soon.

    While something was killed nobody closes anything: then `soon` counts from its return.
    """
    found = []
    for row in rows:
        if row.closed_by is None and row.status != "void":
            found.append(f"attempt {row.id} is {row.status} after the exam")
        if row.closed_by != "deadline":
            continue
        due = row.deadline_at + grace
        last = due + CLOSED_WITHIN
        for killed_at, back_at in sorted(outages):
            if killed_at < last and back_at > due:
                last = max(last, back_at + CLOSED_WITHIN)
        if row.updated_at < due - _CLOCKS:
            found.append(f"attempt {row.id} was closed {due - row.updated_at} before its grace was over")
        if row.updated_at > last:
            found.append(f"attempt {row.id} was closed {row.updated_at - due} after its grace was over")
    return found
