"""`ias exam`: exams from files, and what brings them to released results."""

import json
import shutil
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli.authoring.running import read, run
from app.cli.progress import shown_progress
from app.cli.test import AuthorFile, DryRun, Publish

if TYPE_CHECKING:
    from uuid import UUID

    from app.models import ExamPaper
    from app.services.components import Components
    from app.services.unit_of_work import Reading, UnitOfWork

exam_app = typer.Typer(no_args_is_help=True, help="Exams from files, and their results.")
AnExam = Annotated[str, typer.Argument(metavar="EXAM", help="The reference of the exam, or its id.")]

Language = Annotated[Literal["en", "hi", "both"], typer.Option(help="The language of the fixed texts.")]


@exam_app.callback()
def group() -> None:
    """Exams from files, and their results."""


@exam_app.command()
def create(file: AuthorFile, publish: Publish = False, dry_run: DryRun = False) -> None:
    """Create or change the exam that a file describes. A second time changes nothing."""

    async def work(uow: "UnitOfWork", parts: "Components") -> list[str]:
        from app.cli.authoring.exams import create_exam  # noqa: PLC0415 -- slow to import

        return await create_exam(uow, parts, file, publish=publish)

    run(work, dry_run=dry_run)


@exam_app.command()
def schema() -> None:
    """Print the JSON Schema of the file, for editors and checks."""
    from app.schemas.authoring import ExamFile  # noqa: PLC0415 -- slow to import

    typer.echo(json.dumps(ExamFile.model_json_schema(), indent=2, ensure_ascii=False))


@exam_app.command()
def show(exam: AnExam) -> None:
    """Show an exam, and the ids of its papers, which `ias import answer-sheets` needs."""

    async def work(uow: "UnitOfWork", parts: "Components") -> list[str]:
        from app.services import exams  # noqa: PLC0415 -- slow to import
        from app.services.users import operator  # noqa: PLC0415

        staff, now = operator(), parts.clock.now()
        exam_id = await exams.named(uow, staff, exam)
        view = await exams.find(uow, staff, exam_id, now)
        papers = await exams.papers(uow, staff, exam_id, now)
        lines = [line for each in papers for line in _lines(each.view.paper, each.view.status)]
        return [f"{view.exam.title.get('en', exam)}: {view.stage}, id {exam_id}", *lines]

    run(work)


def _lines(paper: "ExamPaper", status: str) -> tuple[str, str]:
    """A paper in lines that fit a terminal of 80 columns: an id that is cut off cannot be copied."""
    starts, closes, ends = (
        f"{each.astimezone(UTC):%Y-%m-%d %H:%M}"
        for each in (paper.starts_at, paper.entry_closes_at, paper.ends_at)
    )
    return (
        f"{paper.code}: {status}, id {paper.id}",
        f"  {starts} to {ends} UTC; entry closes {closes}",
    )


@exam_app.command()
def publish(exam: AnExam, dry_run: DryRun = False) -> None:
    """Show the exam to candidates, with the current version of each test."""

    async def work(uow: "UnitOfWork", parts: "Components") -> list[str]:
        from app.services import exams  # noqa: PLC0415 -- slow to import
        from app.services.users import operator  # noqa: PLC0415

        exam_id = await exams.named(uow, operator(), exam)
        published = await exams.publish(uow, operator(), exam_id, parts.clock.now())
        return [published.unchanged.detail if published.unchanged else f"exam {exam}: published"]

    run(work, dry_run=dry_run)


