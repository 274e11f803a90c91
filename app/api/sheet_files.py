"""Answers that are a sheet: CSV or XLSX, sent from a file in parts."""

from collections.abc import Iterator, Mapping
from typing import IO, Any

from fastapi.responses import StreamingResponse

from app.interchange.formats import FORMATS, Format
from app.sheets.writers import SheetFormat

MEDIA_TYPES = {
    SheetFormat.CSV: "text/csv; charset=utf-8",
    SheetFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SHEET_CONTENT: dict[str, Any] = {kind: {"schema": {"type": "string"}} for kind in MEDIA_TYPES.values()}
JSON_LINES = "application/x-ndjson"
A_SHEET: dict[int | str, dict[str, Any]] = {200: {"description": "The sheet", "content": SHEET_CONTENT}}

QUESTIONS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The questions",
        "content": SHEET_CONTENT
        | {each.media_type: {"schema": {"type": "string"}} for each in FORMATS.values()},
    }
}


def sheet_answer(
    file: IO[bytes], name: str, sheet_format: SheetFormat, headers: Mapping[str, str] | None = None
) -> StreamingResponse:
    """An answer that sends the file and closes it."""
    return StreamingResponse(
        _parts(file),
        media_type=MEDIA_TYPES[sheet_format],
        headers={**attachment(name, sheet_format), **(headers or {})},
    )


def attachment(name: str, sheet_format: SheetFormat) -> dict[str, str]:
    """The header by which a browser saves the answer under this name."""
    return {"Content-Disposition": f'attachment; filename="{name}.{sheet_format}"'}


def items_answer(
    file: IO[bytes], name: str, file_format: Format, headers: Mapping[str, str]
) -> StreamingResponse:
    """An answer that sends a file in a format of another program and closes it."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}.{file_format.ending}"'}
    return StreamingResponse(
        _parts(file), media_type=file_format.media_type, headers={**disposition, **headers}
    )


def lines_answer(file: IO[bytes], name: str) -> StreamingResponse:
    """An answer that sends a file of JSON lines and closes it."""
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="{name}.jsonl"',
    }
    return StreamingResponse(_parts(file), media_type=JSON_LINES, headers=headers)


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(65_536):
            yield part
