"""`ias import`: read content from files."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from app.cli.option_names import with_options
from app.cli.progress import shown_progress
from app.cli.remarks import Remarks, write_remarks
from app.cli.servers import ensure_servers
from app.interchange.formats import FormatName

if TYPE_CHECKING:
    from app.core.errors import DomainError
    from app.services.components import Components
    from app.services.tests import PublishedPaper
    from app.services.unit_of_work import UnitOfWork
    from app.sheets.progress import ReportProgress
    from app.sheets.reports import ImportReport

import_app = typer.Typer(no_args_is_help=True, help="Import content from files.")
console = Console()


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of the command."""

    file: bytes
    images: bytes | None
    subject: str | None
    empty_key: str
    dry_run: bool
    mapping: dict[str, str]
    remarks: Path | None
    legacy_font: Literal["krutidev"] | None
    format: str
    language: str
    skip_unsupported: bool
    test: dict[str, Any] | None
    """The fields of the `TestDraft` to publish, without its sections. None if no test is published."""


@import_app.callback()
def import_() -> None:
    """Import content from files."""


FORMATS = ("auto", "sheet", *FormatName)


def _known_format(name: str) -> str:
    if name not in FORMATS:
        raise typer.BadParameter(f"choose one of: {', '.join(FORMATS)}")
    return name


