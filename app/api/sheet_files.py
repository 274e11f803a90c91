"""Responses that download a file: sheets, question formats, JSON Lines and ZIP."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from io import BytesIO
from typing import IO, Annotated, Any
from uuid import UUID
from zipfile import ZipFile

from fastapi import Form
from fastapi.responses import Response, StreamingResponse

from app.core.errors import Invalid
from app.interchange.formats import FORMATS, Format
from app.sentences import Sentence
from app.services.components import Components
from app.services.imports import copies_with_remarks
from app.sheets.reports import ImportReport
from app.sheets.writers import SheetFormat

MEDIA_TYPES = {
    SheetFormat.CSV: "text/csv; charset=utf-8",
    SheetFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SHEET_CONTENT: dict[str, Any] = {kind: {"schema": {"type": "string"}} for kind in MEDIA_TYPES.values()}
ZIP = "application/zip"
JSON_LINES = "application/x-ndjson"
A_SHEET: dict[int | str, dict[str, Any]] = {200: {"description": "The sheet", "content": SHEET_CONTENT}}

QUESTIONS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The questions",
        "content": SHEET_CONTENT
        | {each.media_type: {"schema": {"type": "string"}} for each in FORMATS.values()},
        "headers": {
            "X-Questions-Exported": {"description": "How many were exported", "schema": {"type": "integer"}},
            "X-Questions-Left-Out": {"description": "How many were left out", "schema": {"type": "integer"}},
        },
    }
}


class ReportFormat(StrEnum):
    """The formats of the report of an import."""

    JSON = "json"
    SHEET = "sheet"


_BINARY = {"schema": {"type": "string", "format": "binary"}}
A_REPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report; with `report=sheet` a copy of the sheet with a column of remarks",
        "content": {MEDIA_TYPES[SheetFormat.XLSX]: _BINARY},
    }
}
A_REPORT_OF_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report. With `report=sheet`, a copy of the sheet with a column of remarks; for"
        " several files with `report=sheet`, a ZIP of the copies",
        "content": {MEDIA_TYPES[SheetFormat.XLSX]: _BINARY, ZIP: _BINARY},
    }
}
ReportFormatField = Annotated[
    ReportFormat,
    Form(
        description="`sheet` answers a dry run with a copy of the sheet (XLSX), in which a last column has"
        " the errors and warnings of each row"
    ),
]


def check_report_format(report: ReportFormat, *, dry_run: bool) -> None:
    """Raise Invalid if a copy of the sheet is requested without a dry run."""
    if report is ReportFormat.SHEET and not dry_run:
        sentence = Sentence("Only a dry run answers with a copy of the sheet. Send `dry_run=true` too.")
        raise Invalid.field("report", sentence)


async def remarks_response(
    parts: Components, caller: UUID, files: Sequence[bytes], report: ImportReport
) -> Response:
    """A response with a copy of the sheet with remarks, or with a ZIP of several copies."""
    copies = await copies_with_remarks(parts.files, caller, files, report)
    if len(copies) == 1:
        headers = {**attachment("remarks", SheetFormat.XLSX), "Cache-Control": "private, no-store"}
        return Response(copies[0], media_type=MEDIA_TYPES[SheetFormat.XLSX], headers=headers)
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:  # Workbooks are already compressed.
        for number, copy in enumerate(copies, start=1):
            archive.writestr(f"remarks-{number}.{SheetFormat.XLSX}", copy)
    disposition = 'attachment; filename="remarks.zip"'
    headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-store"}
    return Response(packed.getvalue(), media_type=ZIP, headers=headers)


def sheet_response(
    file: IO[bytes], name: str, sheet_format: SheetFormat, headers: Mapping[str, str] | None = None
) -> StreamingResponse:
    """A response that sends a sheet in parts and closes its file."""
    return StreamingResponse(
        _parts(file),
        media_type=MEDIA_TYPES[sheet_format],
        headers={**attachment(name, sheet_format), **(headers or {})},
    )


def attachment(name: str, sheet_format: SheetFormat) -> dict[str, str]:
    """The header that makes a browser save the response under this name."""
    return {"Content-Disposition": f'attachment; filename="{name}.{sheet_format}"'}


def items_response(
    file: IO[bytes], name: str, file_format: Format, headers: Mapping[str, str]
) -> StreamingResponse:
    """A response that sends questions in a format of another program in parts and closes their file."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}.{file_format.ending}"'}
    return StreamingResponse(
        _parts(file), media_type=file_format.media_type, headers={**disposition, **headers}
    )


def lines_response(file: IO[bytes], name: str) -> StreamingResponse:
    """A response that sends a file of JSON Lines in parts and closes it."""
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="{name}.jsonl"',
    }
    return StreamingResponse(_parts(file), media_type=JSON_LINES, headers=headers)


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(65_536):
            yield part
