"""`ias import answer-sheets`: import answers on paper into an existing exam or a new one."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import typer

from app.cli.import_ import console, print_domain_error, print_table
from app.cli.progress import shown_progress
from app.cli.servers import ensure_servers
from app.engine.partial_rules import NO_PARTIAL_MARKS, PARTIAL_RULES

if TYPE_CHECKING:
    from app.services.components import Components
    from app.services.unit_of_work import UnitOfWork
    from app.sheets.progress import ReportProgress
    from app.sheets.reports import ImportReport


def _known_rule(name: str) -> str:
    if name not in PARTIAL_RULES:
        raise typer.BadParameter(f"choose one of: {', '.join(PARTIAL_RULES)}")
    return name


AFile = typer.Argument(exists=True, dir_okay=False, readable=True, help="XLSX, or CSV in UTF-8.")


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of the command."""

    file: bytes
    roll_number: str | None
    columns: str | None
    dry_run: bool
    unknown_roll_numbers: Literal["accept", "error"]
    exam_paper: UUID | None
    new: dict[str, Any] | None
    """The fields of the `PaperDraft` of a new exam. None if the exam paper exists."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The exam paper of the answer sheets."""

    exam_id: UUID
    paper_id: UUID


def answer_sheets(
    file: Annotated[Path, AFile],
    exam_paper: Annotated[UUID | None, typer.Option(metavar="ID", help="Exam paper of the sheets.")] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Instead of an exam paper: file of correct answers, column `key`.",
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="With --key: title of the new exam.")] = None,
    roll_number: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Column of roll numbers; by default `roll_number`, otherwise the row."
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Columns of answers, by name or position: 1-100 or Q1-Q50,Q61-Q110."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report what would happen, and change nothing.")
    ] = False,
    unknown_roll_numbers: Annotated[
        Literal["accept", "error"],
        typer.Option(help="Register roll numbers that nobody has, or report them as errors."),
    ] = "accept",
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
) -> None:
    """Import all answer sheets of a file, or none if a row has an error. A second import changes nothing.

    With --key and --title, a new exam is created. Its questions have no text except their number, and the
    options below give its marks. An existing exam keeps its own marks. Results are held until the release.
    """
    _check(exam_paper, key, title)
    content = file.read_bytes()
    new = {
        "title": title,
        "key": key.read_bytes() if key is not None else b"",
        "sheets": content,
        "roll_number": roll_number,
        "columns": columns,
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
        file=content,
        roll_number=roll_number,
        columns=columns,
        dry_run=dry_run,
        unknown_roll_numbers=unknown_roll_numbers,
        exam_paper=exam_paper,
        new=new if key is not None else None,
    )
    with ensure_servers():
        succeeded = asyncio.run(_run(options))
    if not succeeded:
        raise typer.Exit(1)


def _check(exam_paper: UUID | None, key: Path | None, title: str | None) -> None:
    if (exam_paper is None) == (key is None):
        raise typer.BadParameter("Name the paper: use --exam-paper, or --key and --title.")
    if key is not None and not (title and title.strip()):
        raise typer.BadParameter("The new exam needs a --title.")
    if key is None and title is not None:
        raise typer.BadParameter("Use --title only with --key; an exam paper has a title.")


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
    from app.services.users import operator  # noqa: PLC0415

    staff, now = operator(), parts.clock.now()
    if options.new is not None:
        made = await exams.hold_on_paper(uow, staff, exams.PaperDraft(**options.new), now)
        place = _Place(made.exam_id, made.id)
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
        options.file,
        now,
        roll_number=options.roll_number,
        columns=options.columns,
        dry_run=options.dry_run,
        unknown_roll_numbers=options.unknown_roll_numbers,
        progress=progress,
    )
    if report.errors or options.dry_run:
        raise _Rollback(report, place)
    return report, place


def _print_report(report: "ImportReport", place: _Place, options: _Options, seconds: float) -> None:
    if report.errors:
        print_table(("Row", "Column", "What is wrong"), [(e.row, e.field, e.message) for e in report.errors])
        console.print(f"Errors: {len(report.errors)}; nothing was imported.", style="red")
        return
    prefix = "Would be" if options.dry_run else "Answer sheets"
    console.print(
        f"{prefix} created: {report.created}, updated: {report.updated}, unchanged: {report.unchanged}"
        f" ({seconds:.1f} s)"
    )
    if report.warnings:
        print_table(("Row", "Column", "Warning"), [(w.row, w.field, w.message) for w in report.warnings])
    if not (options.dry_run and options.new is not None):
        console.print(f"Exam {place.exam_id}, paper {place.paper_id}", highlight=False, soft_wrap=True)
