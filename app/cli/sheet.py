"""`ias sheet`: how sheets are read."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import typer

from app.cli.servers import ensure_servers

if TYPE_CHECKING:
    from app.repositories.column_mappings import SavedMapping

sheet_app = typer.Typer(no_args_is_help=True, help="How sheets are read.")


@sheet_app.callback()
def sheet() -> None:
    """How sheets are read."""


@sheet_app.command("template")
def template(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="File to write: .xlsx or .csv.")],
    language: Annotated[Literal["en", "hi"], typer.Option(help="Language of the headers and notes.")] = "en",
) -> None:
    """Write an empty sheet of questions to fill in, with lists of choices, notes and examples."""
    from app.services.questions import template as empty_sheet  # noqa: PLC0415 -- slow to import
    from app.sheets.writers import SheetFormat  # noqa: PLC0415

    ending = file.suffix.lower().removeprefix(".")
    if ending not in [*SheetFormat]:
        raise typer.BadParameter("Call the file .xlsx or .csv.", param_hint="FILE")
    file.write_bytes(empty_sheet(SheetFormat(ending), language))
    typer.echo(f"{file}: fill in the sheet `questions`, and import it with `ias import questions`.")


@sheet_app.command("mappings")
def mappings(
    delete: Annotated[
        UUID | None, typer.Option(metavar="ID", help="Delete this mapping: such sheets need --map again.")
    ] = None,
) -> None:
    """List the mappings of columns that imports with --map have saved for sheets with the same headers."""
    _run(_list() if delete is None else _delete(delete))


def _run(work: Coroutine[Any, Any, None]) -> None:
    from app.core.errors import DomainError  # noqa: PLC0415 -- slow to import

    with ensure_servers():
        try:
            asyncio.run(work)
        except DomainError as error:
            typer.echo(error.detail, err=True)
            raise typer.Exit(1) from None


def _components() -> Any:
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.startup import open_components  # noqa: PLC0415

    return open_components(get_settings(), application_name="ias-sheet", pool_size=1)


async def _list() -> None:
    from app.repositories.base import PageRequest  # noqa: PLC0415 -- slow to import
    from app.services import column_mappings  # noqa: PLC0415
    from app.services.unit_of_work import reading  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415

    is_empty, cursor = True, None
    while True:
        async with _components() as parts, reading(parts.engine) as reads:
            page = await column_mappings.page(reads, operator(), None, PageRequest(100, cursor))
        for each in page.items:
            is_empty = False
            typer.echo(_described(each))
        if (cursor := page.next_cursor) is None:
            break
    if is_empty:
        typer.echo("No mapping is saved.")


def _described(each: "SavedMapping") -> str:
    saved = each.mapping
    by = f" by {each.saved_by}" if each.saved_by else ""
    columns = ", ".join(f'"{header}" → {column}' for header, column in saved.columns.items())
    return f"{saved.id}  {saved.kind.replace('_', ' ')}, {saved.updated_at:%Y-%m-%d}{by}: {columns}"


async def _delete(mapping_id: UUID) -> None:
    from app.services import column_mappings  # noqa: PLC0415 -- slow to import
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415

    async with _components() as parts, unit_of_work(parts.engine) as uow:
        if not await column_mappings.delete(uow, operator(), mapping_id):
            typer.echo("There is no such mapping.", err=True)
            raise typer.Exit(1)
    typer.echo("Deleted.")
