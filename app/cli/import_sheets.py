"""`ias import answer-sheets`: import answers on paper into an existing exam or a new one."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import typer

from app.cli.import_ import console, print_domain_error, print_errors, print_warnings
from app.cli.progress import shown_progress
from app.cli.remarks import Remarks, write_remarks
from app.cli.servers import ensure_servers
from app.engine.partial_rules import NO_PARTIAL_MARKS, PARTIAL_RULES

if TYPE_CHECKING:
    from app.services.components import Components
    from app.services.exams import FileOptions
    from app.services.exams.answer_sheets.roll_numbers import UnknownRollNumbers
    from app.services.unit_of_work import UnitOfWork
    from app.sheets.progress import ReportProgress
    from app.sheets.reports import ImportReport


def _known_rule(name: str) -> str:
    if name not in PARTIAL_RULES:
        raise typer.BadParameter(f"choose one of: {', '.join(PARTIAL_RULES)}")
    return name


SomeFiles = typer.Argument(
    exists=True,
    dir_okay=False,
    readable=True,
    metavar="FILE…",
    help="XLSX or CSV; further files have other candidates, or other parts of the same sheets.",
)


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of the command."""

    files: Sequence[bytes]
    reading: "FileOptions"
    order: bytes | None
    dry_run: bool
    remarks: Path | None
    unknown_roll_numbers: "UnknownRollNumbers"
    exam_paper: UUID | None
    new: dict[str, Any] | None
    """The fields of the `PaperDraft` of a new exam. None if the exam paper exists."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The exam paper of the answer sheets."""

    exam_id: UUID
    paper_id: UUID


def answer_sheets(
    files: Annotated[list[Path], SomeFiles],
    exam_paper: Annotated[UUID | None, typer.Option(metavar="ID", help="Exam paper of the sheets.")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Instead of an exam paper: file of correct answers, column `key`; with booklet series one"
            " for each, the paper's order first: --key A=FILE --key B=FILE.",
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="With --key: title of the new exam.")] = None,
    order: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Table of booklet series: column `question`, and its place in each series.",
        ),
    ] = None,
    roll_number: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="Column of roll numbers, or columns of their digits (id1-id6); by default `roll_number` or"
            " another usual name, otherwise the row.",
        ),
    ] = "",
    columns: Annotated[
        str,
        typer.Option(help="Columns of answers, by name or position: 1-100 or Q1-Q50,Q61-Q110."),
    ] = "",
    program: Annotated[
        Literal["auto", "omrchecker", "formscanner", "remark"],
        typer.Option("--format", help="Program that wrote the file."),
    ] = "auto",
    blank: Annotated[str, typer.Option(help='Cells that mean no answer: "BLANK,0".')] = "",
    multiple: Annotated[str, typer.Option(help='Cells that mean several marks: "MULT,*".')] = "",
    numbers_from: Annotated[
        Literal["0", "1"] | None, typer.Option(help="If numbers stand for options: the first one.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=WHAT",
            help='What a column is: roll_number, name, series, error, ignore, q7 …: "Candidate=roll_number".',
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report what would happen, and change nothing.")
    ] = False,
    unknown_roll_numbers: Annotated[
        Literal["auto", "accept", "error"],
        typer.Option(
            help="Register roll numbers that nobody has, or report them as errors; auto: as errors if anybody"
            " is registered."
        ),
    ] = "auto",
    subject: Annotated[str, typer.Option(help="With --key: subject of the questions.")] = "Answer sheets",
    duration_seconds: Annotated[int, typer.Option(min=1, max=86_400)] = 7_200,
    correct: Annotated[str, typer.Option(help="Marks of a correct answer.")] = "2",
    incorrect: Annotated[str, typer.Option(help="Marks of an incorrect answer.")] = "-2/3",
    unattempted: Annotated[str, typer.Option(help="Marks of an unattempted question.")] = "0",
    partial: Annotated[
        str,
        typer.Option(
            callback=_known_rule,
            metavar=f"[{'|'.join(PARTIAL_RULES)}]",
            help="Marks for a part of the correct options.",
        ),
    ] = NO_PARTIAL_MARKS.name,
    dropped: Literal["prorate", "full_marks_to_all", "marks_to_attempted"] = "prorate",
    rounding: Literal["upsc", "half_up"] = "upsc",
    remarks: Remarks = None,
) -> None:
    """Import all answer sheets of a file, or none if a row has an error. A second import changes nothing.

    With --key and --title, a new exam is created. Its questions have no text except their number, and the
    options below give its marks. An existing exam keeps its own marks. Results are held until the release.
    """
    from app.core.errors import DomainError  # noqa: PLC0415 -- slow to import
    from app.services import exams  # noqa: PLC0415

    _check(exam_paper, key, title)
    contents = [file.read_bytes() for file in files]
    try:
        reading = exams.file_options(
            roll_number=roll_number,
            columns=columns,
            program=program,
            blank=blank,
            multiple=multiple,
            numbers_from=numbers_from,
            mapping=exams.mapping_from(mapping) if mapping else None,
        )
    except DomainError as error:
        print_domain_error(error)
        raise typer.Exit(1) from None
    new = {
        "title": title,
        "keys": _key_files(key or []),
        "sheets": contents,
        "options": reading,
        "subject": subject,
        "duration_seconds": duration_seconds,
        "marking": {
            "correct": correct,
            "incorrect": incorrect,
            "unattempted": unattempted,
            "partial": partial,
            "dropped": dropped,
            "rounding": rounding,
        },
    }
    options = _Options(
        files=contents,
        reading=reading,
        order=order.read_bytes() if order is not None else None,
        dry_run=dry_run,
        remarks=remarks,
        unknown_roll_numbers=unknown_roll_numbers,
        exam_paper=exam_paper,
        new=new if key else None,
    )
    with ensure_servers():
        succeeded = asyncio.run(_run(options))
    if not succeeded:
        raise typer.Exit(1)


