"""`ias test revise-key`: try a correction of a key, show what it changes, and publish it."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from app.cli.progress import shown_progress
from app.cli.servers import ensure_servers

if TYPE_CHECKING:
    from app.services.components import Components
    from app.services.keys.changes import KeyChange
    from app.services.keys.revisions import RevisionDraft, RevisionView
    from app.services.unit_of_work import UnitOfWork

console = Console()
POLL_SECONDS = 0.5

Questions = Annotated[
    list[int] | None, typer.Option("--question", min=1, help="Number in the newest paper; with --key.")
]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="Its new key, as in a sheet: b, bd for both, b|d for either, 3.14±0.01."),
]
Drops = Annotated[
    list[str] | None,
    typer.Option("--drop", help="Number of a question to drop; 80:full_marks_to_all names a rule."),
]


def revise_key(
    test: Annotated[str, typer.Argument(metavar="TEST", help="The reference of the test, or its id.")],
    reason: Annotated[str, typer.Option(help="Why, shown to everybody whose result changes.")],
    question: Questions = None,
    key: Keys = None,
    drop: Drops = None,
    keep: Annotated[str, typer.Option(help="new, or higher: no score falls.")] = "new",
    here: Annotated[
        bool,
        typer.Option("--here", help="Grade here, without the time limit of a worker's job."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Correct or drop questions of a published test: dry run, question, publication.

    Repeat --question and --key in pairs.
    """
    asked, keys = question or [], key or []
    if len(asked) != len(keys) or not (asked or drop):
        raise typer.BadParameter("give a --key for each --question, or a question to --drop")
    if keep not in ("new", "higher"):
        raise typer.BadParameter("new or higher", param_hint="--keep")
    with ensure_servers():
        keyed = list(zip(asked, keys, strict=True))
        asyncio.run(_revise(test, keyed, drop or [], reason, keep, here=here, yes=yes))


async def _revise(
    test: str,
    keyed: Sequence[tuple[int, str]],
    drops: Sequence[str],
    reason: str,
    keep: str,
    *,
    here: bool,
    yes: bool,
) -> None:
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.core.errors import DomainError  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with open_components(get_settings(), application_name="ias-revise-key", pool_size=2) as parts:
        try:
            test_id, number = await _try(parts, test, keyed, drops, reason, keep)
            if not yes and not typer.confirm("Publish this revision?"):
                _say(f"Nothing was changed. The dry run is revision {number}.")
                raise typer.Exit(1)
            await _publish(parts, test_id, number, here=here)
        except DomainError as error:
            _say(error.detail, *(f"{each.field}: {each.message}" for each in error.errors), style="red")
            raise typer.Exit(1) from None


async def _try(
    parts: "Components",
    test: str,
    keyed: Sequence[tuple[int, str]],
    drops: Sequence[str],
    reason: str,
    keep: str,
) -> tuple[UUID, int]:
    """Make the dry run and print it; the test, and the number of the revision."""
    from app.services.keys import naming, revisions  # noqa: PLC0415 -- slow to import
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415

    async with unit_of_work(parts.engine) as uow:
        test_id = await naming.test_named(uow, operator(), test)
        draft = await _draft(uow, test_id, keyed, drops, reason, keep)
        view = await revisions.create(uow, parts, operator(), test_id, draft, parts.clock.now())
        number = view.revision.number
    if view.revision.impact is None:
        async with unit_of_work(parts.engine) as uow:
            await revisions.compute(uow, parts, view.revision.id)
            view = await revisions.find(uow, operator(), test_id, number)
    _show(view)
    return test_id, number


async def _draft(
    uow: "UnitOfWork",
    test_id: UUID,
    keyed: Sequence[tuple[int, str]],
    drops: Sequence[str],
    reason: str,
    keep: str,
) -> "RevisionDraft":
    from app.models import Keep  # noqa: PLC0415 -- slow to import
    from app.services.keys import naming  # noqa: PLC0415
    from app.services.keys.revisions import RevisionDraft  # noqa: PLC0415

    questions = await naming.questions_of(uow, test_id)
    changes: list[KeyChange] = [naming.keyed(questions, number, cell) for number, cell in keyed]
    changes += [naming.dropped(questions, text) for text in drops]
    return RevisionDraft(changes, reason, Keep(keep))


