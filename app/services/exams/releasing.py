"""Releasing: staff release the results of all papers and candidates at once (docs/decisions/0035)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from app.core.errors import NotPossible, ResultsNotReleased
from app.core.release_errors import AttemptsInProgress, PapersNotOver
from app.engine import schedule
from app.engine.marks import printed
from app.engine.merit import Cutoff, Entrant, ExamPaperRule, MeritResult, PaperScore, merit
from app.engine.qualifying import Qualification
from app.engine.scoring import PaperKey
from app.models import AttemptStatus, Exam, ExamPaper, ExamRelease
from app.models.message_data import ResultsReleasedData
from app.repositories.exams import RegisteredCandidate, Scored
from app.repositories.realtime.messages import exam_room
from app.services import attempts, embargo
from app.services.components import Components
from app.services.exams import sessions
from app.services.exams.audit import record
from app.services.exams.catalog import require_team, window_of
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal

Keys = Mapping[UUID, PaperKey]


@dataclass(frozen=True, slots=True)
class Released:
    """A release, and the exam as it is now. `closed` are the papers that were closed before their end."""

    exam: Exam
    release: ExamRelease
    closed: Sequence[ExamPaper] = ()
    graded: int = 0
    """How many attempts the release graded because no job had done so."""


async def release(
    uow: UnitOfWork,
    parts: Components,
    staff: Principal,
    exam_id: UUID,
    now: datetime,
    early_reason: str | None = None,
) -> Released:
    """Close entry, rank everybody, and lift the embargo: all of it or nothing. Again gives the same release.

    Raises PapersNotOver while a paper's window has not ended, unless there is a reason to release early, and
    AttemptsInProgress while somebody sits.
    """
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    require_team(exam, staff)
    if exam.published_at is None or exam.cancelled_at is not None:
        raise NotPossible("Only an exam that was held has results.")
    if await uow.embargo.withholds_exam(embargo.reader(staff), exam.id):
        raise NotPossible(
            "Another exam that is not released has questions of this one, and scores would tell their keys."
            " Release this exam after it, or ask an admin."
        )
    closed: Sequence[ExamPaper] = ()
    graded = 0
    if exam.released_at is None:
        closed = await close_entry(uow, parts, exam, now, early=early_reason is not None)
        graded = await _grade_the_rest(uow, parts, exam, now)
        exam.released_at = now
        await materialize(uow, parts, staff, exam)
        await uow.exam_attempts.mark_graded(exam.id)
        codes = [paper.code for paper in closed]
        record(
            uow, staff, "release", exam, reason=early_reason, version=exam.results_version, closed_early=codes
        )
        uow.messages.to_everybody(exam_room(exam.id), ResultsReleasedData(exam_id=exam.id))
        uow.jobs.add("notify_results_released", exam_id=str(exam.id))
        uow.jobs.add("request_exam_analytics", exam_id=str(exam.id))
        await refresh_statistics(uow, exam.id)
        await uow.exams.flush()
    kept = await uow.exam_results.release(exam)
    assert kept is not None  # noqa: S101 -- a released exam has a release
    return Released(exam, kept, closed, graded)


async def refresh_statistics(uow: UnitOfWork, exam_id: UUID) -> None:
    """Add jobs for statistics that the exam has withheld: of its tests, and of those that share questions."""
    for test_id in await uow.test_statistics.withheld_by(exam_id):
        uow.jobs.add("refresh_test_statistics", test_id=str(test_id))


async def materialize(uow: UnitOfWork, parts: Components, staff: Principal, exam: Exam) -> None:
    """Compute everybody's result and keep it as the next version; older ones stay."""
    papers = await uow.exams.papers(exam.id)
    keys = await keys_of(uow, parts, papers)
    registered = await uow.exam_results.registrations(exam.id)
    entrants = await _entrants(uow, exam, registered, keys)
    rules = [
        ExamPaperRule(
            id=paper.id,
            counts_for_merit=paper.counts_for_merit,
            qualifying_percent=paper.qualifying_percent,
            max_score=keys[paper.id].max_score,
            group_percents={group: Decimal(share) for group, share in paper.group_percents.items()},
        )
        for paper in papers
    ]
    cutoffs = {category: Decimal(marks) for category, marks in exam.cutoffs.items()}
    results = sessions.results(
        exam, papers, rules, entrants, lambda rules, entrants: merit(rules, entrants, cutoffs)
    )
    version = (exam.results_version or 0) + 1
    ranked = sum(result.standing is not None for result in results)
    new = ExamRelease(exam_id=exam.id, version=version, participants=ranked, created_by=staff.author_id)
    rows = [
        _row(exam, version, registration.roll_number, result, papers, keys)
        for registration, result in zip(registered, results, strict=True)
    ]
    await uow.exam_results.add_release(new, rows)
    exam.results_version = version


async def keys_of(reads: Reading, parts: Components, papers: Sequence[ExamPaper]) -> Keys:
    """By what each pinned paper is marked and printed: the current version of its key."""
    pinned = {paper.id: paper.paper_id for paper in papers if paper.paper_id is not None}
    current = await reads.keys.current_ids(pinned.values())
    return {
        exam_paper_id: (await parts.papers.key(reads, current[paper_id])).rules
        for exam_paper_id, paper_id in pinned.items()
    }


def require_released(exam: Exam) -> None:
    """Raise ResultsNotReleased while the results are held."""
    if exam.released_at is None:
        raise ResultsNotReleased