@exam_app.command()
def release(
    exam: AnExam,
    early: Annotated[
        str | None, typer.Option(metavar="REASON", help="Release although a paper is not over, and why.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Release the results: rank the candidates, notify them, and lift the embargo. It cannot be undone."""

    async def work(uow: "UnitOfWork", parts: "Components") -> list[str]:
        from app.services import exams  # noqa: PLC0415 -- slow to import
        from app.services.users import operator  # noqa: PLC0415

        exam_id = await exams.named(uow, operator(), exam)
        released = await exams.release(uow, parts, operator(), exam_id, parts.clock.now(), early)
        ranked = released.release.participants
        return [f"exam {exam}: released as version {released.release.version}, {ranked} candidates ranked"]

    run(work, dry_run=dry_run, hints={"papers_not_over": "At the command line: --early REASON."})


@exam_app.command("merit-list")
def merit_list(
    exam: AnExam,
    file: Annotated[Path, typer.Argument(dir_okay=False, help="File to write: .csv, .xlsx or .pdf.")],
    everybody: Annotated[
        bool, typer.Option("--all", help="Also candidates without a rank, with their outcome.")
    ] = False,
    language: Language = "both",
    version: Annotated[
        int | None, typer.Option(help="An older version of the results. Without it, the current one.")
    ] = None,
) -> None:
    """Write the merit list of a released exam to a sheet, or to a PDF for print."""
    suffix = file.suffix.lower().removeprefix(".")
    if suffix not in ("csv", "xlsx", "pdf"):
        raise typer.BadParameter("the name must end with .csv, .xlsx or .pdf", param_hint="FILE")

    async def work(uow: "UnitOfWork", parts: "Components") -> list[str]:
        from app.services import exams  # noqa: PLC0415 -- slow to import
        from app.services.users import operator  # noqa: PLC0415
        from app.sheets.writers import SheetFormat  # noqa: PLC0415

        exam_id = await exams.named(uow, operator(), exam)
        if suffix == "pdf":
            file.write_bytes(
                await _merit_pdf(uow, parts, exam_id, language, everybody=everybody, version=version)
            )
            return [f"{file}: written"]
        wanted = SheetFormat(suffix)
        with (
            await exams.merit_sheet(
                uow, operator(), exam_id, wanted, everybody=everybody, version=version
            ) as sheet,
            file.open("wb") as out,
        ):
            shutil.copyfileobj(sheet, out)
        return [f"{file}: written"]

    run(work)


async def _merit_pdf(
    uow: "UnitOfWork",
    parts: "Components",
    exam_id: "UUID",
    language: Language,
    *,
    everybody: bool,
    version: int | None,
) -> bytes:
    from app.services import result_documents  # noqa: PLC0415 -- slow to import
    from app.services.users import operator  # noqa: PLC0415

    now = parts.clock.now()
    document = await result_documents.merit_document(
        uow, operator(), exam_id, language, now, everybody=everybody, version=version
    )
    return await result_documents.pdf(parts.files, document, operator(), now)


@exam_app.command("export")
def export(
    exam: AnExam,
    file: Annotated[Path, typer.Argument(dir_okay=False, help="File to write: .jsonl.")],
) -> None:
    """Write marks, keys, answers and results of a released exam, so that anybody can compute them again.

    Candidates are named by their roll numbers only.
    """

    async def work(reads: "Reading", parts: "Components") -> list[str]:
        from app.services import exams  # noqa: PLC0415 -- slow to import
        from app.services.users import operator  # noqa: PLC0415

        exam_id = await exams.named(reads, operator(), exam)
        with await exams.export(reads, parts, operator(), exam_id) as found, file.open("wb") as out:
            shutil.copyfileobj(found, out)
        return [f"{file}: written"]

    read(work)


@exam_app.command("result-sheets")
def result_sheets(
    exam: AnExam,
    out: Annotated[Path, typer.Option(dir_okay=False, help="File to write: .zip.")],
    kind: Annotated[
        Literal["result_sheets", "certificates"], typer.Option(help="What to print.")
    ] = "result_sheets",
    language: Language = "both",
) -> None:
    """Write the result sheets or certificates of a released exam, a PDF for each candidate, to a ZIP file."""

    async def work(uow: "UnitOfWork", parts: "Components") -> list[str]:
        from app.models import ResultFileKind  # noqa: PLC0415 -- slow to import
        from app.services import exams, result_documents  # noqa: PLC0415
        from app.services.users import operator  # noqa: PLC0415

        exam_id = await exams.named(uow, operator(), exam)
        now, total = parts.clock.now(), 0
        with shown_progress() as report:
            async for done, total in result_documents.write_file(
                uow, parts, operator(), exam_id, ResultFileKind(kind), language, out, now
            ):
                report("Documents", done, total)
        return [f"{out}: {total} documents"]

    run(work)


@exam_app.command("objections")
def objections(
    exam: AnExam,
    file: Annotated[
        Path | None,
        typer.Argument(dir_okay=False, help="File to write: .csv or .xlsx, with the paper's code."),
    ] = None,
) -> None:
    """Show the claimed keys of each paper, or write all objections to a sheet for each paper."""
    suffix = file.suffix.lower().removeprefix(".") if file is not None else "csv"
    if suffix not in ("csv", "xlsx"):
        raise typer.BadParameter("the name must end with .csv or .xlsx", param_hint="FILE")

    async def work(uow: "UnitOfWork", parts: "Components") -> list[str]:
        from app.cli.objections import list_clusters, write_sheets  # noqa: PLC0415 -- slow to import

        if file is None:
            return await list_clusters(uow, parts, exam)
        return await write_sheets(uow, parts, exam, file, suffix)

    run(work)
