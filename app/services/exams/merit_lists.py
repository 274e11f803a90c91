"""The merit list: page by page, or as a sheet that is read and written in batches."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from uuid import UUID

from app.models import ExamPaper
from app.repositories.base import Page, PageRequest
from app.repositories.exams import MeritRow
from app.services.exams.audit import record
from app.services.exams.results import released_exam, version_of
from app.services.unit_of_work import Reading
from app.services.users import Principal
from app.sheets.writers import Cell, SheetFormat, SheetWriter, open_writer

COLUMNS = (
    "rank",
    "roll_number",
    "name",
    "category",
    "category_rank",
    "pwbd",
    "pwbd_rank",
    "total",
    "percentile",
    "cleared",
    "outcome",
)
COLUMNS_OF_A_PAPER = ("marks", "qualified", "rank")
MAX_MEMORY_BYTES = 5_000_000
"""A larger sheet is written to a temporary file."""


async def merit_list(
    reads: Reading,
    staff: Principal,
    exam_id: UUID,
    request: PageRequest,
    *,
    everybody: bool = False,
    version: int | None = None,
) -> Page[MeritRow]:
    """The ranked candidates, best first, equal ranks by roll number; then the others, if wanted.

    Of the current release, or of an older version. Raises Invalid for a version that does not exist.
    """
    exam = await released_exam(reads, staff, exam_id)
    shown = version_of(exam, version)
    return await reads.exam_results.merit_list(exam, shown, request, everybody=everybody)


async def merit_sheet(
    reads: Reading,
    staff: Principal,
    exam_id: UUID,
    sheet_format: SheetFormat,
    *,
    everybody: bool = False,
    version: int | None = None,
) -> IO[bytes]:
    """The whole merit list as a sheet, in the same order. The caller reads and closes the file."""
    exam = await released_exam(reads, staff, exam_id)
    shown = version_of(exam, version)
    papers = await reads.exams.papers(exam.id)
    written = 0
    with ExitStack() as on_error:
        file = on_error.enter_context(SpooledTemporaryFile(MAX_MEMORY_BYTES))
        writer = open_writer(sheet_format, file, _header(papers), "merit list")
        async for rows in reads.exam_results.whole_merit_list(exam, shown, everybody=everybody):
            await asyncio.to_thread(_write_rows, writer, papers, rows)
            written += len(rows)
        await asyncio.to_thread(writer.finish)
        include = "all" if everybody else "ranked"
        facts: dict[str, Any] = {
            "format": sheet_format,
            "include": include,
            "version": shown,
            "rows": written,
        }
        record(reads, staff, "export_merit_list", exam, **facts)
        file.seek(0)
        on_error.pop_all()  # From here on the caller closes the file.
        return file


def _header(papers: Sequence[ExamPaper]) -> list[str]:
    return [*COLUMNS, *(f"{paper.code} {column}" for paper in papers for column in COLUMNS_OF_A_PAPER)]


def _write_rows(writer: SheetWriter, papers: Sequence[ExamPaper], rows: Sequence[MeritRow]) -> None:
    for row in rows:
        writer.add([*_cells(row), *_cells_of_papers(row, papers)])


def _cells(row: MeritRow) -> list[Cell]:
    return [
        row.rank,
        row.roll_number,
        row.name,
        row.category,
        row.category_rank,
        row.pwbd,
        row.pwbd_rank,
        _marks(row.total),
        row.percentile,
        str(row.cutoff["cleared"]) if row.cutoff else None,
        row.outcome,
    ]


def _cells_of_papers(row: MeritRow, papers: Sequence[ExamPaper]) -> Iterator[Cell]:
    """The cells of each paper. A paper without a score has no marks and no rank."""
    results = {paper["paper_id"]: paper for paper in row.papers}
    for paper in papers:
        found = results.get(str(paper.id), {})
        yield _marks(found.get("score"))
        yield str(found.get("qualified", False))
        yield found.get("rank")


def _marks(printed: str | None) -> Decimal | None:
    return Decimal(printed) if printed is not None else None
