"""The reconciliation after an exam: what was promised against what is there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rehearsal import database_checks, result_checks
from rehearsal.exam import database_checks as exam_database_checks
from rehearsal.exam import deadlines, socket_checks
from rehearsal.exam import result_checks as exam_result_checks
from rehearsal.exam.attempts import PaperAttempt
from rehearsal.exam.candidates import SimulatedCandidate
from rehearsal.exam.database_checks import StoredAttempt
from rehearsal.exam.deadlines import AttemptTimes, Grant, StaffAction
from rehearsal.exam.papers import RehearsedPaper
from rehearsal.exam.socket_checks import OwnMessages, Subject

_MESSAGE_OF = {"extend": "extended", "pause": "paused", "resume": "resumed", "submit": "force_submitted"}


@dataclass(frozen=True)
class ExamRecord:
    """What everybody did and saw. `rows` are the attempts as they were before the release."""

    candidates: Sequence[SimulatedCandidate]
    papers: Sequence[RehearsedPaper]
    actions: Sequence[StaffAction]
    grants: Sequence[Grant]
    announcements: Mapping[str, datetime]
    rows: Mapping[str, StoredAttempt]
    grace: timedelta
    outages: Sequence[tuple[datetime, datetime]]
    cutoffs: Mapping[str, str]
    merit_list: Sequence[Mapping[str, Any]]
    with_sockets: bool


async def mismatches(record: ExamRecord) -> list[str]:
    """Everything that is wrong, one sentence each."""
    found = _attempt_problems(record)
    for paper in record.papers:
        found += await _paper_mismatches(record, paper)
    found += exam_result_checks.mismatches(record.candidates, record.papers, record.cutoffs)
    found += exam_result_checks.merit_list_mismatches(record.merit_list, record.candidates)
    found += deadline_mismatches(record)
    found += exam_database_checks.closing_mismatches(list(record.rows.values()), record.grace)
    if record.with_sockets:
        found += socket_mismatches(record)
    return found


def delays(record: ExamRecord) -> list[str]:
    """What came too late by the server's clock, one sentence each."""
    found = [
        f"Candidate {candidate.number}: {attempt.paper.code}: {sentence}"
        for candidate in record.candidates
        for attempt in candidate.attempts
        for sentence in attempt.log.delays
    ]
    rows = list(record.rows.values())
    return found + exam_database_checks.closing_delays(rows, record.grace, record.outages)


async def _paper_mismatches(record: ExamRecord, paper: RehearsedPaper) -> list[str]:
    """Answers, marks and ranks of one paper, and the counts in the database."""
    started = [
        each for candidate in record.candidates for each in candidate.started_attempts if each.paper is paper
    ]
    void = [attempt for attempt in started if attempt.is_voided]
    counted = [attempt for attempt in started if not attempt.is_voided]
    found = result_checks.mismatches(counted, paper.questions, paper.question_ids, f"{paper.code}: ")
    stored = await database_checks.mismatches(paper.paper_id, started, len(void))
    found += [f"{paper.code}: {sentence}" for sentence in stored]
    found += await exam_database_checks.late_mismatches([paper.paper_id], started)
    return found + await exam_database_checks.void_mismatches([attempt.attempt_id for attempt in void])


def _attempt_problems(record: ExamRecord) -> list[str]:
    """Problems that candidates noted and that `result_checks.mismatches` does not report."""
    found = []
    for candidate in record.candidates:
        found += [f"Candidate {candidate.number}: {sentence}" for sentence in candidate.problems]
        for attempt in candidate.attempts:
            if attempt.has_started and not attempt.is_voided:
                continue
            problems = list(attempt.log.problems)
            is_absent = attempt.arrives_after_entry or attempt.log.delays
            if not attempt.has_started and not is_absent:
                problems.append("the attempt was not started")
            found += [f"Candidate {candidate.number}: {attempt.paper.code}: {each}" for each in problems]
    return found


def deadline_mismatches(record: ExamRecord) -> list[str]:
    """Attempts whose deadline differs from the reference."""
    found = []
    for candidate in record.candidates:
        grants = [grant for grant in record.grants if _applies(grant, candidate)]
        for attempt in candidate.started_attempts:
            row = record.rows.get(attempt.attempt_id)
            if row is None:
                found.append(f"Candidate {candidate.number}: the attempt at {attempt.paper.code} is missing")
                continue
            times = AttemptTimes(attempt.attempt_id, attempt.started_at, row.submitted_at, _closed_at(row))
            actions = [each for each in record.actions if each.attempt_id == attempt.attempt_id]
            window = attempt.paper.window
            expected = deadlines.deadline(times, window.seconds, window.ends_at, grants, actions)
            if not expected.contains(row.deadline_at):
                found.append(
                    f"Candidate {candidate.number}: {attempt.paper.code}: the deadline is {row.deadline_at},"
                    f" it should be between {expected.earliest} and {expected.latest}"
                )
    return found


def _closed_at(row: StoredAttempt) -> datetime | None:
    """When the attempt was closed. At its deadline, the worker closes it some seconds later."""
    return row.updated_at if row.closed_by == "deadline" else row.submitted_at


def _applies(grant: Grant, candidate: SimulatedCandidate) -> bool:
    if grant.number is not None:
        return grant.number == candidate.number
    return grant.group == "all" or (grant.group == "pwbd" and candidate.scenario.pwbd is not None)


def socket_mismatches(record: ExamRecord) -> list[str]:
    """What every candidate's socket received, against what staff did."""
    logs = {each.number: each.socket.log for each in record.candidates if each.socket is not None}
    own = {each.number: own_messages(record, each) for each in record.candidates}
    return socket_checks.mismatches(logs, common_messages(record), own)


def common_messages(record: ExamRecord) -> dict[Subject, datetime | None]:
    """The messages for everybody. Those that may precede a candidate's first connection have a time."""
    common: dict[Subject, datetime | None] = {
        ("announcement", announcement_id): sent_at
        for announcement_id, sent_at in record.announcements.items()
    }
    for paper in record.papers:
        common[("paper_opened", str(paper.paper_id))] = paper.window.starts_at
        common[("paper_closed", str(paper.paper_id))] = None
    common[("results_released", str(record.papers[0].exam_id))] = None
    return common


def own_messages(record: ExamRecord, candidate: SimulatedCandidate) -> OwnMessages:
    """The messages that one candidate must or may receive about their attempts."""
    mine = {attempt.attempt_id: attempt for attempt in candidate.started_attempts}
    required = Counter(
        (_MESSAGE_OF[action.verb], action.attempt_id)
        for action in record.actions
        if action.attempt_id in mine and action.verb in _MESSAGE_OF
    )
    optional: Counter[Subject] = Counter()
    for grant in (grant for grant in record.grants if _applies(grant, candidate)):
        for id_, attempt in mine.items():
            if (certain := _was_running(attempt, record.rows.get(id_), grant)) is not False:
                (required if certain else optional)[("extended", id_)] += 1
    return OwnMessages(frozenset(mine), required, optional)


def _was_running(attempt: PaperAttempt, row: StoredAttempt | None, grant: Grant) -> bool | None:
    """Whether the attempt was running when extra time was granted; None if that cannot be known."""
    ended_at, closed_at = (row.submitted_at, _closed_at(row)) if row is not None else (None, None)
    if attempt.started_at >= grant.done_at or (closed_at is not None and closed_at < grant.asked_at):
        return False
    is_certain = attempt.started_at < grant.asked_at and (ended_at is None or ended_at > grant.done_at)
    return True if is_certain else None
