"""`ias demo`: content to look at, rehearsals of a test and of a live exam, and a dispute about a key."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from app.cli.open_files import allow_many
from app.cli.servers import ensure_servers, read_settings, require_development_packages

if TYPE_CHECKING:
    from app.cli.local.home import Home
    from rehearsal.dispute.options import DisputeOptions
    from rehearsal.exam.options import ExamOptions
    from rehearsal.run import Options

_KILLED = ("api", "worker", "postgres", "valkey")
_MOCK = "general_studies_mock.csv"

demo_app = typer.Typer(no_args_is_help=True, help="Demo content, and rehearsals with many candidates.")


@demo_app.callback()
def demo() -> None:
    """Demo content, and rehearsals with many candidates."""
    allow_many()  # Each candidate of a rehearsal has a socket.


@demo_app.command()
def load() -> None:
    """Load demo content into an empty database. Nothing is changed if there are users or tests."""
    from app.core.errors import DomainError  # noqa: PLC0415 -- slow to import

    with ensure_servers():
        try:
            loaded = asyncio.run(_load())
        except DomainError as error:
            typer.echo(error.detail, err=True)
            raise typer.Exit(1) from None
    typer.echo("The demo content was loaded." if loaded else "No demo content was loaded.")


async def _load() -> bool:
    from app.cli import demo_content  # noqa: PLC0415 -- slow to import, and only now is the environment complete
    from app.config import get_settings  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with open_components(get_settings(), application_name="ias-demo", pool_size=1) as parts:
        return await demo_content.load(parts)


@demo_app.command("test")
def rehearse(
    candidates: Annotated[
        int, typer.Option(min=1, max=2000, help="Candidates who take the test at once.")
    ] = 200,
    questions: Annotated[int, typer.Option(min=10, max=500, help="Questions in the test.")] = 100,
    minutes: Annotated[float, typer.Option(min=0.1, max=50, help="Duration of the test.")] = 1,
    devices: Annotated[int, typer.Option(min=1, max=5, help="Most devices of one candidate.")] = 2,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal plans.")] = 1,
    api: Annotated[
        str | None, typer.Option(metavar="URL", help="The API to use instead of that of `ias up`.")
    ] = None,
    kill: Annotated[
        str, typer.Option(metavar="NAMES", help="Programs to kill: any of api,worker,postgres.")
    ] = "",
) -> None:
    """Rehearse a test: many candidates, a bad network, every mark checked.

    Exits with status 1 on any mismatch or delay. Accounts, questions and an archived test named Rehearsal
    stay in the database.
    """
    run_file, api_url, killable = _target(api, kill, _KILLED[:3])
    with ensure_servers():
        from rehearsal.run import Options  # noqa: PLC0415 -- slow to import

        seconds = round(minutes * 60)
        options = Options(api_url, run_file, candidates, questions, seconds, devices, seed, killable)
        if not asyncio.run(_rehearse(options)):
            raise typer.Exit(1)


@demo_app.command("exam")
def rehearse_exam(
    candidates: Annotated[int, typer.Option(min=1, max=5000, help="Registered candidates.")] = 300,
    questions: Annotated[int, typer.Option(min=10, max=200, help="Questions in a paper.")] = 100,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.05,
            max=200,
            show_default="2; with more than 1,000 candidates 2 for each 1,000",
            help="Duration of each paper.",
        ),
    ] = None,
    papers: Annotated[int, typer.Option(min=1, max=4, help="Papers, one after the other.")] = 2,
    devices: Annotated[int, typer.Option(min=1, max=5, help="Most devices of one candidate.")] = 2,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal plans.")] = 1,
    api: Annotated[
        str | None, typer.Option(metavar="URL", help="The API to use instead of that of `ias up`.")
    ] = None,
    kill: Annotated[
        str,
        typer.Option(
            metavar="NAMES", help="Programs to kill in the first paper: any of api,worker,postgres,valkey."
        ),
    ] = "",
    sockets: Annotated[bool, typer.Option(help="Whether candidates open sockets.")] = True,
    bad_day: Annotated[
        bool,
        typer.Option(
            "--bad-day",
            help="A postponement, a power cut, a wrong announcement, double clicks, and a proctor who ends"
            " everybody's attempts by mistake.",
        ),
    ] = False,
) -> None:
    """Rehearse a live exam from registration to the merit list.

    Exits with status 1 on any mismatch or delay. Nearly all candidates start within five seconds. There are
    announcements, extra time, a pause, changes of device, lost connections, an attempt that staff submit and
    one that they void. Accounts, questions, a released exam and its archived tests named Rehearsal stay in
    the database.
    """
    run_file, api_url, killable = _target(api, kill, _KILLED)
    with ensure_servers():
        from rehearsal.exam.options import ExamOptions, usual_minutes  # noqa: PLC0415 -- slow to import

        seconds = round(60 * (minutes or usual_minutes(candidates)))
        options = ExamOptions(
            api_url,
            run_file,
            candidates,
            questions,
            seconds,
            papers,
            devices,
            seed,
            killable,
            sockets,
            bad_day,
        )
        if not asyncio.run(_rehearse_exam(options)):
            raise typer.Exit(1)


@demo_app.command()
def dispute(
    candidates: Annotated[int, typer.Option(min=10, max=2000, help="Candidates of the exam.")] = 200,
    paper: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help="CSV with question, option_a to option_d and key; instead of the demo mock.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(file_okay=False, metavar="FOLDER", help="Keep the exports before and after here."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal answers.")] = 1,
    api: Annotated[
        str | None, typer.Option(metavar="URL", help="The API to use instead of that of `ias up`.")
    ] = None,
) -> None:
    """Play a dispute about a key: wrong release, objections, decision, revision.

    Exits with status 1 on any mismatch. A grader that shares no code with the product computes every score
    and rank before and after. Accounts, questions, a released exam and its archived test named Dispute stay
    in the database.
    """
    _, api_url, _ = _target(api, "", ())
    with ensure_servers(), ExitStack() as stack:
        from rehearsal.dispute.options import DisputeOptions, objection_seconds  # noqa: PLC0415

        folder = out or Path(stack.enter_context(TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        sheet = paper or stack.enter_context(as_file(files("app.cli.demo_content") / _MOCK))
        seconds = objection_seconds(candidates)
        options = DisputeOptions(api_url, sheet, candidates, seconds, seed, folder)
        if not asyncio.run(_play_dispute(options)):
            raise typer.Exit(1)


def _target(api: str | None, kill: str, known: Sequence[str]) -> tuple[Path, str, tuple[str, ...]]:
    """The path of run.json, the address of the API, and the programs to kill."""
    require_development_packages()
    from app.cli.local.home import Home  # noqa: PLC0415 -- not in the wheel and the image

    home, killable = Home.from_environment(), _killable(kill, api, known)
    return home.run_file, (_named_api(home, api) if api else _running_api(home)).rstrip("/"), killable


def _killable(names: str, api: str | None, known: Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(name.strip() for name in names.split(",") if name.strip())
    if unknown := set(wanted) - set(known):
        raise typer.BadParameter(f"There is no {', '.join(sorted(unknown))} to kill.", param_hint="--kill")
    if wanted and api:
        message = "Only programs of the `ias up` that runs here are killed."
        raise typer.BadParameter(message, param_hint="--kill")
    return wanted


def _named_api(home: "Home", url: str) -> str:
    """Check that the database of this API is known: staff accounts are made and results are read there."""
    if not read_settings().get("DATABASE_URL") and home.read_run() is None:
        message = "Set DATABASE_URL and the SUPABASE settings to those of this API."
        raise typer.BadParameter(message, param_hint="--api")
    return url


def _running_api(home: "Home") -> str:
    from app.cli.local.programs import get  # noqa: PLC0415

    run = home.read_run()
    if run is None or get(f"{run['api_url']}/v1/health/ready") is None:
        raise typer.BadParameter(
            f"Nothing runs with the data in {home.folder}. Start `ias up` first (`make run`), set IAS_HOME to"
            " the folder of what runs, or name an API with --api."
        )
    return str(run["api_url"])


async def _rehearse(options: "Options") -> bool:
    from rehearsal.run import Rehearsal  # noqa: PLC0415
    from rehearsal.summary import print_summary, show  # noqa: PLC0415

    console, began = Console(), time.monotonic()
    rehearsal = Rehearsal(options)
    if not await _run(rehearsal.run(), show(rehearsal, console), console):
        return False
    print_summary(rehearsal, console, time.monotonic() - began)
    return not rehearsal.problems and not rehearsal.delays


async def _rehearse_exam(options: "ExamOptions") -> bool:
    from rehearsal.exam.dashboard import Dashboard  # noqa: PLC0415
    from rehearsal.exam.run import ExamRehearsal  # noqa: PLC0415
    from rehearsal.exam.summary import print_summary  # noqa: PLC0415

    console, began = Console(), time.monotonic()
    rehearsal = ExamRehearsal(options)
    if not await _run(rehearsal.run(), Dashboard(rehearsal, console).show(), console):
        return False
    print_summary(rehearsal, console, time.monotonic() - began)
    return not rehearsal.problems and not rehearsal.delays


async def _play_dispute(options: "DisputeOptions") -> bool:
    from rehearsal.dispute.dispute import Dispute  # noqa: PLC0415
    from rehearsal.dispute.paper import UnsuitablePaper  # noqa: PLC0415
    from rehearsal.dispute.summary import print_summary, show  # noqa: PLC0415

    console, began = Console(), time.monotonic()
    try:
        played = Dispute(options)
    except UnsuitablePaper as error:
        raise typer.BadParameter(str(error), param_hint="--paper") from None
    if not await _run(played.run(), show(played, console), console):
        return False
    print_summary(played, console, time.monotonic() - began)
    return not played.problems


async def _run(
    rehearsal: Coroutine[Any, Any, None], shown: Coroutine[Any, Any, None], console: Console
) -> bool:
    """Run a rehearsal and show it. Returns False if it could not go on."""
    from rehearsal.client import UnexpectedResponse  # noqa: PLC0415

    showing, trouble = asyncio.create_task(shown), None
    try:
        await rehearsal
    except UnexpectedResponse as error:
        trouble = f"The rehearsal could not go on: {error}"
    finally:
        showing.cancel()
        await asyncio.wait([showing])
    if trouble:
        console.print(trouble, style="red", markup=False)
    return trouble is None