@import_app.command("questions")
def questions(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            help="XLSX, CSV in UTF-8, or a file of another program (--format).",
        ),
    ],
    images: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="ZIP of the images that the sheet names."
        ),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="Subject of all questions. The subject of a row is then its chapter.")
    ] = None,
    empty_key: Annotated[
        Literal["error", "dropped", "draft"], typer.Option(help="What a row without a key means.")
    ] = "error",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report what would happen, and change nothing.")
    ] = False,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="HEADER=COLUMN",
            help="Column of a header with another name: Ans=key, Remarks=ignore. Repeat it for each header.",
        ),
    ] = None,
    file_format: Annotated[
        str,
        typer.Option(
            "--format",
            callback=_known_format,
            metavar=f"[{'|'.join(FORMATS)}]",
            help="Format of the file. By default it is recognized if it is certain, else a sheet is read.",
        ),
    ] = "auto",
    language: Annotated[
        str, typer.Option(help="Language of texts of which a file of another program says none.")
    ] = "en",
    skip_unsupported: Annotated[
        bool,
        typer.Option(
            "--skip-unsupported", help="Leave out questions of another program that the bank cannot hold."
        ),
    ] = False,
    legacy_font: Annotated[
        Literal["krutidev"] | None,
        typer.Option(help="Font of Hindi columns that are not in Unicode. Their texts are shown first."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Import the converted texts of --legacy-font.")] = False,
    publish_as_test: Annotated[
        str | None,
        typer.Option(
            metavar="TITLE",
            help="Also publish a test with this title, in the order of the sheet. The title is refused if a"
            " test has it that is not archived.",
        ),
    ] = None,
    kind: Literal["full", "sectional", "chapter", "pyq", "practice"] = "full",
    access: Literal["free", "enrolled"] = "free",
    duration_seconds: Annotated[int, typer.Option(min=1, max=86_400)] = 7_200,
    correct: Annotated[str, typer.Option(help="Marks of a correct answer.")] = "2",
    incorrect: Annotated[str, typer.Option(help="Marks of an incorrect answer.")] = "-2/3",
    dropped: Literal["prorate", "full_marks_to_all", "marks_to_attempted"] = "prorate",
    rounding: Literal["upsc", "half_up"] = "upsc",
    attempts_allowed: Annotated[int | None, typer.Option(min=1, help="Unlimited if left out.")] = None,
    review: Literal["after_submit", "after_release", "never"] = "after_submit",
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Shuffle questions and options.")] = False,
    remarks: Remarks = None,
) -> None:
    """Import all questions of a sheet, or none if a row has an error.

    A second import changes nothing. With --publish-as-test it is refused, because a test has the title then.
    """
    test = {
        "title": publish_as_test,
        "kind": kind,
        "access": access,
        "duration_seconds": duration_seconds,
        "marking": {
            "correct": correct,
            "incorrect": incorrect,
            "unattempted": "0",
            "partial": "none",
            "dropped": dropped,
            "rounding": rounding,
        },
        "attempts_allowed": attempts_allowed,
        "review": review,
        "shuffle": {"questions": shuffle, "options": shuffle},
    }
    options = _Options(
        file=file.read_bytes(),
        images=images.read_bytes() if images is not None else None,
        subject=subject,
        empty_key=empty_key,
        dry_run=dry_run or (legacy_font is not None and not yes),
        mapping=_mapping(mapped or []),
        remarks=remarks,
        legacy_font=legacy_font,
        format=file_format,
        language=language,
        skip_unsupported=skip_unsupported,
        test=test if publish_as_test else None,
    )
    with ensure_servers():
        succeeded = asyncio.run(_run(options))
    if legacy_font is not None and not (yes or dry_run):
        console.print("Nothing was imported. If the converted texts are right, add --yes.")
        raise typer.Exit(1)
    if not succeeded:
        raise typer.Exit(1)


def _mapping(mapped: list[str]) -> dict[str, str]:
    pairs = [each.rpartition("=") for each in mapped]
    if wrong := [each for each, pair in zip(mapped, pairs, strict=True) if not (pair[0] and pair[2])]:
        raise typer.BadParameter(f'Write --map "HEADER=COLUMN", not "{wrong[0]}".')
    return {header.strip(): column.strip() for header, _, column in pairs}


async def _run(options: _Options) -> bool:
    """Import in one transaction. If the test cannot be published, no question is imported."""
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.core.errors import DomainError  # noqa: PLC0415
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with open_components(get_settings(), application_name="ias-import", pool_size=1) as parts:
        try:
            with shown_progress() as progress:
                async with unit_of_work(parts.engine) as uow:
                    report, published = await _import(uow, parts, options, progress)
        except DomainError as error:
            print_domain_error(error)
            return False
    _print_report(report, published, dry_run=options.dry_run)
    write_remarks(options.remarks, [options.file], report)
    return not report.errors


async def _import(
    uow: "UnitOfWork", parts: "Components", options: _Options, progress: "ReportProgress"
) -> "tuple[ImportReport, PublishedPaper | None]":
    from app.core.names import MAX_TITLE_LENGTH, checked_field  # noqa: PLC0415 -- slow to import
    from app.services import tests  # noqa: PLC0415
    from app.services.questions import (  # noqa: PLC0415
        EmptyKey,
        FileKind,
        FileOptions,
        ImagesZip,
        import_questions,
    )
    from app.services.users import operator  # noqa: PLC0415

    author = operator()
    if options.test is not None:
        options.test["title"] = checked_field("title", options.test["title"], MAX_TITLE_LENGTH)
        await tests.check_title(uow, author, options.test["title"])
    report = await import_questions(
        uow,
        author,
        options.file,
        dry_run=options.dry_run,
        subject=options.subject,
        empty_key=EmptyKey(options.empty_key),
        mapping=options.mapping or None,
        images=ImagesZip(options.images, parts.media) if options.images is not None else None,
        progress=progress,
        for_test=options.test is not None,
        options=FileOptions(
            FormatName(options.format) if options.format in [*FormatName] else FileKind(options.format),
            options.language,
            options.skip_unsupported,
            parts.media,
            options.legacy_font,
        ),
    )
    if options.test is None or not report.item_ids:
        return report, None
    # The import has locked the bank: of two such commands at once, the second finds the test of the first.
    await tests.check_title(uow, author, options.test["title"])
    draft = tests.draft_of_sheet(report, **options.test)
    test = await tests.create(uow, author, draft)
    return report, await tests.publish(uow, author, test.id, parts.clock.now())


def _print_report(report: "ImportReport", published: "PublishedPaper | None", *, dry_run: bool) -> None:
    if print_errors(report):
        return
    if report.format != "sheet":
        console.print(f"Format: {report.format}")
    prefix = "Would be" if dry_run else "Questions"
    console.print(
        f"{prefix} created: {report.created}, updated: {report.updated}, unchanged: {report.unchanged}"
    )
    if report.updated_columns:
        counts = ", ".join(f"{column} ({count})" for column, count in report.updated_columns.items())
        prefix = "Columns that would be" if dry_run else "Columns"
        console.print(f"{prefix} updated: {counts}", highlight=False)
    if report.passages_created or report.passages_updated:
        prefix = "Passages that would be" if dry_run else "Passages"
        console.print(f"{prefix} created: {report.passages_created}, updated: {report.passages_updated}")
    print_warnings(report)
    if published is not None:
        paper = published.paper
        console.print(f"Published as test {published.test.id}, paper version {paper.version}:")
        console.print(f"{paper.question_count} questions, {paper.max_marks} marks", highlight=False)
        for warning in published.warnings:
            console.print(f"Look at the keys: {warning.message}", markup=False, highlight=False)


def print_errors(report: "ImportReport") -> bool:
    """Print the errors of a report and that nothing was imported; return whether there are any."""
    if report.errors:
        print_table(
            ("Cell", "Column", "What is wrong"),
            [(e.cell or e.row, e.field, with_options(e.message)) for e in report.errors],
        )
        console.print(f"Errors: {len(report.errors)}; nothing was imported.", style="red")
        print_warnings(report)
    return bool(report.errors)


def print_warnings(report: "ImportReport") -> None:
    """Print the warnings of a report."""
    if not report.warnings:
        return
    ids = any(warning.related_id for warning in report.warnings)
    rows = [(w.cell or w.row, w.field, with_options(w.message), w.related_id or "") for w in report.warnings]
    print_table(("Cell", "Column", "Warning", "Question")[: 3 + ids], [row[: 3 + ids] for row in rows])


def print_domain_error(error: "DomainError") -> None:
    """Print the error and its fields, and that nothing was imported."""
    console.print(f"{with_options(error.detail)} Nothing was imported.", style="red", markup=False)
    if any(each.message not in error.detail for each in error.errors):
        print_table(
            ("Field", "What is wrong"), [(each.field, with_options(each.message)) for each in error.errors]
        )


def print_table(headings: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Print errors or warnings as a table."""
    table = Table(*headings)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console.print(table, markup=False)
