"""Figures of graded attempts: computed after grading, and again by `ias analytics rebuild`."""

from collections.abc import Collection
from uuid import UUID

from app.engine.answers import answer_of
from app.engine.attempt_figures import AttemptLog, Figures, MarkedAttempt, figures_of
from app.models import Result
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork

NO_LOG = AttemptLog()
BATCH = 100


async def calculate(uow: UnitOfWork, parts: Components, attempt_ids: Collection[UUID]) -> int:
    """Store the figures of those of the attempts that have a result; how many these were.

    Running it again gives the same rows. A result that is withdrawn takes its row with it.
    """
    graded = await uow.figures.lock_graded(attempt_ids)
    logs = await uow.figures.logs([each.result.attempt_id for each in graded])
    subjects = await uow.figures.subjects({each.paper_id for each in graded})
    rows: dict[UUID, tuple[UUID, Figures]] = {}
    for each in graded:
        result = each.result
        key = await parts.papers.key(uow, result.key_id)
        log = logs.get(result.attempt_id, NO_LOG)
        figures = figures_of(key.rules, key.grader, subjects[each.paper_id], _sheet(result), log)
        rows[result.attempt_id] = result.key_id, figures
    await uow.figures.store(rows)
    return len(rows)


async def request_of_exam(uow: UnitOfWork, exam_id: UUID) -> int:
    """After a release, add jobs for the attempts that were withheld until now; how many these were.

    Most have figures since they were graded, and wait for ratings alone.
    """
    waiting = await uow.figures.waiting_of_exam(exam_id)
    for task, has_figures in (("calculate_user_analytics", False), ("take_in_attempts", True)):
        ids = [str(attempt_id) for attempt_id, known in waiting.items() if known is has_figures]
        for first in range(0, len(ids), BATCH):
            uow.jobs.add(task, attempt_ids=ids[first : first + BATCH])
    return len(waiting)


def _sheet(result: Result) -> MarkedAttempt:
    answers = [answer_of(answer) for answer in result.answers]
    return MarkedAttempt(answers, result.outcomes, result.marks, result.marks_denominator)
