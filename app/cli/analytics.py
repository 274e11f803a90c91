"""`ias analytics`: what analytics keep, for the operator of the installation."""

import asyncio
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from app.cli.progress import shown_progress
from app.cli.servers import ensure_servers

analytics_app = typer.Typer(no_args_is_help=True, help="What analytics keep of results.")
console = Console()
REPORT_EVERY = 10_000
_FIRST = UUID(int=0)


@analytics_app.callback()
def group() -> None:
    """What analytics keep of results."""


@analytics_app.command()
def rebuild(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="Only results that have no figures, as after an upgrade.")
    ] = False,
    after: Annotated[
        UUID, typer.Option(help="Continue after this attempt: a rebuild that was stopped has named it.")
    ] = _FIRST,
) -> None:
    """Make everything that analytics keep again, from results and logs. A second time changes nothing.

    It may run while candidates use the installation, and be stopped at any time: what is done stays.
    """
    with ensure_servers():
        asyncio.run(_rebuild(after, missing=missing, yes=yes))


async def _rebuild(after: UUID, *, missing: bool, yes: bool) -> None:
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.services.analytics import rebuilding  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with open_components(get_settings(), application_name="ias-analytics", pool_size=1) as parts:
        found = await rebuilding.plan(parts, after)
        total = found.missing if missing else found.results
        _say(f"Results: {found.results}, of which {found.missing} have no figures.")
        _say(f"The figures of {total} results will be computed and ratings be made again.")
        _say("Then the statistics of tests are refreshed.")
        if not yes and not typer.confirm("Continue?"):
            raise typer.Exit(1)
        done = 0
        with shown_progress() as progress:
            async for count, last in rebuilding.rebuild_figures(parts, after, only_missing=missing):
                done += count
                progress("Figures", done, total)
                if done // REPORT_EVERY > (done - count) // REPORT_EVERY:
                    _say(f"{done} of {total}. If this is stopped, continue with --after {last}")
        _say(f"Figures computed: {done}")
        replayed, added = await rebuilding.replay_ratings(parts)
        _say(f"Attempts taken into ratings again: {replayed}, for the first time: {added}")
        _say(f"Refreshes of statistics requested: {await rebuilding.request_statistics(parts)} tests")


def _say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
