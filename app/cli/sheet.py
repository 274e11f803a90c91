"""`ias sheet`: how sheets are read."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from app.cli.servers import ensure_servers

sheet_app = typer.Typer(no_args_is_help=True, help="How sheets are read.")
console = Console()


@sheet_app.callback()
def sheet() -> None:
    """How sheets are read."""


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
            console.print(error.detail, style="red", markup=False)
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

    table = Table("Id", "Sheets of", "Columns", "Saved by", "On")
    cursor: str | None = None
    while True:
        async with _components() as parts, reading(parts.engine) as reads:
            page = await column_mappings.page(reads, operator(), None, PageRequest(100, cursor))
        for each in page.items:
            saved = each.mapping
            columns = ", ".join(f'"{header}" → {column}' for header, column in saved.columns.items())
            kind = saved.kind.replace("_", " ")
            day = f"{saved.updated_at:%Y-%m-%d}"
            table.add_row(str(saved.id), kind, columns, each.saved_by or "", day)
        if (cursor := page.next_cursor) is None:
            break
    if table.row_count:
        console.print(table, markup=False)
    else:
        console.print("No mapping is saved.")


async def _delete(mapping_id: UUID) -> None:
    from app.services import column_mappings  # noqa: PLC0415 -- slow to import
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415

    async with _components() as parts, unit_of_work(parts.engine) as uow:
        await column_mappings.delete(uow, operator(), mapping_id)
    console.print("Deleted.")
