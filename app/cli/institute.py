"""`ias institute`: the name of the institute."""

import asyncio
from typing import Annotated

import typer

from app.cli.servers import ensure_servers

institute_app = typer.Typer(no_args_is_help=True, help="The name of the institute.")


@institute_app.callback()
def institute() -> None:
    """The name of the institute."""


@institute_app.command("show")
def show() -> None:
    """Show the name of the institute."""
    with ensure_servers():
        typer.echo(asyncio.run(_show()))


@institute_app.command("rename")
def rename(name: Annotated[str, typer.Argument(help="The name that certificates and lists print.")]) -> None:
    """Give the institute a name. Documents that are made from now on have it."""
    from app.core.errors import DomainError  # noqa: PLC0415 -- slow to import

    with ensure_servers():
        try:
            typer.echo(asyncio.run(_rename(name)))
        except DomainError as error:
            typer.echo("\n".join(each.message for each in error.errors) or error.detail, err=True)
            raise typer.Exit(1) from None


async def _show() -> str:
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.services import institutes  # noqa: PLC0415
    from app.services.unit_of_work import reading  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with (
        open_components(get_settings(), application_name="ias-institute", pool_size=1) as parts,
        reading(parts.engine) as reads,
    ):
        return (await institutes.find(reads, operator())).name


async def _rename(name: str) -> str:
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.services import institutes  # noqa: PLC0415
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with (
        open_components(get_settings(), application_name="ias-institute", pool_size=1) as parts,
        unit_of_work(parts.engine) as uow,
    ):
        return f"The institute is called {(await institutes.rename(uow, operator(), name)).name} now."
