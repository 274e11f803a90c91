"""`ias import users`: accounts, enrolments and registrations for an exam, from a roster."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.import_ import console, print_domain_error, print_errors, print_warnings
from app.cli.progress import shown_progress
from app.cli.remarks import Remarks, write_remarks
from app.cli.servers import ensure_servers

if TYPE_CHECKING:
    from app.sheets.reports import ImportReport


def users(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="XLSX, or CSV in UTF-8.")
    ],
    exam: Annotated[
        str | None,
        typer.Option(metavar="EXAM", help="Also register the candidates for this exam: its reference or id."),
    ] = None,
    enrol: Annotated[bool, typer.Option(help="Enrol the candidates.")] = True,
    valid_until: Annotated[
        datetime | None,
        typer.Option(
            help="End of the enrolments, in UTC. By default, active ones keep theirs, and others have none."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report what would happen, and change nothing.")
    ] = False,
    remarks: Remarks = None,
) -> None:
    """Import all candidates of a roster, or none if a row has an error. A second import changes nothing.

    Columns: email, name, roll_number, category, pwbd, batch. Candidates without an account get one, and a
    worker sends them a mail to set a password.
    """
    until = valid_until.replace(tzinfo=UTC) if valid_until is not None else None
    options = {"enrol": enrol, "valid_until": until, "dry_run": dry_run}
    with ensure_servers():
        succeeded = asyncio.run(_run(file.read_bytes(), exam, options, remarks))
    if not succeeded:
        raise typer.Exit(1)


async def _run(file: bytes, exam: str | None, options: dict[str, Any], remarks: Path | None) -> bool:
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.core.errors import DomainError  # noqa: PLC0415
    from app.services import exams  # noqa: PLC0415
    from app.services.rosters import RosterOptions, import_roster  # noqa: PLC0415
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with open_components(get_settings(), application_name="ias-import", pool_size=1) as parts:
        try:
            exam_id = None
            if exam is not None:
                async with unit_of_work(parts.engine) as uow:
                    exam_id = await exams.named(uow, operator(), exam)
            choices = RosterOptions(exam_id=exam_id, **options)
            with shown_progress() as progress:
                report = await import_roster(parts, operator(), file, choices, progress)
        except DomainError as error:
            print_domain_error(error)
            return False
    _print_report(report, dry_run=options["dry_run"])
    write_remarks(remarks, [file], report)
    return not report.errors


def _print_report(report: "ImportReport", *, dry_run: bool) -> None:
    if print_errors(report):
        return
    prefix = "Would be" if dry_run else "Candidates"
    console.print(
        f"{prefix} created: {report.created}, updated: {report.updated}, unchanged: {report.unchanged}"
    )
    print_warnings(report)
