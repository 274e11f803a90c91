"""The question bank over HTTP, for staff. Candidates get papers only."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Depends, File, Form, Path, Query, UploadFile, status
from fastapi.responses import Response
from pydantic import Json, StringConstraints, WithJsonSchema

from app.api.deps import BankTurn, CurrentAuthor, CurrentBankReader, Paging, Parts, Reads, Uow, takes_nothing
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.api.sheet_files import (
    A_REPORT,
    A_SHEET,
    MEDIA_TYPES,
    QUESTIONS,
    ReportFormat,
    ReportFormatField,
    attachment,
    check_report_format,
    items_response,
    remarks_response,
    sheet_response,
)
from app.core.errors import (
    AlreadyExists,
    Forbidden,
    Invalid,
    NotFound,
    QuestionUnreadable,
    TooComplex,
    TooLarge,
    Unavailable,
)
from app.interchange.formats import FORMATS, FormatName
from app.repositories.questions import QuestionFilter
from app.schemas.common import LanguageTag, PageOut
from app.schemas.question_files import ExportIn
from app.schemas.question_formats import CompiledOut, FormatIn
from app.schemas.questions import (
    ChangedQuestionOut,
    Difficulty,
    DiffOut,
    DuplicateOut,
    ImportOut,
    MappingIn,
    QuestionChanges,
    QuestionIn,
    QuestionOut,
    QuestionStatus,
    QuestionWithVersionsOut,
    Tag,
)
from app.services import questions
from app.services.questions import EmptyKey, Export, FileKind, FileOptions, ImagesZip, TemplateLanguage
from app.sheets.kruti_dev import LegacyFont
from app.sheets.writers import SheetFormat

router = PrefixRouter(prefix="/questions", tags=["questions"])

VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]

SubjectName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]


def _wanted(
    subject_id: Annotated[UUID | None, Query(description="Only questions of this subject")] = None,
    chapter_id: Annotated[UUID | None, Query(description="Only questions of this chapter")] = None,
    tag: Annotated[
        list[Tag] | None, Query(max_length=20, description="Several tags: questions with any of them")
    ] = None,
    difficulty: Annotated[Difficulty | None, Query(description="Only questions of this difficulty")] = None,
    status: Annotated[list[QuestionStatus] | None, Query(max_length=5, description="Any of these")] = None,
    query: Annotated[
        str | None,
        Query(max_length=200, description="Words in any form, a part of the text, or an `external_id`"),
    ] = None,
) -> QuestionFilter:
    return QuestionFilter(subject_id, chapter_id, tag or (), difficulty, status or (), query or None)


Wanted = Annotated[QuestionFilter, Depends(_wanted)]


@router.get("", responses=problems(Forbidden, Invalid))
async def list_questions(
    wanted: Wanted, reads: Reads, reader: CurrentBankReader, paging: Paging
) -> PageOut[QuestionOut]:
    """Questions in their current version, oldest first. Questions must match all filters.

    `query` finds English and Hindi words in any form, in text, options and tags. `"…"`, `or` and `-` work as
    in a search engine. It also finds parts of a text, and an `external_id`.
    """
    page = await questions.page(reads, reader, wanted, paging)
    items = [QuestionOut.of(shown) for shown in page.items]
    return PageOut(items=items, next_cursor=page.next_cursor)


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(Forbidden, AlreadyExists, Invalid))
async def create_question(body: QuestionIn, author: CurrentAuthor, uow: OnceUow) -> QuestionOut:
    """Create a question. `external_id` is your own name for it and unique."""
    return QuestionOut.of(await questions.create(uow, author, body.place(), body.content()))


@router.post(
    "/import",
    response_model=ImportOut,
    responses=A_REPORT | problems(Forbidden, TooLarge, Invalid, TooComplex, Unavailable),
)
async def import_questions(
    author: CurrentAuthor,
    _: BankTurn,
    uow: OnceUow,
    parts: Parts,
    file: Annotated[
        UploadFile, File(description="XLSX, or CSV in UTF-8; at most 25 MB and 20,000 questions")
    ],
    dry_run: Annotated[bool, Form(description="Only report what would happen")] = False,
    subject: Annotated[
        SubjectName, Form(description="The subject of all rows; a row's own subject is then its chapter")
    ] = "",
    empty_key: Annotated[
        EmptyKey,
        Form(description="How to treat a row without a key: error, dropped question or draft"),
    ] = EmptyKey.ERROR,
    images: Annotated[
        UploadFile | None,
        File(description="A ZIP of the images that the sheet refers to; with the sheet at most 25 MB"),
    ] = None,
    mapping: Annotated[
        Json[MappingIn] | None,
        Form(
            description="The columns of headers with other names, as a JSON object:"
            ' `{"Right one": "key", "Remarks": "ignore"}`'
        ),
    ] = None,
    format: Annotated[  # noqa: A002
        FileKind | FormatName,
        WithJsonSchema({"type": "string", "enum": [*FileKind, *FormatName]}),
        Form(description="`auto` reads a file that is certainly of another program as such, else a sheet"),
    ] = FileKind.AUTO,
    language: Annotated[
        LanguageTag, Form(description="The language of texts of which a file of another program says none")
    ] = "en",
    skip_unsupported: Annotated[
        bool, Form(description="Leave out questions of another program that the bank cannot hold")
    ] = False,
    legacy_font: Annotated[
        LegacyFont | None,
        Form(
            description="The font of Hindi columns that are not in Unicode; `warnings` show what they become"
        ),
    ] = None,
    report: ReportFormatField = ReportFormat.JSON,
) -> ImportOut | Response:
    """Import a sheet of questions, or a file of another program: all of it or nothing.

    The response is 200 even if rows are invalid. Then nothing is imported, and `errors` has for each error
    the row, the column, the cell (`Sheet1!F7`) and how to correct it. `questions` has the id of each row. A
    file that is not a sheet of questions is a 422, and so is a workbook with macros, a password or links to
    other files. Importing the same sheet again changes nothing.

    `warnings` lists rows that are very similar to another question, and files of `images` that no row refers
    to. These rows are imported. If a thousand rows or more are similar, the last warning says after which row
    the comparison stopped.

    The response is sent when the import is complete: a thousand rows take about two seconds, 20,000 half a
    minute. The command `ias import questions` does the same and shows its progress.

    The header may stand below titles. Columns have the names that people use, such as `Q.No`, `Option A`,
    `विकल्प क`, `Correct Answer` or `उत्तर`, and `mapping` names the columns of all other headers. A key may be
    written `B`, `(b)`, `Option B`, `2`, `ख` or as the text of the option. Numbers are read as the sheet shows
    them (`41%`, `001001`). The exact names, in any order: `number, external_id, type, subject, chapter,
    passage_id, question, question_<lang>, option_a … option_f, option_a_<lang> …, key, status, explanation,
    explanation_<lang>, difficulty, tags, source, image`; only `question`, the options and `key` are
    required. A key is `b`,
    `bd` (exactly both) or `b|d` (either); of a numeric question `3.14` or `3.14±0.01` (`+-` does for `±`); of
    a true/false question `true` or `false`; `dropped` for one that does not count. Subjects and chapters
    that do not exist are created. In a workbook the sheet named `questions` is read, or else the first one.
    Formulas, dates, merged cells and hidden cells are errors.

    `image` refers to files of the ZIP `images`, as in `map.png; chart.png`, or to images of the bank by id.
    The case of names and the folders of the ZIP do not matter. It has at most 2,000 files and at most 200 MB
    unpacked. Each image is stored as by `POST /media`. A dry run stores none.

    `format` names formats of other programs. Their images are within the file, and `images` must not be sent.
    `row` is then the number of the question, and `cell` says its name and line. Questions that the bank
    cannot hold are errors, or with `skip_unsupported` warnings; so is all that is not kept of a question.
    `format` in the response is the format that was read.

    With `legacy_font`, Hindi columns without a letter in Devanagari are converted to Unicode. Try it with a
    dry run: `warnings` show the first texts before and after, and each text that seems to be partly in
    another font.

    A question is identified by `external_id`, else by `source` and `number`, else by its subject, passage,
    text and options. If it exists, the columns and languages of the sheet are changed; others do not change.
    A key or most options that are replaced are a warning with both versions.
    """
    check_report_format(report, dry_run=dry_run)
    content = await file.read()
    found = await questions.import_questions(
        uow,
        author,
        content,
        dry_run=dry_run,
        subject=subject or None,
        empty_key=empty_key,
        images=ImagesZip(await images.read(), parts.media) if images is not None else None,
        mapping=mapping,
        files=parts.files,
        options=FileOptions(format, language, skip_unsupported, parts.media, legacy_font),
    )
    if report is ReportFormat.SHEET:
        return await remarks_response(parts, author.id, [content], found)
    return ImportOut.of(found)


@router.post(
    "/export",
    response_class=Response,
    responses=QUESTIONS | problems(Forbidden, NotFound, QuestionUnreadable, Invalid, Unavailable),
)
async def export_questions(
    author: CurrentAuthor,
    _: BankTurn,
    reads: Reads,
    parts: Parts,
    body: Annotated[ExportIn | None, Body()] = None,
) -> Response:
    """Export questions as a sheet, or in a format of another program. Importing it again changes nothing.

    Without a body, as with `{}`, all of them are exported as CSV.

    Cells that a spreadsheet would execute get a leading apostrophe, which an import removes. Questions whose
    key is withheld from you are left out, and those with options other than a to f, for which sheets have no
    columns. `X-Questions-Left-Out` is their number, `X-Questions-Exported` the number of exported questions.

    If a format of another program cannot express a question, or a part of it, nothing is exported: the error
    lists the questions and what is the matter with each. With `leave_out_unsupported` the file has all that
    the format can express.
    """
    order = body or ExportIn()
    if isinstance(order.format, SheetFormat):
        export = await questions.export(reads, author, order.wanted(), order.format)
        return sheet_response(export.file, "questions", order.format, _counts(export))
    made = await questions.export_items(
        reads,
        author,
        order.wanted(),
        order.format,
        parts.media,
        leave_out_unsupported=order.leave_out_unsupported,
    )
    return items_response(made.export.file, "questions", FORMATS[order.format], _counts(made.export))


def _counts(export: Export) -> dict[str, str]:
    return {
        "X-Questions-Exported": str(export.questions),
        "X-Questions-Left-Out": str(export.left_out),
    }


@router.get("/template", response_class=Response, responses=A_SHEET | problems(Forbidden, Invalid))
async def question_template(
    _: CurrentAuthor,
    format: Annotated[SheetFormat, Query(description="The type of the file")] = SheetFormat.XLSX,  # noqa: A002
    language: Annotated[TemplateLanguage, Query(description="The language of headers and notes")] = "en",
) -> Response:
    """An empty sheet to fill in, with columns for English and Hindi. The XLSX has lists, notes and examples.

    The examples stand in a sheet of their own, which an import does not read. An import knows the headers in
    both languages.
    """
    return Response(
        questions.template(format, language),
        media_type=MEDIA_TYPES[format],
        headers=attachment("questions-template", format),
    )


@router.get("/duplicates", responses=problems(Forbidden, Invalid, Unavailable))
async def list_duplicates(
    reader: CurrentBankReader,
    _: BankTurn,
    reads: Reads,
    paging: Paging,
    subject_id: Annotated[UUID | None, Query(description="Only questions of this subject")] = None,
    threshold: Annotated[float, Query(ge=0.7, le=1, description="Least share of common trigrams")] = 0.8,
) -> PageOut[DuplicateOut]:
    """Pairs of questions whose text and options are nearly the same. Retired questions are left out.

    They are compared in English, or else in the language that they have. If very many are similar, each is
    paired with the oldest ones only. A page examines at most 2,000 questions and 2,000 pairs, so it may be
    short or even empty. Continue while there is a `next_cursor`.
    """
    page = await questions.duplicates(reads, reader, subject_id, threshold, paging)
    return PageOut(items=[DuplicateOut.of(pair) for pair in page.items], next_cursor=page.next_cursor)


@router.post("/compile", responses=problems(Forbidden, Invalid))
async def compile_question(body: FormatIn, _: CurrentAuthor) -> CompiledOut:
    """Compose a question and its key in one of UPSC's formats, from parts that are marked as correct or not.

    The phrases are UPSC's, in English and Hindi. The question has the languages of the parts. Nothing is
    stored: send the response to `POST /questions` with a subject.
    """
    return CompiledOut.of(body.content())


@router.get("/{question_id}", responses=problems(Forbidden, NotFound))
async def read_question(
    question_id: UUID, reads: Reads, reader: CurrentBankReader
) -> QuestionWithVersionsOut:
    """One question with all its versions."""
    shown = await questions.find(reads, reader, question_id)
    history = await questions.versions(reads, shown.question)
    return QuestionWithVersionsOut.with_versions(shown, history)


@router.get("/{question_id}/versions/{version}/diff", responses=problems(Forbidden, NotFound, Invalid))
async def compare_versions(
    question_id: UUID,
    version: VersionNumber,
    reads: Reads,
    reader: CurrentBankReader,
    against: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="By default the previous version")
    ] = None,
) -> DiffOut:
    """The differences between two versions, by field and language."""
    before = against if against is not None else max(version - 1, 1)
    changes = await questions.compare(reads, reader, question_id, version, before)
    return DiffOut.model_validate(
        {"question_id": question_id, "number": version, "against": before, "changes": changes}
    )


@router.patch("/{question_id}", responses=problems(Forbidden, NotFound, AlreadyExists, Invalid))
async def change_question(
    question_id: UUID, body: QuestionChanges, author: CurrentAuthor, uow: Uow
) -> ChangedQuestionOut:
    """Change the fields that are sent. What the question says becomes its next version; papers keep theirs.

    The question's place (`subject_id, chapter_id, source, external_id, status`) has no versions. A change
    that changes nothing makes none either. `status: "active"` brings a retired question back.

    `kept_by` names the exams and counts the running attempts that keep an older version of the question.
    """
    return ChangedQuestionOut.after(await questions.revise(uow, author, question_id, body.changes()))


@router.post(
    "/{question_id}/retire",
    dependencies=[Depends(takes_nothing)],
    responses=problems(Forbidden, NotFound),
)
async def retire_question(question_id: UUID, author: CurrentAuthor, uow: Uow) -> QuestionOut:
    """Retire a question. Published papers keep it. Idempotent."""
    return QuestionOut.of(await questions.retire(uow, author, question_id))
