"""Answer sheets taken on paper, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import StringConstraints

from app.api.deps import CurrentProctor, Now, Parts, Uow
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
    uow: Uow,
    parts: Parts,
    now: Now,
    file: Annotated[
        UploadFile, File(description="XLSX, or CSV in UTF-8; at most 25 MB and 20,000 answer sheets")
    ],
    dry_run: Annotated[bool, Form(description="Only tell what would happen")] = False,
    roll_number: Annotated[
        ColumnName,
        Form(description="The column of the roll numbers; by default `roll_number`, else the row's number"),
    ] = "",
    columns: Annotated[
        Columns,
        Form(description="The columns of the answers, by name or place: `1-100` or `Q1-Q50, Q61-Q110`"),
    ] = "",
) -> ImportOut:
    """Import answer sheets taken on paper: all of them or none.

    The answer is 200 also where rows are wrong: `errors` then names each row (as in a spreadsheet, the
    header is row 1), its column and how to mend it, and nothing was imported. A file that is no sheet at all
    is a 422; an exam that is not published, or cancelled, or released, and a paper that has not begun are a
    409. Importing the same file again changes nothing.

    A row is a candidate. Without `columns` the answers are the columns called `1`, `2` … or `Q1`, `Q2` …,
    each question's by its number; with it they are the ones that are listed, the first for the paper's first
    question, and all others are left out. A cell has the marked options, such as `b`, `BD` or `b,d`; a
    number; `true`, `false`, `T` or `F`; `NA`, `-` or nothing is blank. Two options to a question of one
    answer are wrong, as on paper.

    A roll number that nobody has gets a place in the exam that waits for an account
    (`POST /exams/{id}/registrations/{roll_number}/claim`), with the `name`, `category` and `pwbd` of these
    columns. An `email` gives the place to the account that has this address; where none has, that is a
    warning. A place that is there keeps its category.

    The sheets are graded at once, and their results held until the exam's are released. A candidate who has
    other answers at this paper is an error; a sheet replaces an earlier one that was voided
    (`updated` counts these, and places that an account was given).
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
        )
    return ImportOut.of(report)
