"""Answer sheets taken on paper, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import StringConstraints

from app.api.deps import CurrentProctor, Now, Parts
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PermissionFirstRoute
from app.core import full_collections
from app.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NotPossible,
    TooComplex,
    TooLarge,
    Unavailable,
)
from app.schemas.questions import ImportOut
from app.services import exams
from app.services.exams.answer_sheets.roll_numbers import UnknownRollNumbers

router = APIRouter(prefix="/exams/{exam_id}", tags=["exams"], route_class=PermissionFirstRoute)

Columns = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]
ColumnName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


@router.post(
    "/papers/{paper_id}/responses/import",
    responses=problems(
        Forbidden, NotFound, Conflict, NotPossible, TooLarge, Invalid, TooComplex, Unavailable
    ),
)
async def import_answer_sheets(
    exam_id: UUID,
    paper_id: UUID,
    staff: CurrentProctor,
    uow: OnceUow,
    parts: Parts,
    now: Now,
    file: Annotated[
        UploadFile, File(description="XLSX, or CSV in UTF-8; at most 25 MB and 20,000 answer sheets")
    ],
    dry_run: Annotated[bool, Form(description="Only report what would happen")] = False,
    roll_number: Annotated[
        ColumnName,
        Form(description="The column of roll numbers; by default `roll_number`, else the row's number"),
    ] = "",
    columns: Annotated[
        Columns,
        Form(description="The columns of answers, by name or position: `1-100` or `Q1-Q50, Q61-Q110`"),
    ] = "",
    unknown_roll_numbers: Annotated[
        UnknownRollNumbers,
        Form(description="Whether a roll number that is not registered is a new registration or an error"),
    ] = "accept",
) -> ImportOut:
    """Import answer sheets taken on paper: all of them or none.

    The response is 200 even if rows are invalid. Then nothing is imported, and `errors` has for each error
    the row (the header is row 1), the column and how to correct it. A file that is not a sheet is a 422. An
    exam that is not published, cancelled or released, and a paper that has not started, are a 409. Importing
    the same file again changes nothing.

    Each row is a candidate. Without `columns`, the answers are in the columns named `1`, `2` … or `Q1`, `Q2`
    …, by question number. With `columns`, they are in the listed columns, the first for the paper's first
    question; other columns are ignored. A cell has the marked options, such as `b`, `BD` or `b,d`; a number;
    or `true`, `false`, `T` or `F`. `NA`, `-` and an empty cell mean no answer. Two options are an incorrect
    answer if the question has one.

    For a roll number that is not registered there is a warning, which names the nearest registered numbers
    and those that read alike (`O` and `0`, `I` and `1`, hyphens, lost leading zeros). There is none if the
    exam has no registrations. With `unknown_roll_numbers=error` it is an error, and nothing is imported.
    There is also a warning for two rows whose roll numbers read alike.

    With `accept`, an unknown roll number is registered without an account, with the `name`, `category` and
    `pwbd` of these columns. Assign it later with `POST /exams/{id}/registrations/{roll_number}/claim`. An
    `email` assigns the registration to the account with this address; without such an account there is a
    warning. An existing registration keeps its category.

    The answer sheets are graded at once, and results are withheld until the exam's release. It is an error if
    the candidate already has other answers to this paper. An answer sheet replaces one that was voided
    (`updated` counts these, and registrations that got an account).
    """
    with full_collections.disabled():
        report = await exams.import_answer_sheets(
            uow,
            parts,
            staff,
            exam_id,
            paper_id,
            await file.read(),
            now,
            roll_number=roll_number or None,
            columns=columns or None,
            dry_run=dry_run,
            unknown_roll_numbers=unknown_roll_numbers,
        )
    return ImportOut.of(report)