async def close_entry(
    uow: UnitOfWork, parts: Components, exam: Exam, now: datetime, *, early: bool
) -> Sequence[ExamPaper]:
    """Nobody enters any more, and nobody is inside. Returns the papers that are closed before their end.

    Waits for a transaction that is ending an attempt of this exam. Attempts of other exams are left to the
    worker.
    """
    papers = await uow.exams.lock_papers_exclusively(exam.id)
    open_papers = [paper for paper in papers if not schedule.is_over(window_of(paper), now)]
    if open_papers and not early:
        raise PapersNotOver([(paper.id, paper.code, paper.ends_at) for paper in open_papers])
    for paper in open_papers:
        paper.closed_at = now
    await uow.exams.flush()
    await _end_overdue(uow, parts, exam, now)
    return open_papers


async def _end_overdue(uow: UnitOfWork, parts: Components, exam: Exam, now: datetime) -> None:
    """End the attempts whose time is over. Raises AttemptsInProgress if there are others."""
    delay, running = attempts.closing_delay(parts.settings), []
    for attempt in await uow.exam_attempts.lock_running(exam.id, None):
        if attempts.is_late(now, attempt, delay):
            await attempts.close(uow, attempt, "deadline", attempt.deadline_at)
        else:
            running.append(attempt)
    if running:
        deadlines = [each.deadline_at for each in running if each.status != AttemptStatus.PAUSED]
        raise AttemptsInProgress(len(running), len(running) - len(deadlines), max(deadlines, default=None))
    await uow.attempts.flush()


async def _grade_the_rest(uow: UnitOfWork, parts: Components, exam: Exam, now: datetime) -> int:
    """Grade the attempts that no job has graded, and again those that were graded by an older key.

    All attempts that are over are locked first, in one order, since all of them are changed in the end. From
    then on nobody else writes a result or a score of this exam. The keys stay the current ones until the end.
    Returns how many attempts were graded.
    """
    await uow.exam_attempts.lock_closed(exam.id)
    papers = await uow.exams.papers(exam.id)
    current = await uow.keys.lock_current({paper.paper_id for paper in papers if paper.paper_id is not None})
    outdated = await uow.exam_attempts.graded_by_others(exam.id, list(current.values()))
    withdrawn = await attempts.withdraw_results(uow, outdated)
    decided = {result.attempt_id: result.was_staff for result in withdrawn}
    ungraded = await uow.exam_attempts.ungraded(exam.id)
    await attempts.grade(uow, parts, ungraded, now, decided=decided)
    return len(ungraded)


async def _entrants(
    reads: Reading, exam: Exam, registrations: Sequence[RegisteredCandidate], keys: Keys
) -> list[Entrant]:
    scores: dict[UUID, dict[UUID, PaperScore]] = {}
    staff_ids = await reads.exam_results.sat_as_staff(exam)
    for each in await reads.exam_results.scored(exam.id):
        scores.setdefault(each.registration_id, {})[each.paper_id] = _score(each, keys[each.paper_id])
        if each.was_staff:
            staff_ids.add(each.registration_id)
    voided = await reads.exam_results.voided(exam.id)
    return [
        Entrant(
            id=row.id,
            category=row.category,
            scores=scores.get(row.id, {}),
            pwbd=row.pwbd,
            has_void=row.id in voided,
            was_staff=row.id in staff_ids,
        )
        for row in registrations
    ]


def _score(scored: Scored, key: PaperKey) -> PaperScore:
    shown = Decimal(printed(scored.raw, key.factor, key.rounding))
    return PaperScore(scored.score, shown, Qualification(scored.qualification), practice=scored.was_staff)


def _row(
    exam: Exam,
    version: int,
    roll_number: str,
    result: MeritResult,
    papers: Sequence[ExamPaper],
    keys: Keys,
) -> dict[str, Any]:
    standing = result.standing
    return {
        "exam_id": exam.id,
        "version": version,
        "registration_id": result.entrant.id,
        "roll_number": roll_number,
        "outcome": result.outcome,
        "total_numerator": result.total.numerator if result.total is not None else None,
        "total_denominator": result.total.denominator if result.total is not None else None,
        "total": str(result.printed_total) if result.printed_total is not None else None,
        "qualified": result.qualified,
        "rank": standing.rank if standing else None,
        "percentile": standing.percentile if standing else None,
        "category_rank": result.category_rank,
        "cutoff": _cutoff(result.cutoff, papers) if result.cutoff else None,
        "papers": [
            _paper(result, paper, keys[paper.id])
            for paper in papers
            if sessions.is_listed(paper, papers, result.papers)
        ],
    }


def _cutoff(cutoff: Cutoff, papers: Sequence[ExamPaper]) -> dict[str, Any]:
    """A cut-off as it is stored, with the codes of the papers that it names."""
    return {
        "category": cutoff.group,
        "marks": str(cutoff.marks),
        "cleared": cutoff.cleared,
        "reason": cutoff.reason,
        "papers": [paper.code for paper in papers if paper.id in cutoff.papers],
    }


def _paper(result: MeritResult, paper: ExamPaper, key: PaperKey) -> dict[str, Any]:
    """A paper's part of a result as it is stored; a paper that was missed has no score."""
    sat = result.papers.get(paper.id)
    standing = sat.standing if sat else None
    return {
        "paper_id": str(paper.id),
        "code": paper.code,
        "score": str(sat.score.printed) if sat else None,
        "score_exact": str(sat.score.exact) if sat else None,
        "max_score": printed(key.max_score, Fraction(1), key.rounding),
        "qualified": sat.qualified if sat else False,
        "rank": standing.rank if standing else None,
        "participants": standing.participants if standing else None,
        "percentile": standing.percentile if standing else None,
        **sessions.stored(paper, sat),
    }
