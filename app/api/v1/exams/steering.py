"""Running an exam: accommodations, announcements, steering of attempts, the monitor, the audit."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, status

from app.api.deps import CurrentAuthor, CurrentProctor, CurrentStaff, Now, Paging, Parts, Reads, Uow
from app.api.problems import problems
from app.api.routing import PermissionFirstRoute
from app.core.errors import Forbidden, Invalid, NotFound, NotPossible
from app.models import AttemptStatus
from app.repositories.exams import ExamAttemptFilter
from app.schemas.attempts import AttemptOut
from app.schemas.common import PageOut
from app.schemas.exams import AnnouncementIn, AnnouncementOut, ExamOut, ExamPaperOut
from app.schemas.steering import (
    AccommodationOut,
    AccommodationsIn,
    AccommodationsOut,
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
    """Who is granted extra time."""
    rows = await exams.accommodations(reads, staff, exam_id)
    return AccommodationsOut(items=[AccommodationOut.of(row) for row in rows])


@router.put("/accommodations", responses=STEERING)
async def accommodate(
    exam_id: UUID, body: AccommodationsIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> AccommodationsOut:
    """Grant extra time, before the exam and at once to those who are sitting.

    A person's own beats their groups'; of groups the longest counts. Who is not named keeps what they have;
    `extra_seconds: 0` takes it back.
    """
    rows = await exams.accommodate(uow, parts, staff, exam_id, body.grants(), now)
    return AccommodationsOut(items=[AccommodationOut.of(row) for row in rows])


@router.post("/announcements", status_code=status.HTTP_201_CREATED, responses=STEERING)
async def announce(
    exam_id: UUID, body: AnnouncementIn, staff: CurrentProctor, uow: Uow, now: Now
) -> AnnouncementOut:
    """Say something to everybody in the exam."""
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
    """End a paper now: nobody enters any more, and running attempts end."""
    reason = (body or MaybeReasonIn()).reason
    paper, ended = await exams.close_paper(uow, staff, exam_id, paper_id, reason, now)
    shown = ExamPaperOut.of(exams.paper_view(paper, now))
    return ClosedPaperOut(**dict(shown), attempts_ended=ended)


@router.post("/postpone", responses=STEERING)
async def postpone(exam_id: UUID, body: SecondsIn, staff: CurrentProctor, uow: Uow, now: Now) -> ExamOut:
    """Move every paper that has not begun, and tell everybody."""
    exam = await exams.postpone(uow, staff, exam_id, body.seconds, body.reason, now)
    return ExamOut.of(ExamView(exam, exams.stage_of(exam, now), None))


@router.post("/cancel", responses=STEERING | problems(Forbidden))
async def cancel(exam_id: UUID, body: ReasonIn, author: CurrentAuthor, uow: Uow, now: Now) -> ExamOut:
    """Call the exam off: nobody enters, no attempt counts, everybody is told. Its tests are free again.

    For who made the exam, and for admins.
    """
    exam = await exams.cancel(uow, author, exam_id, body.reason, now)
    return ExamOut.of(ExamView(exam, exams.stage_of(exam, now), None))


@router.post("/attempts/{verb}", responses=STEERING)
async def steer_many(
    exam_id: UUID, verb: Verb, body: BulkIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> SteeredOut:
    """Extend, pause, resume, submit, reopen, void or admit late answers of many attempts at once.

    An attempt to which it cannot be done is reported and stops no other.
    """
    if verb is Verb.EXTEND and body.seconds is None:
        raise Invalid.field("seconds", "say how many seconds the attempts get")
    if body.seconds is not None and verb not in (Verb.EXTEND, Verb.REOPEN):
        raise Invalid.field("seconds", f"{verb} takes none; leave it out")
    if body.reason is None and verb in NEEDS_REASON:
        raise Invalid.field("reason", "say why; it is kept in the audit")
    if body.paper_id is not None and body.attempt_ids != "all":
        raise Invalid.field("paper_id", 'goes with "attempt_ids": "all" alone')
    order = Order(verb, body.reason, body.attempt_ids, body.seconds or 0, body.paper_id)
    return SteeredOut.of(await exams.steer(uow, parts, staff, exam_id, order, now))


@router.post(f"{ATTEMPT}/extend", responses=STEERING)
async def extend(
    exam_id: UUID, attempt_id: UUID, body: SecondsIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> AttemptOut:
    """Give an attempt more time. One that its deadline has ended goes on; one that was submitted is 409."""
    order = Order(Verb.EXTEND, body.reason, [attempt_id], body.seconds)
    return AttemptOut.of(await exams.steer_one(uow, parts, staff, exam_id, order, now))


@router.post(f"{ATTEMPT}/reopen", responses=STEERING)
async def reopen(
    exam_id: UUID, attempt_id: UUID, body: ReopenIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> AttemptOut:
    """Let an attempt go on that is over, with the time that was left when it ended and `seconds` more.

    Of a void one that was over before, only the voiding is taken back.
    """
    order = Order(Verb.REOPEN, body.reason, [attempt_id], body.seconds)
    return AttemptOut.of(await exams.steer_one(uow, parts, staff, exam_id, order, now))


@router.post(f"{ATTEMPT}/void", responses=STEERING)
async def void(
    exam_id: UUID, attempt_id: UUID, body: ReasonIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> AttemptOut:
    """Let an attempt count nowhere."""
    return await _steer(uow, parts, staff, exam_id, attempt_id, Verb.VOID, body.reason, now=now)


@router.post(f"{ATTEMPT}/admit-late", responses=STEERING)
async def admit_late(
    exam_id: UUID, attempt_id: UUID, body: ReasonIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> AttemptOut:
    """Let the answers count that came after the deadline and its grace, for an incident."""
    return await _steer(uow, parts, staff, exam_id, attempt_id, Verb.ADMIT_LATE, body.reason, now=now)


def _add_simple_verb(verb: Verb, summary: str) -> None:
    """A verb that needs no reason: pause, resume, submit."""

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


_add_simple_verb(Verb.PAUSE, "Stop an attempt's clock. It takes no answers until it is resumed.")
_add_simple_verb(Verb.RESUME, "Let a paused attempt go on with exactly the time that was left.")
_add_simple_verb(Verb.SUBMIT, "End an attempt for its candidate.")


@router.get("/monitor", responses=problems(NotFound))
async def monitor(exam_id: UUID, staff: CurrentStaff, reads: Reads, parts: Parts, now: Now) -> MonitorOut:
    """How many are where. The exam's socket tells staff the same every other second."""
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
    status: AttemptStatus | None = None,
    query: Annotated[str | None, Query(max_length=100, description="Roll number or part of a name")] = None,
) -> PageOut[HallRowOut]:
    """Candidates' attempts, newest first: who sits, until when, and when they last saved."""
    page = await exams.candidates(reads, staff, exam_id, ExamAttemptFilter(paper_id, status, query), paging)
    connected = await realtime.connected(parts, exam_id)
    rows = [HallRowOut.of_candidate(row, connected) for row in page.items]
    return PageOut(items=rows, next_cursor=page.next_cursor)


@router.get("/audit", responses=problems(NotFound))
async def list_audit(
    exam_id: UUID, staff: CurrentProctor, reads: Reads, paging: Paging
) -> PageOut[AuditEntryOut]:
    """What staff did to the exam and its attempts, newest first."""
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
