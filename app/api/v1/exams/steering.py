"""Running exams over HTTP: accommodations, announcements, actions on attempts, monitor, audit log."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, status

from app.api.deps import CurrentAuthor, CurrentProctor, CurrentStaff, Now, Paging, Parts, Reads, Uow
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PermissionFirstRoute
from app.core.errors import Forbidden, Invalid, NotFound, NotPossible
from app.models import AttemptStatus
from app.repositories.exams import ExamAttemptFilter
from app.schemas.attempts import AttemptOut
from app.schemas.common import PageOut
from app.schemas.exams.exams import AnnouncementIn, AnnouncementOut, ExamOut, ExamPaperOut
from app.schemas.exams.steering import (
    AccommodationOut,
    AccommodationsChangedOut,
    AccommodationsIn,
    AccommodationsOut,
    AccommodationsTakenBackIn,
    AuditEntryOut,
    BulkIn,
    ClosedPaperOut,
    HallRowOut,
    MaybeReasonIn,
    MonitorOut,
    ReasonIn,
    ReopenIn,
    SecondsIn,
    SteeredOut,
)
from app.services import exams, realtime
from app.services.components import Components
from app.services.exams import ExamView, Order, Verb
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal

router = APIRouter(prefix="/exams/{exam_id}", tags=["running exams"], route_class=PermissionFirstRoute)

ATTEMPT = "/attempts/{attempt_id}"
STEERING = problems(NotFound, NotPossible, Invalid)
NEEDS_REASON = frozenset({Verb.EXTEND, Verb.REOPEN, Verb.VOID, Verb.ADMIT_LATE})


@router.get("/accommodations", responses=problems(NotFound))
async def list_accommodations(exam_id: UUID, staff: CurrentProctor, reads: Reads) -> AccommodationsOut:
    """All grants of extra time."""
    rows = await exams.accommodations(reads, staff, exam_id)
    return AccommodationsOut(items=[AccommodationOut.of(row) for row in rows])


@router.put("/accommodations", responses=STEERING)
async def accommodate(
    exam_id: UUID, body: AccommodationsIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> AccommodationsChangedOut:
    """Grant extra time. It applies to future attempts and at once to running ones.

    Name a person by `user_id`, `email` or `roll_number`, or a `group`. A candidate's own grant takes
    precedence over those of groups; among groups the longest applies. Grants that are not listed do not
    change. `extra_seconds: 0` takes a grant back, as DELETE does. An attempt that somebody has ended keeps
    the time that it had. `dry_run: true` answers what would happen and changes nothing.
    """
    done = await exams.accommodate(uow, parts, staff, exam_id, body.grants(), now, dry_run=body.dry_run)
    return AccommodationsChangedOut.of(done)


@router.delete("/accommodations", responses=STEERING)
async def take_back_accommodations(
    exam_id: UUID, body: AccommodationsTakenBackIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> AccommodationsChangedOut:
    """Take grants of extra time back. The candidate then has what the groups have.

    Deadlines of running attempts move back, at most to the present. An attempt that has ended keeps the time
    that it had. A grant that does not exist is listed under `unchanged`, so the call may be repeated. If your
    HTTP client cannot send a body with DELETE, use PUT with `extra_seconds: 0`, which does the same.
    """
    done = await exams.accommodate(uow, parts, staff, exam_id, body.grants(), now, dry_run=body.dry_run)
    return AccommodationsChangedOut.of(done)


@router.post("/announcements", status_code=status.HTTP_201_CREATED, responses=STEERING)
async def announce(
    exam_id: UUID, body: AnnouncementIn, staff: CurrentProctor, uow: OnceUow, now: Now
) -> AnnouncementOut:
    """Send an announcement to everybody in the exam."""
    return AnnouncementOut.model_validate(await exams.announce(uow, staff, exam_id, body.text, now))


@router.post("/papers/{paper_id}/close", responses=STEERING)
async def close_paper(
    exam_id: UUID,
    paper_id: UUID,
    staff: CurrentProctor,
    uow: Uow,
    now: Now,
    body: Annotated[MaybeReasonIn | None, Body()] = None,
) -> ClosedPaperOut:
    """Close a paper now: entry closes and running attempts end."""
    reason = (body or MaybeReasonIn()).reason
    paper, ended = await exams.close_paper(uow, staff, exam_id, paper_id, reason, now)
    shown = ExamPaperOut.of(exams.paper_view(paper, now))
    return ClosedPaperOut(**dict(shown), attempts_ended=ended)


@router.post("/postpone", responses=STEERING)
async def postpone(exam_id: UUID, body: SecondsIn, staff: CurrentProctor, uow: OnceUow, now: Now) -> ExamOut:
    """Postpone every paper that has not started, and notify everybody who is registered."""
    exam = await exams.postpone(uow, staff, exam_id, body.seconds, body.reason, now)
    return ExamOut.of(ExamView(exam, exams.stage_of(exam, now), None))


@router.post("/cancel", responses=STEERING | problems(Forbidden))
async def cancel(exam_id: UUID, body: ReasonIn, author: CurrentAuthor, uow: Uow, now: Now) -> ExamOut:
    """Cancel the exam: entry closes, no attempt counts, everybody is notified. Its tests can be used again.

    Only the exam's author and admins may do this.
    """
    exam = await exams.cancel(uow, author, exam_id, body.reason, now)
    return ExamOut.of(ExamView(exam, exams.stage_of(exam, now), None))


@router.post("/attempts/{verb}", responses=STEERING)
async def steer_many(
    exam_id: UUID, verb: Verb, body: BulkIn, staff: CurrentProctor, uow: OnceUow, parts: Parts, now: Now
) -> SteeredOut:
    """Extend, pause, resume, submit, reopen, void or admit late answers of many attempts at once.

    If the action is not possible for an attempt, this is reported, and the other attempts are not affected.
    """
    if verb is Verb.EXTEND and body.seconds is None:
        raise Invalid.field("seconds", "send the number of seconds")
    if body.seconds is not None and verb not in (Verb.EXTEND, Verb.REOPEN):
        raise Invalid.field("seconds", f"{verb} does not take seconds; leave it out")
    if body.reason is None and verb in NEEDS_REASON:
        raise Invalid.field("reason", "send a reason; it is stored in the audit log")
    if body.paper_id is not None and body.attempt_ids != "all":
        raise Invalid.field("paper_id", 'only allowed with "attempt_ids": "all"')
    order = Order(verb, body.reason, body.attempt_ids, body.seconds or 0, body.paper_id)
    return SteeredOut.of(await exams.steer(uow, parts, staff, exam_id, order, now))


@router.post(f"{ATTEMPT}/extend", responses=STEERING)
async def extend(
    exam_id: UUID,
    attempt_id: UUID,
    body: SecondsIn,
    staff: CurrentProctor,
    uow: OnceUow,
    parts: Parts,
    now: Now,
) -> AttemptOut:
    """Give an attempt more time. If it ended by its deadline, it continues; if it was submitted, 409."""
    order = Order(Verb.EXTEND, body.reason, [attempt_id], body.seconds)
    return AttemptOut.of(await exams.steer_one(uow, parts, staff, exam_id, order, now))


@router.post(f"{ATTEMPT}/reopen", responses=STEERING)
async def reopen(
    exam_id: UUID,
    attempt_id: UUID,
    body: ReopenIn,
    staff: CurrentProctor,
    uow: OnceUow,
    parts: Parts,
    now: Now,
) -> AttemptOut:
    """Reopen an attempt that has ended, with the time that was left when it ended and `seconds` more.

    If a void attempt had ended before it was voided, only the voiding is undone.
    """
    order = Order(Verb.REOPEN, body.reason, [attempt_id], body.seconds)
    return AttemptOut.of(await exams.steer_one(uow, parts, staff, exam_id, order, now))


@router.post(f"{ATTEMPT}/void", responses=STEERING)
async def void(
    exam_id: UUID, attempt_id: UUID, body: ReasonIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> AttemptOut:
    """Exclude the attempt from results and rankings."""
    return await _steer(uow, parts, staff, exam_id, attempt_id, Verb.VOID, body.reason, now=now)


@router.post(f"{ATTEMPT}/admit-late", responses=STEERING)
async def admit_late(
    exam_id: UUID, attempt_id: UUID, body: ReasonIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> AttemptOut:
    """Count the answers that arrived after the deadline and its grace period, for example after an outage."""
    return await _steer(uow, parts, staff, exam_id, attempt_id, Verb.ADMIT_LATE, body.reason, now=now)


def _add_simple_verb(verb: Verb, summary: str) -> None:
    """Add the route of an action whose reason is optional: pause, resume, submit."""

    async def steer_one(
        exam_id: UUID,
        attempt_id: UUID,
        staff: CurrentProctor,
        uow: Uow,
        parts: Parts,
        now: Now,
        body: Annotated[MaybeReasonIn | None, Body()] = None,
    ) -> AttemptOut:
        reason = (body or MaybeReasonIn()).reason
        return await _steer(uow, parts, staff, exam_id, attempt_id, verb, reason, now=now)

    router.add_api_route(
        f"{ATTEMPT}/{verb}",
        steer_one,
        methods=["POST"],
        name=f"{verb}_attempt",
        description=summary,
        responses=STEERING,
    )


_add_simple_verb(
    Verb.PAUSE, "Pause an attempt. Its time stops, and no answers are accepted until it is resumed."
)
_add_simple_verb(Verb.RESUME, "Resume a paused attempt with exactly the time that was left.")
_add_simple_verb(Verb.SUBMIT, "Submit an attempt on behalf of its candidate.")


@router.get("/monitor", responses=problems(NotFound))
async def monitor(exam_id: UUID, staff: CurrentStaff, reads: Reads, parts: Parts, now: Now) -> MonitorOut:
    """Counts of attempts by status. The exam's socket sends the same to staff every two seconds."""
    seen = await exams.monitor(reads, staff, exam_id, now)
    return MonitorOut.of(seen, parts.clock.now(), await realtime.connected(parts, exam_id))


