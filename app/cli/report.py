"""`ias report`: reports on tests as files."""

import asyncio
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from app.cli.servers import ensure_servers

console = Console()
report_app = typer.Typer(no_args_is_help=True, help="Reports as files.")


@report_app.callback()
def group() -> None:
    """Reports as files."""


@report_app.command("test")
def report_test(
    test: Annotated[UUID, typer.Argument(metavar="TEST", help="The id of the test.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="File to write: .html.")],
    paper_version: Annotated[
        int | None, typer.Option(min=1, help="A version of the test; by default the newest.")
    ] = None,
    exam_paper: Annotated[
        UUID | None, typer.Option(metavar="ID", help="A paper of an exam, for those who took the test there.")
    ] = None,
) -> None:
    """Write the report on a test: statistics, plots and what to look at first, in one HTML file.

    Statistics of results that have changed are computed first.
    """
    with ensure_servers():
        page = asyncio.run(_page(test, paper_version, exam_paper))
    if page is None:
        raise typer.Exit(1)
    out.write_bytes(page)
    console.print(f"{out}: written", markup=False, highlight=False, soft_wrap=True)


async def _page(test: UUID, paper_version: int | None, exam_paper: UUID | None) -> bytes | None:
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.core.errors import DomainError  # noqa: PLC0415
    from app.services import reports  # noqa: PLC0415
    from app.services.analytics import refreshing  # noqa: PLC0415
    from app.services.unit_of_work import reading, unit_of_work  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    # A refresh holds its lock in one connection, and stores each paper in another.
    async with open_components(get_settings(), application_name="ias-report", pool_size=2) as parts:
        try:
            async with unit_of_work(parts.engine) as uow:
                await refreshing.refresh(uow, parts, test, parts.clock.now())
            async with reading(parts.engine) as reads:
                material = await reports.material(reads, parts, operator(), test, paper_version, exam_paper)
            return await reports.page(parts, operator(), material)
        except DomainError as error:
            console.print(error.detail, style="red", markup=False, highlight=False)
            return None
