"""`ias test`: tests from files, and corrections of their keys."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.authoring.running import read, run
from app.cli.key_revisions import revise_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from app.services.components import Components
    from app.services.unit_of_work import Reading, UnitOfWork

test_app = typer.Typer(no_args_is_help=True, help="Tests from files.")

AuthorFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A YAML file.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Report what would happen, and change nothing.")]
Publish = Annotated[bool, typer.Option("--publish", help="Also publish, if there is something new.")]


@test_app.callback()
def group() -> None:
    """Tests from files."""


@test_app.command()
def compose(file: AuthorFile, publish: Publish = False, dry_run: DryRun = False) -> None:
    """Create or change the test that a file describes. A second time changes nothing."""

    async def work(uow: "UnitOfWork", parts: "Components") -> list[str]:
        from app.cli.authoring.compose import Composer  # noqa: PLC0415 -- slow to import

        composer = Composer(uow, parts, publish=publish)
        await composer.compose(file)
        return composer.report

    run(work, dry_run=dry_run)


test_app.command()(revise_key)


@test_app.command()
def schema() -> None:
    """Print the JSON Schema of the file, for editors and checks."""
    from app.schemas.authoring import ComposedTestFile  # noqa: PLC0415 -- slow to import

    typer.echo(json.dumps(ComposedTestFile.model_json_schema(), indent=2, ensure_ascii=False))


@test_app.command()
def show(test: Annotated[str, typer.Argument(metavar="TEST", help="Its reference, or its id.")]) -> None:
    """Show a test with its sections, what prevents its publication, and keys to look at."""

    async def work(reads: "Reading", _: "Components") -> list[str]:
        from app.services import tests  # noqa: PLC0415 -- slow to import
        from app.services.users import operator  # noqa: PLC0415

        test_id = await tests.named(reads, operator(), test)
        preview = await tests.preview(reads, operator(), test_id)
        return [
            f"{preview.document['title'].get('en', test)}: id {test_id}",
            *(_line(section) for section in preview.document["sections"]),
            *(f"Prevents publication: {each.message}" for each in preview.obstacles),
            *(f"Look at the keys: {each.message}" for each in preview.warnings),
        ]

    read(work)


def _line(section: "Mapping[str, Any]") -> str:
    name = section["name"].get("en") or next(iter(section["name"].values()))
    return f"  {name}: {len(section['question_ids'])} questions"
