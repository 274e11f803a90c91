"""Releasing: staff release the results of all papers and candidates at once (docs/decisions/0035)."""

import asyncio
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
from app.engine.ranking import PercentileDefinition
from app.engine.scores import Score
from app.engine.scoring import PaperKey
from app.engine.tie_breaks import Compared, tie_break_key
from app.models import AttemptStatus, Exam, ExamPaper, ExamRelease
from app.models.message_data import ResultsReleasedData
from app.repositories.exams import RegisteredCandidate, Scored
from app.repositories.realtime.messages import exam_room
from app.services import attempts, embargo
from app.services.components import Components
from app.services.exams import sessions
from app.services.exams.audit import record
from app.services.exams.catalog import require_team, window_of
from app.services.exams.part_scores import PartScores, part_scores
from app.services.exams.ranking_rules import SectionNames, chain_of_exam, paper_rules, section_names
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


async def materialize(
    uow: UnitOfWork, parts: Components, staff: Principal, exam: Exam, reason: str | None = None
) -> None:
    """Compute everybody's result and keep it as the next version; older ones stay.

    `reason` says why there is another version; candidates read it. The first one has none.
    """
    papers = await uow.exams.papers(exam.id)
    key_ids, keys = await _current_keys(uow, parts, papers)
    registered = await uow.exam_results.registrations(exam.id)
    names = await section_names(uow, exam, papers)
    entrants = await _entrants(uow, parts, exam, papers, registered, keys, names)
    rules = paper_rules(papers, keys, names)
    cutoffs = {category: Decimal(marks) for category, marks in exam.cutoffs.items()}
    definition = PercentileDefinition(exam.percentile_definition)

    def computed(rules: Sequence[ExamPaperRule], entrants: Sequence[Entrant]) -> list[MeritResult]:
        return merit(rules, entrants, cutoffs, definition)

    results = await asyncio.to_thread(sessions.results, exam, papers, rules, entrants, computed)
    version = (exam.results_version or 0) + 1
    new = ExamRelease(
        exam_id=exam.id,
        version=version,
        participants=sum(result.standings is not None for result in results),
        percentile_definition=exam.percentile_definition,
        tie_breaks=exam.tie_breaks,
        reason=reason,
        key_ids={str(paper_id): str(key_id) for paper_id, key_id in key_ids.items()},
        created_by=staff.author_id,
    )
    rows = [
        _row(exam, version, registration.roll_number, result, papers, keys, names)
        for registration, result in zip(registered, results, strict=True)
    ]
    await uow.exam_results.add_release(new, rows)
    exam.results_version = version


async def keys_of(reads: Reading, parts: Components, papers: Sequence[ExamPaper]) -> Keys:
    """By what each pinned paper is marked and printed: the current version of its key."""
    return (await _current_keys(reads, parts, papers))[1]


async def _current_keys(
    reads: Reading, parts: Components, papers: Sequence[ExamPaper]
) -> tuple[Mapping[UUID, UUID], Keys]:
    """The ids and the rules of the current versions of the keys, by exam paper."""
    pinned = {paper.id: paper.paper_id for paper in papers if paper.paper_id is not None}
    current = await reads.keys.current_ids(pinned.values())
    ids = {exam_paper_id: current[paper_id] for exam_paper_id, paper_id in pinned.items()}
    return ids, {
        exam_paper_id: (await parts.papers.key(reads, key_id)).rules for exam_paper_id, key_id in ids.items()
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
    delay, ended, running = attempts.closing_delay(parts.settings), [], []
    for attempt in await uow.exam_attempts.lock_running(exam.id, None):
        if attempts.is_late(now, attempt, delay):
            await attempts.close(uow, attempt, "deadline", attempt.deadline_at)
            ended.append(attempt)
        else:
            running.append(attempt)
    if running:
        deadlines = [each.deadline_at for each in running if each.status != AttemptStatus.PAUSED]
        raise AttemptsInProgress(len(running), len(running) - len(deadlines), max(deadlines, default=None))
    await uow.exam_attempts.store(ended)


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
    was_staff = {result.attempt_id: result.was_staff for result in withdrawn}
    ungraded = await uow.exam_attempts.ungraded(exam.id)
    await attempts.grade(uow, parts, ungraded, now, was_staff_before=was_staff)
    return len(ungraded)


async def _entrants(
    reads: Reading,
    parts: Components,
    exam: Exam,
    papers: Sequence[ExamPaper],
    registrations: Sequence[RegisteredCandidate],
    keys: Keys,
    names: SectionNames,
) -> list[Entrant]:
    scores: dict[UUID, dict[UUID, PaperScore]] = {}
    staff_ids = await reads.exam_results.sat_as_staff(exam)
    chain = chain_of_exam(exam, papers)
    found = await part_scores(reads, parts, exam, papers, keys, chain, names)
    for each in await reads.exam_results.scored(exam.id):
        score = _score(each, keys[each.paper_id], found)
        scores.setdefault(each.registration_id, {})[each.paper_id] = score
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
            tie_break=tie_break_key(chain, Compared(row.name, found.exact.get(row.id, {}))),
        )
        for row in registrations
    ]


def _score(scored: Scored, key: PaperKey, found: PartScores) -> PaperScore:
    # A score that was kept has the factor of the key that marked it, which is not the current one.
    score = Score(scored.raw, scored.score, key.max_score)
    return PaperScore(
        exact=scored.score,
        printed=Decimal(score.printed(key.rounding)),
        qualification=Qualification(scored.qualification),
        practice=scored.was_staff,
        sections=found.sections.get((scored.registration_id, scored.paper_id), {}),
    )


def _row(
    exam: Exam,
    version: int,
    roll_number: str,
    result: MeritResult,
    papers: Sequence[ExamPaper],
    keys: Keys,
    names: SectionNames,
) -> dict[str, Any]:
    found = result.standings
    overall = found.overall if found else None
    in_category = found.in_category if found else None
    in_pwbd = found.in_pwbd if found else None
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
        "rank": overall.rank if overall else None,
        "percentile": overall.percentile if overall else None,
        "category_rank": in_category.rank if in_category else None,
        "category_percentile": in_category.percentile if in_category else None,
        "pwbd_rank": in_pwbd.rank if in_pwbd else None,
        "pwbd_percentile": in_pwbd.percentile if in_pwbd else None,
        "cutoff": _cutoff(result.cutoff, papers) if result.cutoff else None,
        "papers": [
            _paper(result, paper, keys[paper.id], names)
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


def _paper(result: MeritResult, paper: ExamPaper, key: PaperKey, names: SectionNames) -> dict[str, Any]:
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
        "sections_below": [names[paper.paper_id][id_] for id_ in sat.sections_below]
        if sat and sat.sections_below and paper.paper_id
        else [],
        "rank": standing.rank if standing else None,
        "participants": standing.participants if standing else None,
        "percentile": standing.percentile if standing else None,
        **sessions.stored(paper, sat),
    }
