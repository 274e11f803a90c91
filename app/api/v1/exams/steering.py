"""Running exams over HTTP: accommodations, announcements, actions on attempts, monitor, audit log."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Query, status

from app.api.deps import CurrentAuthor, CurrentProctor, CurrentStaff, Now, Paging, Parts, Reads, Uow
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Forbidden, Invalid, NotFound, NotPossible, Unavailable
from app.models import AttemptStatus
from app.repositories.exams import ExamAttemptFilter
from app.schemas.common import PageOut
from app.schemas.exams.catalog import ExamOut
from app.schemas.exams.exams import AnnouncementIn, AnnouncementOut
from app.schemas.exams.staff_actions import (
    BulkIn,
    CancelIn,
    ClosedPaperOut,
    ClosePaperIn,
    DryRunOut,
    ExtendIn,
    ReopenIn,
    SteeredAttemptOut,
    SteeredOut,
)
from app.schemas.exams.steering import (
    AccommodationOut,
    AccommodationsChangedOut,
    AccommodationsIn,
    AccommodationsOut,
    AccommodationsTakenBackIn,
    AuditEntryOut,
    HallRowOut,
    MaybeReasonIn,
    MonitorOut,
    ReasonIn,
    SecondsIn,
)
from app.sentences import Sentence
from app.services import exams, realtime
from app.services.components import Components
from app.services.exams import ClosePaper, StaffAction, Verb
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal

router = PrefixRouter(prefix="/exams/{exam_id}", tags=["running exams"])

ATTEMPT = "/attempts/{attempt_id}"
STEERING = problems(NotFound, NotPossible, Invalid)
NEEDS_REASON = frozenset({Verb.EXTEND, Verb.REOPEN, Verb.VOID, Verb.ADMIT_LATE})
TAKEN_BY = {
    "seconds": (Verb.EXTEND, Verb.REOPEN),
    "again": (Verb.EXTEND,),
    "go_on": (Verb.REOPEN,),
    "include": (Verb.SUBMIT,),
}
"""Fields of a bulk action that only some verbs take."""


@router.get("/accommodations", responses=problems(NotFound))
async def list_accommodations(
    exam_id: UUID, staff: CurrentProctor, reads: Reads, paging: Paging
) -> AccommodationsOut:
    """The grants of extra time, the oldest first."""
    page = await exams.accommodations(reads, staff, exam_id, paging)
    items = [AccommodationOut.of(row) for row in page.items]
    return AccommodationsOut(items=items, next_cursor=page.next_cursor)


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
    parts: Parts,
    now: Now,
    body: Annotated[ClosePaperIn | None, Body()] = None,
) -> ClosedPaperOut | DryRunOut:
    """Close a paper now: entry closes and running attempts end.

    Attempts that have extra time, or that are paused, go on to their own deadlines: they end only if
    `include` names them. The answer says how many were left out. Try it with `dry_run: true` first.
    """
    asked = body or ClosePaperIn()
    wanted = ClosePaper(exam_id, paper_id, asked.reason, frozenset(asked.include))
    if asked.dry_run:
        return DryRunOut.of_action(await exams.preview_close(uow, parts, staff, wanted, now))
    closed = await exams.close_paper(uow, parts, staff, wanted, now)
    return ClosedPaperOut.of_closed(closed, await exams.detailed_paper(uow, closed.paper, now))


@router.post("/postpone", responses=STEERING)
async def postpone(exam_id: UUID, body: SecondsIn, staff: CurrentProctor, uow: OnceUow, now: Now) -> ExamOut:
    """Postpone every paper that has not started, and notify everybody who is registered."""
    exam = await exams.postpone(uow, staff, exam_id, body.seconds, body.reason, now)
    return ExamOut.of(await exams.view(uow, staff, exam, now))


@router.post("/cancel", responses=STEERING | problems(Forbidden))
async def cancel(
    exam_id: UUID, body: CancelIn, author: CurrentAuthor, uow: Uow, now: Now
) -> ExamOut | DryRunOut:
    """Cancel the exam: entry closes, no attempt counts, everybody is notified. Its tests can be used again.

    This cannot be undone: try it with `dry_run: true` first. Only the exam's author and admins may do this.
    """
    if body.dry_run:
        return DryRunOut.of(await exams.preview_cancel(uow, author, exam_id, body.reason, now))
    exam = await exams.cancel(uow, author, exam_id, body.reason, now)
    return ExamOut.of(await exams.view(uow, author, exam, now))


@router.post("/attempts/{verb}", responses=STEERING)
async def steer_many(
    exam_id: UUID, verb: Verb, body: BulkIn, staff: CurrentProctor, uow: OnceUow, parts: Parts, now: Now
) -> SteeredOut | DryRunOut:
    """Extend, pause, resume, submit, reopen, void or admit late answers of many attempts at once.

    If the action is not possible for an attempt, this is reported, and the other attempts are not affected.
    A submit of `"all"` leaves out attempts that have extra time or are paused, unless `include` names them.
    `dry_run: true` answers how many attempts would change, how many would lose how much time, who has extra
    time and who is paused.
    """
    _check_bulk(verb, body)
    action = StaffAction(
        verb,
        body.reason,
        body.attempt_ids,
        body.seconds or 0,
        body.paper_id,
        include=frozenset(body.include),
        again=body.again,
        go_on=body.go_on,
    )
    if body.dry_run:
        return DryRunOut.of_action(await exams.preview(uow, parts, staff, exam_id, action, now))
    return SteeredOut.of(await exams.steer(uow, parts, staff, exam_id, action, now))


def _check_bulk(verb: Verb, body: BulkIn) -> None:
    """Raise Invalid for a field that this verb needs or does not take."""
    if verb is Verb.EXTEND and body.seconds is None:
        raise Invalid.field("seconds", "Send the number of seconds.")
    if body.reason is None and verb in NEEDS_REASON:
        raise Invalid.field("reason", "Send a reason. It is stored in the audit log.")
    for name, verbs in TAKEN_BY.items():
        if getattr(body, name) and verb not in verbs:
            raise Invalid.field(name, Sentence("{verb} does not take this field. Leave it out.", verb=verb))
    for name in ("paper_id", "include"):
        if getattr(body, name) and body.attempt_ids != "all":
            raise Invalid.field(name, 'This is only allowed with "attempt_ids": "all".')


@router.post(f"{ATTEMPT}/extend", responses=STEERING)
async def extend_attempt(
    exam_id: UUID,
    attempt_id: UUID,
    body: ExtendIn,
    staff: CurrentProctor,
    uow: OnceUow,
    parts: Parts,
    now: Now,
) -> SteeredAttemptOut:
    """Give an attempt more time. If it ended by its deadline, it continues; if it was submitted, 409.

    The same extension by the same person, with the same reason and within 30 seconds, is taken for a repeated
    request and adds nothing, unless `again` is true.
    """
    action = StaffAction(Verb.EXTEND, body.reason, [attempt_id], body.seconds, again=body.again)
    return SteeredAttemptOut.of_one(await exams.steer_one(uow, parts, staff, exam_id, action, now))


@router.post(f"{ATTEMPT}/reopen", responses=STEERING)
async def reopen_attempt(
    exam_id: UUID,
    attempt_id: UUID,
    body: ReopenIn,
    staff: CurrentProctor,
    uow: OnceUow,
    parts: Parts,
    now: Now,
) -> SteeredAttemptOut:
    """Reopen an attempt that has ended, with the time that was left when it ended and `seconds` more.

    Of a void attempt the voiding is taken back: it is in progress, paused or submitted, as it was before. If
    it had ended before, `go_on: true` lets it go on.
    """
    action = StaffAction(Verb.REOPEN, body.reason, [attempt_id], body.seconds, go_on=body.go_on)
    return SteeredAttemptOut.of_one(await exams.steer_one(uow, parts, staff, exam_id, action, now))


@router.post(f"{ATTEMPT}/void", responses=STEERING)
async def void_attempt(
    exam_id: UUID, attempt_id: UUID, body: ReasonIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> SteeredAttemptOut:
    """Exclude the attempt from results and rankings."""
    return await _steer(uow, parts, staff, exam_id, attempt_id, Verb.VOID, body.reason, now=now)


@router.post(f"{ATTEMPT}/admit-late", responses=STEERING)
async def admit_late(
    exam_id: UUID, attempt_id: UUID, body: ReasonIn, staff: CurrentProctor, uow: Uow, parts: Parts, now: Now
) -> SteeredAttemptOut:
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
    ) -> SteeredAttemptOut:
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


@router.get("/attempts", responses=problems(NotFound, Invalid, Unavailable))
async def list_attempts(
    exam_id: UUID,
    staff: CurrentProctor,
    reads: Reads,
    parts: Parts,
    paging: Paging,
    paper_id: Annotated[UUID | None, Query(description="Only attempts at this paper")] = None,
    status: Annotated[list[AttemptStatus] | None, Query(max_length=10, description="Any of these")] = None,
    query: Annotated[
        str | None,
        Query(
            max_length=254,
            description="The beginning of a roll number or of an email address, or a part of a name",
        ),
    ] = None,
    connected: Annotated[
        bool | None, Query(description="Only candidates who have an open socket, or who have none")
    ] = None,
) -> PageOut[HallRowOut]:
    """Candidates' attempts, newest first: deadline, extra time, lease and device, progress, last save.

    The log is read for the attempts of the page only. Ask for the page every few seconds.
    """
    online = await realtime.connected(parts, exam_id)
    if connected is not None and online is None:
        raise Unavailable("It is not known who is connected. Try again, or leave `connected` out.")
    wanted = ExamAttemptFilter(
        paper_id,
        status or (),
        (query or "").strip() or None,
        only_users=online if connected else None,
        except_users=online or () if connected is False else (),
    )
    page = await exams.candidates(reads, staff, exam_id, wanted, paging)
    rows = [HallRowOut.of_candidate(row, online) for row in page.items]
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
) -> SteeredAttemptOut:
    action = StaffAction(verb, reason, [attempt_id])
    return SteeredAttemptOut.of_one(await exams.steer_one(uow, parts, staff, exam_id, action, now))
