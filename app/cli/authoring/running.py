"""Runs one command of authors in one transaction, and prints what it did."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from app.cli.servers import ensure_servers

if TYPE_CHECKING:
    from app.services.components import Components
    from app.services.unit_of_work import Reading, UnitOfWork

console = Console()
ReadingWork = Callable[["Reading", "Components"], Awaitable[Sequence[str]]]
Work = Callable[["UnitOfWork", "Components"], Awaitable[Sequence[str]]]


def run(work: Work, *, dry_run: bool = False, hints: Mapping[str, str] | None = None) -> None:
    """Do the work and print the sentences that it returns. An error ends the command with 1.

    `hints` are sentences by the code of an error, for errors that name fields of the API.
    """
    _print_outcome(_in_transaction(work, dry_run=dry_run), dry_run=dry_run, hints=hints or {})


def read(work: ReadingWork) -> None:
    """The same with a transaction that only reads, and reads one snapshot."""
    _print_outcome(_in_snapshot(work), dry_run=False, hints={})


def _print_outcome(
    work: Coroutine[Any, Any, Sequence[str]], *, dry_run: bool, hints: Mapping[str, str]
) -> None:
    with ensure_servers():
        succeeded = asyncio.run(_run(work, dry_run, hints))
    if not succeeded:
        raise typer.Exit(1)


async def _run(work: Awaitable[Sequence[str]], dry_run: bool, hints: Mapping[str, str]) -> bool:
    from app.cli.authoring.yaml_file import BadFile  # noqa: PLC0415 -- slow to import
    from app.core.errors import DomainError  # noqa: PLC0415

    try:
        sentences = await work
    except BadFile as error:
        _print([*map(str, error.mistakes), "Nothing was changed."], style="red")
        return False
    except DomainError as error:
        details = [f"{each.field}: {each.message}" for each in error.errors]
        hint = [hints[error.code]] if error.code in hints else []
        _print([error.detail, *details, *hint, "Nothing was changed."], style="red")
        return False
    _print(sentences)
    if dry_run:
        _print(["This was a dry run: nothing was changed."], style="yellow")
    return True


async def _in_transaction(work: Work, *, dry_run: bool) -> Sequence[str]:
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with (
        open_components(get_settings(), application_name="ias-author", pool_size=1) as parts,
        unit_of_work(parts.engine) as uow,
    ):
        if not dry_run:
            return await work(uow, parts)
        async with uow.dry_run():
            return await work(uow, parts)


async def _in_snapshot(work: ReadingWork) -> Sequence[str]:
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.services.unit_of_work import reading  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with (
        open_components(get_settings(), application_name="ias-author", pool_size=1) as parts,
        reading(parts.engine) as reads,
    ):
        return await work(reads, parts)


def _print(sentences: Sequence[str], style: str | None = None) -> None:
    for sentence in sentences:
        console.print(sentence, style=style, markup=False, highlight=False, soft_wrap=True)
