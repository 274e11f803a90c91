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

Columns = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
ColumnName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


_MAPPING = TypeAdapter(dict[str, str])


def _mapping(text: str) -> dict[str, str] | None:
    """The mapping of a form. Raises Invalid."""
    try:
        return _MAPPING.validate_json(text) if text else None
    except ValidationError:
        sentence = 'Send a JSON object of columns and what they are, such as {"Candidate": "roll_number"}.'
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
            " default `roll_number` or another usual name, else the row's number"
        ),
    ] = "",
    columns: Annotated[
        Columns,
        Form(description="The columns of answers, by name or position: `1-100` or `Q1-Q50, Q61-Q110`"),
    ] = "",
    format: Annotated[  # noqa: A002 -- the name of the field
        ScannerProgram, Form(description="The program that wrote the file")
    ] = "auto",
    blank: Annotated[Words, Form(description="What means no answer, such as `BLANK,0`")] = "",
    multiple: Annotated[
        Words, Form(description="What means more marks than are allowed, such as `MULT,*`")
    ] = "",
    numbers_from: Annotated[
        NumbersFrom | None, Form(description="If numbers stand for options: the number of the first one")
    ] = None,
    mapping: Annotated[
        Columns,
        Form(
            description='A JSON object of columns and what they are, such as `{"Candidate": "roll_number"}`:'
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
    the row (the header is row 1), the column and how to correct it. A file that is not a sheet is a 422. An
    exam that is not published, cancelled or released, and a paper that has not started, are a 409. Importing
    the same file again changes nothing.

    Each row is a candidate. Without `columns`, the answers are in the columns named `1`, `2` …, `Q1`, `Q2`
    …, `Question 1` or `प्रश्न 1`, by question number. With `columns`, they are in the listed columns, the first
    for the paper's first question; but listed columns that are named by the numbers of the questions go to
    these. A question that is there twice or missing is an error. Columns from which nothing is read are a
    warning. A cell has the marked options, such as `b`, `BD` or `b,d`; a number; or `true`, `false`, `T` or
    `F`. `NA`, `-` and an empty cell mean no answer. Two options are an incorrect answer if the question has
    one.

    The same sheet twice counts once, with a warning; two different sheets of a roll number are an error. If
    the sheets have several booklet series (a column `series` or `set`), the order of each is needed.

    A roll number that is not registered is an error, which names the nearest registered numbers and those
    that read alike (`O` and `0`, `I` and `1`, hyphens, lost leading zeros). With
    `unknown_roll_numbers=accept` it is a warning. Without `error`, an exam takes its candidates from its
    sheets if nobody is registered. There is also a warning for two rows whose roll numbers read alike, for
    blank sheets, for sheets and questions with several marks nearly everywhere, and for the scanner's errors.

    With `accept`, an unknown roll number is registered without an account, with the `name`, `category` and
    `pwbd` of these columns. Assign it later with `POST /exams/{id}/registrations/{roll_number}/claim`. An
    `email` assigns the registration to the account with this address; without such an account there is a
    warning. An existing registration keeps its category.

    The answer sheets are graded at once, and results are withheld until the exam's release. It is an error if
    the candidate already has other answers to this paper. An answer sheet replaces one that was voided
    (`updated` counts these, and registrations that got an account).
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