@router.get("/attempts", responses=problems(NotFound, Invalid))
async def list_attempts(
    exam_id: UUID,
    staff: CurrentProctor,
    reads: Reads,
    parts: Parts,
    paging: Paging,
    paper_id: UUID | None = None,
    status: Annotated[list[AttemptStatus] | None, Query(max_length=10, description="Any of these")] = None,
    query: Annotated[str | None, Query(max_length=100, description="Roll number or part of a name")] = None,
) -> PageOut[HallRowOut]:
    """Candidates' attempts, newest first, with their deadlines and the times of the last save."""
    wanted = ExamAttemptFilter(paper_id, status or (), query)
    page = await exams.candidates(reads, staff, exam_id, wanted, paging)
    connected = await realtime.connected(parts, exam_id)
    rows = [HallRowOut.of_candidate(row, connected) for row in page.items]
    return PageOut(items=rows, next_cursor=page.next_cursor)


@router.get("/audit", responses=problems(NotFound))
async def list_audit(
    exam_id: UUID, staff: CurrentProctor, reads: Reads, paging: Paging
) -> PageOut[AuditEntryOut]:
    """Actions of staff on the exam and its attempts, newest first."""
    page = await exams.audit(reads, staff, exam_id, paging)
    return PageOut(
        items=[AuditEntryOut.model_validate(row) for row in page.items], next_cursor=page.next_cursor
    )


async def _steer(
    uow: UnitOfWork,
    parts: Components,
    staff: Principal,
    exam_id: UUID,
    attempt_id: UUID,
    verb: Verb,
    reason: str | None,
    *,
    now: Now,
) -> AttemptOut:
    order = Order(verb, reason, [attempt_id])
    return AttemptOut.of(await exams.steer_one(uow, parts, staff, exam_id, order, now))