def _check(exam_paper: UUID | None, key: list[str] | None, title: str | None) -> None:
    if (exam_paper is None) == (not key):
        raise typer.BadParameter("Name the paper: use --exam-paper, or --key and --title.")
    if key and not (title and title.strip()):
        raise typer.BadParameter("The new exam needs a --title.")
    if not key and title is not None:
        raise typer.BadParameter("Use --title only with --key; an exam paper has a title.")


def _key_files(keys: Sequence[str]) -> dict[str, bytes]:
    """The keys by booklet series; one that is given without a series has the series ""."""
    files: dict[str, bytes] = {}
    for each in keys:
        series, _, path = ("", "", each) if Path(each).is_file() else each.partition("=")
        if not Path(path).is_file():
            raise typer.BadParameter(f'There is no file "{path or each}".', param_hint="--key")
        if series in files or (("" in files) != (not series) and files):
            raise typer.BadParameter("Give one key, or one for each series: A=FILE.", param_hint="--key")
        files[series] = Path(path).read_bytes()
    return files


async def _run(options: _Options) -> bool:
    """Import in one transaction. If the answer sheets cannot be read, no exam is created."""
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.core.errors import DomainError  # noqa: PLC0415
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    began = time.monotonic()
    async with open_components(get_settings(), application_name="ias-import", pool_size=1) as parts:
        try:
            with shown_progress() as progress:
                async with unit_of_work(parts.engine) as uow:
                    report, place = await _import(uow, parts, options, progress)
        except _Rollback as rollback:
            report, place = rollback.report, rollback.place
        except DomainError as error:
            print_domain_error(error)
            return False
    _print_report(report, place, options, time.monotonic() - began)
    write_remarks(options.remarks, options.files, report)
    return not report.errors


class _Rollback(Exception):
    """Rolls back the transaction of a dry run or of an import with errors."""

    def __init__(self, report: "ImportReport", place: _Place) -> None:
        super().__init__()
        self.report = report
        self.place = place


async def _import(
    uow: "UnitOfWork", parts: "Components", options: _Options, progress: "ReportProgress"
) -> "tuple[ImportReport, _Place]":
    from app.core.errors import NotFound  # noqa: PLC0415 -- slow to import
    from app.services import exams  # noqa: PLC0415
    from app.services.exams.answer_sheets.placeholders import PAIRED  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415
    from app.sheets.reports import RowWarning  # noqa: PLC0415

    staff, now = operator(), parts.clock.now()
    reading, warnings = options.reading, []
    if options.new is not None:
        made = await exams.hold_on_paper(uow, staff, exams.PaperDraft(**options.new), now)
        place = _Place(made.paper.exam_id, made.paper.id)
        reading = replace(reading, orders=made.orders)
        warnings = (
            [RowWarning(1, "key", PAIRED.format(series=", ".join(made.assumed)))] if made.assumed else []
        )
    elif options.exam_paper is not None and (found := await uow.exams.placement(options.exam_paper)):
        place = _Place(found[0], options.exam_paper)
    else:
        raise NotFound("exam paper")
    report = await exams.import_answer_sheets(
        uow,
        parts,
        staff,
        place.exam_id,
        place.paper_id,
        options.files[0],
        now,
        more_files=options.files[1:],
        options=reading,
        order=options.order,
        dry_run=options.dry_run,
        unknown_roll_numbers=options.unknown_roll_numbers,
        progress=progress,
    )
    report = replace(report, warnings=[*warnings, *report.warnings])
    if report.errors or options.dry_run:
        raise _Rollback(report, place)
    return report, place


def _print_report(report: "ImportReport", place: _Place, options: _Options, seconds: float) -> None:
    if print_errors(report):
        return
    prefix = "Would be" if options.dry_run else "Answer sheets"
    console.print(
        f"{prefix} created: {report.created}, updated: {report.updated}, unchanged: {report.unchanged}"
        f" ({seconds:.1f} s)"
    )
    print_warnings(report)
    if not (options.dry_run and options.new is not None):
        console.print(f"Exam {place.exam_id}, paper {place.paper_id}", highlight=False, soft_wrap=True)