def _show(view: "RevisionView") -> None:
    from app.services.keys.naming import cell_of, types_of  # noqa: PLC0415 -- slow to import
    from app.services.keys.scales import obstacle_of  # noqa: PLC0415

    revision = view.revision
    types = types_of(view.papers)
    changes = Table("Question", "Key before", "Key", title=f"Revision {revision.number}: {revision.reason}")
    for change in revision.changes:
        before, after = (
            cell_of(types, change["question_id"], change[side]) for side in ("key_before", "key")
        )
        changes.add_row(str(change["number"]), before, after)
    console.print(changes)
    impact = revision.impact or {}
    _say(
        f"Graded attempts: {impact['attempts']}. Scores that change: {impact['scores_changed']},"
        f" ranks: {impact['ranks_changed']}, qualified or not: {impact['qualified_changed']}."
    )
    for cohort in impact["cohorts"]:
        before, after = (_listed(cohort[side]) for side in ("before", "after"))
        _say(f"Version {cohort['version']} was ranked with {before}, and would be with {after}.")
    if others := impact["other_ranks_changed"]:
        _say(f"Ranks of attempts that are not graded again: {others}.")
    if (obstacle := obstacle_of(impact)) is not None:
        _say(obstacle, style="red")
    if impact["biggest_changes"]:
        biggest = Table("Attempt", "Score", "Rank", title="Biggest changes")
        for change in impact["biggest_changes"]:
            score = f"{change['score_before']} → {change['score_after']}"
            rank = f"{change['rank_before'] or '-'} → {change['rank_after'] or '-'}"
            biggest.add_row(change["attempt_id"], score, rank)
        console.print(biggest)
    versions = ", ".join(str(paper.version) for paper in view.papers)
    _say(f"Versions of the paper: {versions}.")
    for place in view.exams:
        state = "released" if place.released else "not released"
        _say(f"Exam {place.exam_title.get('en', place.exam_id)}, paper {place.code}: {state}.")
    for other in view.not_revised:
        _say(
            f"Not revised, though it has the question: test {other.title.get('en', '')} ({other.test_id}).",
            style="yellow",
        )


async def _publish(parts: "Components", test_id: UUID, number: int, *, here: bool) -> None:
    from app.services.keys import publication  # noqa: PLC0415 -- slow to import
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415
    from app.services.users import operator  # noqa: PLC0415

    async with unit_of_work(parts.engine) as uow:
        view = await publication.publish(uow, operator(), test_id, number, parts.clock.now())
        revision_id, questions = view.revision.id, list(view.revision.bank)
    for question in questions:
        if question["outcome"] in ("kept", "not_allowed"):
            _say(f"The bank keeps its key of question {question['question_id']}.", style="yellow")
    await _carry_out(parts, revision_id, here=here)
    _say(f"Revision {number} is published.")


async def _carry_out(parts: "Components", revision_id: UUID, *, here: bool) -> None:
    """Wait until a worker has graded everybody again. Without a worker, or if it is wanted, do it here."""
    from app.services.keys import carrying_out  # noqa: PLC0415 -- slow to import

    with shown_progress() as progress:
        while not (state := await carrying_out.progress_of(parts, revision_id)).is_complete:
            progress("Regraded", state.done, state.total)
            if state.has_worker and not here:
                await asyncio.sleep(POLL_SECONDS)
            else:
                await carrying_out.publish_now(parts, revision_id, parts.clock.now())
        progress("Regraded", state.total, state.total)


def _listed(versions: Sequence[int]) -> str:
    if not versions:
        return "no other version"
    return f"version{'s' if len(versions) > 1 else ''} {', '.join(map(str, versions))}"


def _say(*sentences: str, style: str | None = None) -> None:
    for sentence in sentences:
        console.print(sentence, style=style, markup=False, highlight=False, soft_wrap=True)
