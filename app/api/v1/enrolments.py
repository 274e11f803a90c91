"""Enrolments and rosters, managed by admins."""

from typing import Annotated
from uuid import UUID

from fastapi import File, Form, UploadFile
from fastapi.responses import Response

from app.api.deps import CurrentAdmin, Now, Parts, Uow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.api.sheet_files import (
    A_REPORT,
    ReportFormat,
    ReportFormatField,
    check_report_format,
    remarks_response,
)
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

    Enrolled users see and can start tests whose `access` is `enrolled`, until `valid_until`. After an
    enrolment ends, by this call or on its date, the user cannot start these tests; an attempt in progress can
    still be resumed, saved, submitted and reviewed. Exams require a registration, not an enrolment. Batches
    are labels for staff and give no access.

    The change is in the audit log, and the user gets the notification `enrolment_changed` if access begins or
    ends, or its end date changes. Repeating the request changes nothing.
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
    enrol: Annotated[bool, Form(description="Also enrol the candidates")] = True,
    valid_until: Annotated[
        Moment | None,
        Form(description="End of the enrolments. If omitted, existing end dates are kept"),
    ] = None,
    report: ReportFormatField = ReportFormat.JSON,
) -> RosterImportOut | Response:
    """Import a roster: accounts, enrolments and registrations of all its candidates, or of none.

    The response is 200 even if rows are invalid. Then nothing is imported, and `errors` has for each error
    the row (the header is row 1), the column and how to correct it. Importing the same file again changes
    nothing and sends no mail.

    Required columns: `email`, `name`. Optional: `roll_number`, `category`, `pwbd`, `batch`. Candidates are
    identified by e-mail address. A candidate without an account gets one without a password, and a mail with
    a link to set it. For an existing account, a non-empty cell replaces the name, the category or the kind of
    disability, and each change is listed in `warnings`. Passwords, sessions and addresses of existing
    accounts do not change. A staff account is an error.

    With `exam_id`, the candidates are registered under the roll number in the file, or a random one. A
    registration that has this roll number and no account is assigned to the candidate. Without `exam_id`,
    roll numbers are ignored with a warning.

    If the auth server does not answer, the response is 503. Send the file again; it goes on where it stopped.
    """
    options = RosterOptions(exam_id, enrol, valid_until, dry_run)
    check_report_format(report, dry_run=dry_run)
    content = await file.read()
    found = await rosters.import_roster(parts, admin, content, options)
    if report is ReportFormat.SHEET:
        return await remarks_response(parts, admin.id, [content], found)
    return RosterImportOut.of(found)
