"""The reconciliation at an exam's end: everything that was promised against everything that is there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rehearsal import checks
from rehearsal.audit import audit
from rehearsal.exam import deadlines, looks, official, told
from rehearsal.exam.candidates import Candidate
from rehearsal.exam.deadlines import Grant, Order, Sat
from rehearsal.exam.halls import PaperHall
from rehearsal.exam.looks import Row
from rehearsal.exam.told import Subject

_TOLD_AS = {"extend": "extended", "pause": "paused", "resume": "resumed", "submit": "force_submitted"}


@dataclass(frozen=True)
class Evidence:
    """What was done and seen, by everybody. `rows` are the attempts as they stood before the release."""

    candidates: Sequence[Candidate]
    halls: Sequence[PaperHall]
    orders: Sequence[Order]
    grants: Sequence[Grant]
    announcements: Mapping[str, datetime]
    rows: Mapping[str, Row]
    grace: timedelta
    outages: Sequence[tuple[datetime, datetime]]
    cutoffs: Mapping[str, str]
    merit_list: Sequence[Mapping[str, Any]]
    with_sockets: bool


async def mismatches(evidence: Evidence) -> list[str]:
    """Everything that is not as it must be, a sentence each."""
    found = _sitting_problems(evidence)
    for hall in evidence.halls:
        found += await _paper_mismatches(evidence, hall)
    found += official.mismatches(evidence.candidates, evidence.halls, evidence.cutoffs)
    found += official.merit_list_mismatches(evidence.merit_list, evidence.candidates)
    found += deadline_mismatches(evidence)
    found += looks.closing_mismatches(list(evidence.rows.values()), evidence.grace, evidence.outages)
    if evidence.with_sockets:
        found += socket_mismatches(evidence)
    return found


async def _paper_mismatches(evidence: Evidence, hall: PaperHall) -> list[str]:
    """Answers, marks and ranks of one paper, and the database's own count."""
    begun = [each for candidate in evidence.candidates for each in candidate.begun if each.hall is hall]
    void = [sitting for sitting in begun if sitting.is_to_be_voided]
    counting = [sitting for sitting in begun if not sitting.is_to_be_voided]
    found = checks.mismatches(counting, hall.questions, hall.question_ids, f"{hall.code}: ")
    audited = await audit(hall.paper_id, begun, len(void))
    found += [f"{hall.code}: {sentence}" for sentence in audited]
    found += await looks.late_mismatches([hall.paper_id], begun)
    return found + await looks.void_mismatches([sitting.attempt_id for sitting in void])


def _sitting_problems(evidence: Evidence) -> list[str]:
    """What candidates noted besides: checks.mismatches tells the rest."""
    found = []
    for candidate in evidence.candidates:
        found += [f"Candidate {candidate.number}: {sentence}" for sentence in candidate.problems]
        for sitting in candidate.sittings:
            if sitting.has_begun and not sitting.is_to_be_voided:
                continue
            problems = list(sitting.log.problems)
            if not sitting.has_begun and not sitting.comes_too_late:
                problems.append("never came to sit it")
            found += [f"Candidate {candidate.number}: {sitting.hall.code}: {each}" for each in problems]
    return found


def deadline_mismatches(evidence: Evidence) -> list[str]:
    """Each attempt's deadline, computed apart."""
    found = []
    for candidate in evidence.candidates:
        grants = [grant for grant in evidence.grants if _applies(grant, candidate)]
        for sitting in candidate.begun:
            row = evidence.rows.get(sitting.attempt_id)
            if row is None:
                found.append(f"Candidate {candidate.number}: the attempt at {sitting.hall.code} is not there")
                continue
            ended_at = row.submitted_at if row.closed_by in ("candidate", "staff") else None
            sat = Sat(sitting.attempt_id, sitting.started_at, ended_at)
            orders = [order for order in evidence.orders if order.attempt_id == sitting.attempt_id]
            window = sitting.hall.window
            span = deadlines.deadline(sat, window.seconds, window.ends_at, grants, orders)
            if not span.holds(row.deadline_at):
                found.append(
                    f"Candidate {candidate.number}: {sitting.hall.code}: the deadline is {row.deadline_at},"
                    f" it should lie between {span.earliest} and {span.latest}"
                )
    return found


def _applies(grant: Grant, candidate: Candidate) -> bool:
    if grant.number is not None:
        return grant.number == candidate.number
    return grant.group == "all" or (grant.group == "pwbd" and candidate.part.pwbd is not None)


def socket_mismatches(evidence: Evidence) -> list[str]:
    """What every candidate's socket was told, against what staff did."""
    records = {each.number: each.ear.record for each in evidence.candidates if each.ear is not None}
    own = {each.number: _own(evidence, each) for each in evidence.candidates}
    attempts = {each.number: {sitting.attempt_id for sitting in each.begun} for each in evidence.candidates}
    return told.mismatches(records, expected_common(evidence), own, attempts)


def expected_common(evidence: Evidence) -> dict[Subject, datetime | None]:
    """What everybody must have been told; announcements with their time, as a postponement comes early."""
    common: dict[Subject, datetime | None] = {
        ("announcement", announcement_id): said_at
        for announcement_id, said_at in evidence.announcements.items()
    }
    for hall in evidence.halls:
        common[("paper_opened", str(hall.paper_id))] = None
        common[("paper_closed", str(hall.paper_id))] = None
    common[("results_released", str(evidence.halls[0].exam_id))] = None
    return common


def _own(evidence: Evidence, candidate: Candidate) -> Counter[Subject]:
    """What one candidate must have been told of their attempts."""
    mine = {sitting.attempt_id: sitting for sitting in candidate.begun}
    expected = Counter(
        (_TOLD_AS[order.verb], order.attempt_id)
        for order in evidence.orders
        if order.attempt_id in mine and order.verb in _TOLD_AS
    )
    for grant in evidence.grants:
        for id_, sitting in mine.items():
            row = evidence.rows.get(id_)
            is_over = row is not None and row.submitted_at is not None and row.submitted_at < grant.asked_at
            if _applies(grant, candidate) and sitting.started_at < grant.asked_at and not is_over:
                expected[("extended", id_)] += 1
    return expected
