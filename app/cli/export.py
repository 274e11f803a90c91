"""`ias export`: write content to files."""

import asyncio
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from app.cli.option_names import with_options
from app.cli.servers import ensure_servers
from app.interchange.formats import FormatName

if TYPE_CHECKING:
    from app.repositories.questions import QuestionFilter
    from app.services.questions import Export, ItemExport
    from app.services.unit_of_work import Reading

export_app = typer.Typer(no_args_is_help=True, help="Export content to files.")
console = Console()


@dataclass(frozen=True, slots=True)
class _Selection:
    """Which questions are exported."""

    subject: str | None
    tags: list[str]
    status: str | None


@export_app.callback()
def export() -> None:
    """Export content to files."""


@export_app.command("questions")
def questions(
    file: Annotated[
        Path, typer.Argument(dir_okay=False, help="File to write: .csv, .xlsx, or any name with --format.")
    ],
    file_format: Annotated[
        FormatName | None, typer.Option("--format", help="Format of another program.")
    ] = None,
    leave_out_unsupported: Annotated[
        bool,
        typer.Option(
            "--leave-out-unsupported", help="Leave out what the format cannot express, and list it."
        ),
    ] = False,
    subject: Annotated[str | None, typer.Option(help="Only this subject, by name or slug.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only questions with this tag. Several: with any of them.")
    ] = None,
    status: Annotated[Literal["draft", "active", "retired"] | None, typer.Option()] = None,
) -> None:
    """Write the question bank to a sheet, or in a format of another program (`--format`).

    Importing the file again changes nothing.
    """
    selection = _Selection(subject, tag or [], status)
    if file_format is not None:
        _export_to_format(file, file_format, selection, leave_out_unsupported=leave_out_unsupported)
        return
    sheet_format = file.suffix.lower().removeprefix(".")
    if sheet_format not in ("csv", "xlsx"):
        raise typer.BadParameter("the name must end with .csv or .xlsx", param_hint="FILE")
    with ensure_servers():
        exported = asyncio.run(_export(sheet_format, selection))
    _write(file, exported, selection)
    if exported is not None and exported.left_out:
        console.print(f"Left out: {exported.left_out}, with options that a sheet cannot hold", style="yellow")


def _write(file: Path, exported: "Export | None", selection: _Selection) -> None:
    if exported is None:
        console.print(f"There is no subject called {selection.subject}.", style="red", markup=False)
        raise typer.Exit(1)
    with exported.file, file.open("wb") as out:
        shutil.copyfileobj(exported.file, out)
    console.print(f"Questions exported: {exported.questions}")


async def _filter(reads: "Reading", selection: _Selection) -> "QuestionFilter | None":
    """The filter of the selection; None if there is no such subject."""
    from app.repositories.questions import QuestionFilter  # noqa: PLC0415 -- slow to import
    from app.services import questions as bank  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415

    wanted = QuestionFilter(tags=selection.tags, statuses=[selection.status] if selection.status else ())
    if selection.subject is None:
        return wanted
    subject_id = await bank.subject_named(reads, operator(), selection.subject)
    return None if subject_id is None else replace(wanted, subject_id=subject_id)


async def _export(sheet_format: str, selection: _Selection) -> "Export | None":
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.database import create_engine  # noqa: PLC0415
    from app.services import questions as bank  # noqa: PLC0415
    from app.services.unit_of_work import reading  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415
    from app.sheets.writers import SheetFormat  # noqa: PLC0415

    engine = create_engine(get_settings(), application_name="ias-export", pool_size=1)
    try:
        async with reading(engine) as reads:
            wanted = await _filter(reads, selection)
            if wanted is None:
                return None
            return await bank.export(reads, operator(), wanted, SheetFormat(sheet_format))
    finally:
        await engine.dispose()


def _export_to_format(
    file: Path, name: FormatName, selection: _Selection, *, leave_out_unsupported: bool
) -> None:
    from app.core.errors import DomainError  # noqa: PLC0415 -- slow to import

    try:
        with ensure_servers():
            made = asyncio.run(_export_items(name, selection, leave_out_unsupported=leave_out_unsupported))
    except DomainError as error:
        console.print(with_options(error.detail), style="red", markup=False)
        for each in error.errors:
            console.print(each.message, markup=False)
        raise typer.Exit(1) from None
    _write(file, made.export if made else None, selection)
    for what, remarks in (("Left out", made.left_out), ("Not kept", made.not_kept)) if made else ():
        for remark in remarks:
            console.print(f"{what}: {remark.place}: {remark.message}", style="yellow", markup=False)


async def _export_items(
    name: FormatName, selection: _Selection, *, leave_out_unsupported: bool
) -> "ItemExport | None":
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.services import questions as bank  # noqa: PLC0415
    from app.services.unit_of_work import reading  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with (
        open_components(get_settings(), application_name="ias-export", pool_size=1) as parts,
        reading(parts.engine) as reads,
    ):
        wanted = await _filter(reads, selection)
        if wanted is None:
            return None
        return await bank.export_items(
            reads, operator(), wanted, name, parts.media, leave_out_unsupported=leave_out_unsupported
        )
