"""`ias demo`: content to look at, and a rehearsal of an exam with many candidates."""

import asyncio

import typer

from app.cli.servers import ensure_servers

demo_app = typer.Typer(no_args_is_help=True, help="Demo content, and a rehearsal with many candidates.")


@demo_app.callback()
def demo() -> None:
    """Demo content, and a rehearsal with many candidates."""


@demo_app.command()
def load() -> None:
    """Load a small demo content into an empty database; nothing happens where there are users or tests."""
    from app.core.errors import Fact  # noqa: PLC0415 -- heavy

    with ensure_servers():
        try:
            loaded = asyncio.run(_load())
        except Fact as fact:
            typer.echo(fact.detail, err=True)
            raise typer.Exit(1) from None
    typer.echo("The demo content was loaded." if loaded else "No demo content was loaded.")


async def _load() -> bool:
    from app.cli import demo_content  # noqa: PLC0415 -- heavy, and only now is the environment complete
    from app.config import get_settings  # noqa: PLC0415
    from app.services.components import open_components  # noqa: PLC0415

    async with open_components(get_settings(), application_name="ias-demo", pool_size=1) as parts:
        return await demo_content.load(parts)
