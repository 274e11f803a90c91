"""Enrolments and rosters, managed by admins."""

from typing import Annotated
from uuid import UUID

from fastapi import File, Form, UploadFile
from fastapi.responses import Response

from app.api.deps import CurrentAdmin, Now, Parts, Uow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.api.sheet_files import A_REPORT, InForm, ReportForm, check_form, remarks_response
from app.core.errors import Conflict, Invalid, NotFound, NotPossible, TooComplex, TooLarge, Unavailable
from app.schemas.strict import Moment
from app.schemas.users import EnrolmentIn, MemberOut, RosterImportOut
from app.services import enrolments, rosters
from app.services.rosters import RosterOptions

router = PrefixRouter(prefix="/users", tags=["users"])


@router.put("/{user_id}/enrolment", responses=problems(NotFound, Invalid))
async def change_enrolment(
    user_id: UUID, body: EnrolmentIn, admin: CurrentAdmin, uow: Uow, now: Now
) -> MemberOut:
    """Replace the enrolment of a user. It takes effect with the user's next request.

    Enrolled users see and start the tests whose `access` is `enrolled`, until `valid_until`. The end of an
    enrolment, by this call or by its date, decides about starts only: an attempt in progress goes on, and can
    be resumed, saved, submitted and reviewed. Exams do not ask for an enrolment: their registration decides.
    Batches are names for staff and give no access of their own.

    The change is in the audit log, and the user gets the notification `enrolment_changed` if access begins,
    ends, or has another end. The same request again changes nothing.
    """
    return MemberOut.of(await enrolments.enrol(uow, admin, user_id, body.order(), now), now)


@router.post(
    "/import",
    response_model=RosterImportOut,
    responses=A_REPORT
    | problems(NotFound, Conflict, NotPossible, TooLarge, Invalid, TooComplex, Unavailable),
)
async def import_roster(
    admin: CurrentAdmin,
    parts: Parts,
    file: Annotated[UploadFile, File(description="XLSX, or CSV in UTF-8; at most 2,000 candidates")],
    dry_run: Annotated[bool, Form(description="Only report what would happen")] = False,
    exam_id: Annotated[UUID | None, Form(description="Also register the candidates for this exam")] = None,
    enrol: Annotated[bool, Form(description="Whether the candidates are enrolled")] = True,
    valid_until: Annotated[
        Moment | None, Form(description="When the enrolments end; left out: ends of before stay")
    ] = None,
    report: InForm = ReportForm.JSON,
) -> RosterImportOut | Response:
    """Import a roster: accounts, enrolments and registrations of all its candidates, or of none.

    The response is 200 even if rows are invalid. Then nothing is imported, and `errors` has for each error
    the row (the header is row 1), the column and how to correct it. Importing the same file again changes
    nothing and sends no mail.

    Columns: `email` and `name`, and if you like `roll_number`, `category`, `pwbd` and `batch`. A candidate is
    known by the address. Who has no account gets one without a password, and a mail with a link to set it. Of
    an existing account, a cell that is not empty replaces name, category and kind of disability; each such
    change is in `warnings`. Passwords, sessions and addresses of existing accounts are never touched, and an
    account of staff is an error.

    With `exam_id` the candidates are registered, under the roll number of the file or else under a random
    one. A registration without an account and with that roll number becomes the candidate's. Without
    `exam_id` roll numbers are left out, with a warning.

    If the auth server does not answer, the response is 503. Send the file again; it goes on where it stopped.
    """
    options = RosterOptions(exam_id, enrol, valid_until, dry_run)
    check_form(report, dry_run=dry_run)
    content = await file.read()
    found = await rosters.import_roster(parts, admin, content, options)
    if report is ReportForm.SHEET:
        return await remarks_response(parts, admin.id, [content], found)
    return RosterImportOut.of(found)
