"""`ias export`: write content to files."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from app.cli.servers import ensure_servers

if TYPE_CHECKING:
    from app.services.questions import Export

export_app = typer.Typer(no_args_is_help=True, help="Export content to files.")
console = Console()


@export_app.callback()
def export() -> None:
    """Export content to files."""


@export_app.command("questions")
def questions(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="File to write: .csv or .xlsx.")],
    subject: Annotated[str | None, typer.Option(help="Only this subject, by name or slug.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only questions with this tag; repeat it for several tags.")
    ] = None,
    status: Annotated[Literal["draft", "active", "retired"] | None, typer.Option()] = None,
) -> None:
    """Write the question bank to a sheet. Importing it again changes nothing."""
    sheet_format = file.suffix.lower().removeprefix(".")
    if sheet_format not in ("csv", "xlsx"):
        raise typer.BadParameter("the name must end with .csv or .xlsx", param_hint="FILE")
    with ensure_servers():
        exported = asyncio.run(_export(sheet_format, subject, tag or [], status))
    if exported is None:
        console.print(f"There is no subject called {subject}.", style="red", markup=False)
        raise typer.Exit(1)
    with exported.file, file.open("wb") as out:
        shutil.copyfileobj(exported.file, out)
    console.print(f"Questions exported: {exported.questions}")
    if exported.left_out:
        console.print(f"Left out: {exported.left_out}, with options that a sheet cannot hold", style="yellow")


async def _export(
    sheet_format: str, subject: str | None, tags: list[str], status: str | None
) -> "Export | None":
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.database import create_engine  # noqa: PLC0415
    from app.repositories.questions import QuestionFilter  # noqa: PLC0415
    from app.services import questions as bank  # noqa: PLC0415
    from app.services.unit_of_work import reading  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415
    from app.sheets.writers import SheetFormat  # noqa: PLC0415

    engine = create_engine(get_settings(), application_name="ias-export", pool_size=1)
    try:
        async with reading(engine) as reads:
            wanted = QuestionFilter(tags=tags, statuses=[status] if status else ())
            if subject is not None:
                subject_id = await bank.subject_named(reads, operator(), subject)
                if subject_id is None:
                    return None
                wanted = replace(wanted, subject_id=subject_id)
            return await bank.export(reads, operator(), wanted, SheetFormat(sheet_format))
    finally:
        await engine.dispose()
