"""Answer sheets taken on paper, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import File, Form, UploadFile
from fastapi.responses import Response
from pydantic import StringConstraints, TypeAdapter, ValidationError

from app.api.deps import CurrentProctor, Now, Parts
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.api.sheet_files import (
    A_REPORT_OF_FILES,
    ReportFormat,
    ReportFormatField,
    check_report_format,
    remarks_response,
)
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
from app.services.exams.answer_sheets.options import NumbersFrom, ScannerProgram
from app.services.exams.answer_sheets.roll_numbers import UnknownRollNumbers

router = PrefixRouter(prefix="/exams/{exam_id}", tags=["exams"])

LongText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
ColumnName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


_MAPPING = TypeAdapter(dict[str, str])


def _mapping(text: str) -> dict[str, str] | None:
    """Parse the field `mapping`. None if it is empty. Raises Invalid."""
    try:
        return _MAPPING.validate_json(text) if text else None
    except ValidationError:
        sentence = 'Send a JSON object from column name to meaning, such as {"Candidate": "roll_number"}.'
        raise Invalid.field("mapping", sentence) from None


@router.post(
    "/papers/{paper_id}/responses/import",
    response_model=ImportOut,
    responses=A_REPORT_OF_FILES
    | problems(Forbidden, NotFound, Conflict, NotPossible, TooLarge, Invalid, TooComplex, Unavailable),
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
    more_files: Annotated[
        list[UploadFile] | None,
        File(
            description="Further files: other candidates, or other parts of the same sheets. A request has"
            " at most 100 files, with 25 MB together"
        ),
    ] = None,
    roll_number: Annotated[
        ColumnName,
        Form(
            description="The column of roll numbers, or the columns of their digits, such as `id1-id6`; by"
            " default `roll_number` or another usual name, or `id1`, `id2` …. Without one, the row's number"
            " is used if `columns` is given or every column is read"
        ),
    ] = "",
    columns: Annotated[
        LongText,
        Form(description="The columns of answers, by name or position: `1-100` or `Q1-Q50, Q61-Q110`"),
    ] = "",
    format: Annotated[  # noqa: A002 -- the name of the field
        ScannerProgram, Form(description="The program that wrote the file")
    ] = "auto",
    blank: Annotated[
        Words, Form(description="Cells that mean no answer, separated by commas, such as `BLANK,0`")
    ] = "",
    multiple: Annotated[
        Words, Form(description="Cells that mean several marks, separated by commas, such as `MULT,*`")
    ] = "",
    numbers_from: Annotated[
        NumbersFrom | None, Form(description="If numbers stand for options: the number of the first one")
    ] = None,
    mapping: Annotated[
        LongText,
        Form(
            description='A JSON object from column name to meaning, such as `{"Candidate": "roll_number"}`:'
            " `roll_number`, `name`, `email`, `category`, `pwbd`, `series`, `error`, `ignore`, or a question"
            " such as `q7`"
        ),
    ] = "",
    order: Annotated[
        UploadFile | None,
        File(
            description="A table of the order in each booklet series: the column `question`, and one for each"
            " series with the place of that question"
        ),
    ] = None,
    unknown_roll_numbers: Annotated[
        UnknownRollNumbers,
        Form(
            description="Whether a roll number that is not registered is a new registration or an error; with"
            " `auto` it is an error if anybody is registered otherwise than by an answer sheet"
        ),
    ] = "auto",
    report: ReportFormatField = ReportFormat.JSON,
) -> ImportOut | Response:
    """Import answer sheets taken on paper: all of them or none.

    The response is 200 even if rows are invalid. Then nothing is imported, and `errors` has for each error
    the row, as numbered in the file, the column and how to correct it. A file that is not a sheet is a 422.
    It is a 409 if the exam is not published yet, was cancelled or is released, or if the paper has not
    started. Importing the same file again changes nothing.

    Each row is a candidate. Without `columns`, the answers are in the columns named `1`, `2` …, `Q1`, `Q2`
    …, `Question 1` or `प्रश्न 1`, by question number. With `columns`, the listed columns are assigned
    to the questions by number if all of them have such names, and otherwise in order. It is an error if a
    question has two columns or none. Columns from which nothing is read are a warning, unless `mapping`
    ignores them; one that looks like a booklet series is an error. A cell has the marked options, such as
    `b`, `BD` or `b,d`; a number; or `true`, `false`, `T` or `F`. `NA`, `-` and an empty cell mean no answer.
    Several options are an incorrect answer to a question that allows only one.

    The same sheet twice counts once, with a warning; two different sheets of a roll number are an error. If
    the sheets have several booklet series (a column `series` or `set`), the order of each is needed.

    With `unknown_roll_numbers=error`, a roll number that is not registered is an error. With `accept`, it is
    a new registration, with a warning if anybody is registered. `auto` is `error` if anybody is registered
    otherwise than by an answer sheet, and else `accept`. The error or warning names the nearest registered
    numbers and those that read alike (`O` and `0`, `I` and `1`, hyphens, lost leading zeros). The roll number
    of a withdrawn candidate is always an error. There is also a warning for two rows whose roll numbers read
    alike, for blank sheets, for sheets and questions of which nearly all answers have several marks, and for
    the scanner's errors.

    A roll number that is accepted is registered without an account, with the values of the columns `name`,
    `category` and `pwbd`. Assign it later with `POST /exams/{id}/registrations/{roll_number}/claim`. An
    `email` assigns the registration to the account with this address; without such an account there is a
    warning. An existing registration keeps its category and `pwbd`.

    The answer sheets are graded at once, and results are withheld until the exam's release. It is an error if
    the candidate already has other answers to this paper. An answer sheet replaces one that was voided.
    `updated` counts the sheets that replaced another, and registrations that got an account.
    """
    check_report_format(report, dry_run=dry_run)
    contents = [await each.read() for each in (file, *(more_files or ()))]
    with full_collections.disabled():
        found = await exams.import_answer_sheets(
            uow,
            parts,
            staff,
            exam_id,
            paper_id,
            contents[0],
            now,
            more_files=contents[1:],
            options=exams.file_options(
                roll_number=roll_number,
                columns=columns,
                program=format,
                blank=blank,
                multiple=multiple,
                numbers_from=numbers_from,
                mapping=_mapping(mapping),
            ),
            order=await order.read() if order is not None else None,
            dry_run=dry_run,
            unknown_roll_numbers=unknown_roll_numbers,
        )
    if report is ReportFormat.SHEET:
        return await remarks_response(parts, staff.id, contents, found)
    return ImportOut.of(found)
