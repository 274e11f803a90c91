"""Runs a case: both calls by its schedule, then one after the other in both orders, and compares."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import asyncpg
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.core.ids import uuid7
from app.database import create_engine
from app.services.components import Components
from app.startup import open_components
from tests.faults.interleaving import checker
from tests.faults.interleaving.building import Scene, build
from tests.faults.interleaving.calls import Outcome, later, perform, sweep, work
from tests.faults.interleaving.cases import Call, Case, schedule_of
from tests.faults.interleaving.dump import Dump, comparable, read
from tests.faults.interleaving.row_rules import FIGURES, check_rows
from tests.faults.interleaving.stepping import Side, Stepper
from tests.faults.interleaving.world import NOW, StandingClock, World, make_world

SWEPT_AT = NOW + timedelta(seconds=4)
ALL_OVER = NOW + timedelta(hours=6)
HARMLESS_TO_REPEAT = ("submit", "release", "cancel", "close", "publish", "register", "pause", "end", "void")


@dataclass
class Run:
    """What happened in one run of a case."""

    outcomes: list[Outcome]
    commits: list[int]
    """The calls that committed, in the order of their commits."""
    dump: Dump
    state: Any
    """The dump with names for ids, comparable with other runs."""
    errors: list[str] = field(default_factory=list)
    trace: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Report:
    """What a case has shown."""

    case: Case
    faults: list[str]
    spurious: str | None = None
    """The call that was refused though no serial order refuses it so, without any other effect."""
    overlapped: bool = False
    trace: list[tuple[str, str]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


class Runner:
    """Runs cases over one database, with two sides, an observer, and an engine for everything else."""

    def __init__(
        self,
        world: World,
        parts: Components,
        plain: AsyncEngine,
        sides: tuple[Side, Side],
        observer: asyncpg.Connection,
        *,
        compared_share: float = 1.0,
    ) -> None:
        self._world = world
        self._parts = parts
        self._plain = plain
        self._stepper = Stepper(sides, observer)
        self._observer = observer
        self._compared_share = compared_share

    async def run(self, case: Case) -> Report:
        """Run a case and check everything that must hold."""
        scene = await self._build(case)
        before = await read(self._observer, scene)
        run = await self._interleaved(scene)
        overlapped = _overlaps(run.trace)
        report = Report(case, [], overlapped=overlapped, trace=run.trace, outcomes=run.outcomes)
        report.faults += run.errors
        facts = checker.Facts(scene, before, run.dump, run.outcomes, run.commits)
        report.faults += checker.check(facts)
        if overlapped and case.lot < self._compared_share:
            await self._compare(case, run, report)
        if case.repeats:
            report.faults += await self._repeat(scene, run)
        if case.finishes:
            report.faults += await self._finish(scene)
        return report

    async def _build(self, case: Case) -> Scene:
        scene = await build(self._observer, self._world, case)
        if case.exam.stage == "released":
            call = Call("release", NOW - timedelta(seconds=30))
            outcome = await perform(self._plain, self._parts, scene, call)
            assert outcome.kind == "value", outcome
            await work(self._plain, self._parts, scene)
            await self._forget(scene)
        return scene

    async def _forget(self, scene: Scene) -> None:
        """Let what the building itself has told and noted be none of the calls'."""
        scene.first_entry = uuid7()
        await self._observer.execute("delete from ias.jobs where id >= $1", scene.first_job)
        room = f"exam:{scene.exam_id}"
        await self._observer.execute(
            "delete from ias.messages where number > $1 and room = $2", scene.first_message, room
        )

    async def _interleaved(self, scene: Scene) -> Run:
        case = scene.case
        outcomes: dict[int, Outcome] = {}
        commits: list[int] = []
        errors: list[str] = []

        def program(number: int) -> Callable[[Side], Awaitable[None]]:
            async def run(side: Side) -> None:
                outcomes[number] = await perform(side.engine, self._parts, scene, case.calls[number])
                commits.append(number)
                if case.prompt_worker[number] and outcomes[number].kind == "value":
                    errors.extend(await work(side.engine, self._parts, scene))

            return run

        programs = [program(0), program(1)]
        trace = await self._stepper.run(programs, schedule_of(case), case.switch)
        return await self._settled(scene, [outcomes[0], outcomes[1]], commits, errors, trace)

    async def _serial(self, case: Case, order: tuple[int, ...]) -> Run:
        scene = await self._build(case)
        outcomes: dict[int, Outcome] = {}
        errors: list[str] = []
        for number in order:
            outcomes[number] = await perform(self._plain, self._parts, scene, case.calls[number])
            if case.prompt_worker[number] and outcomes[number].kind == "value":
                errors += await work(self._plain, self._parts, scene)
        listed = [outcomes.get(number, Outcome("not called")) for number in (0, 1)]
        return await self._settled(scene, listed, list(order), errors, [])

    async def _settled(
        self,
        scene: Scene,
        outcomes: list[Outcome],
        commits: list[int],
        errors: list[str],
        trace: list[tuple[str, str]],
    ) -> Run:
        """Let the worker come to rest, and look."""
        await sweep(self._plain, SWEPT_AT)
        errors += await work(self._plain, self._parts, scene)
        dump = await read(self._observer, scene)
        return Run(outcomes, commits, dump, _state(dump, outcomes, scene), errors, trace)

    async def _compare(self, case: Case, run: Run, report: Report) -> None:
        """The outcome must be that of one of the two serial orders; refusing more than these is harmless."""
        serial = [await self._serial(case, order) for order in ((0, 1), (1, 0))]
        if any(run.state == other.state for other in serial):
            return
        for number, outcome in enumerate(run.outcomes):
            if outcome.kind == "refused":
                alone = await self._serial(case, (1 - number,))
                alone_state = alone.state["rows"], alone.state["outcomes"][1 - number]
                if alone_state == (run.state["rows"], run.state["outcomes"][1 - number]):
                    report.spurious = f"{case.calls[number].name}: {outcome.summary['error']}"
                    return
        differences = [_difference(run.state, other.state) for other in serial]
        names = [call.name for call in case.calls]
        report.faults.append(
            "equals no serial order: "
            f"differs from {names[0]}, {names[1]} in {differences[0]}; "
            f"from {names[1]}, {names[0]} in {differences[1]}"
        )

    async def _repeat(self, scene: Scene, run: Run) -> list[str]:
        """The last call that succeeded, asked again, changes nothing."""
        number = run.commits[-1]
        call = scene.case.calls[number]
        if run.outcomes[number].kind != "value" or call.name not in HARMLESS_TO_REPEAT:
            return []
        await work(self._plain, self._parts, scene)  # Jobs that jobs have added are not of the repeated call.
        first = await read(self._observer, scene)
        again = await perform(self._plain, self._parts, scene, later(call))
        await work(self._plain, self._parts, scene)
        second = await read(self._observer, scene)
        if call.name in ("close", "publish"):  # each order is noted, what it does is done once
            first.pop("audit"), second.pop("audit")
        faults = [] if again.kind == "value" else [f"repeated {call.name} was {again.kind}: {again.summary}"]
        labels = scene.labels
        before, after = comparable(first, labels), comparable(second, labels)
        if before != after:
            faults.append(f"repeated {call.name} changed {_difference(before, after)}")
        return faults

    async def _finish(self, scene: Scene) -> list[str]:
        """The clock runs out, the worker closes and grades, and the results are released."""
        await sweep(self._plain, ALL_OVER)
        errors = await work(self._plain, self._parts, scene)
        dump = await read(self._observer, scene)
        errors += check_rows(scene, dump)
        exam = dump["exam"][0]
        if exam["published_at"] is None or exam["cancelled_at"] or exam["released_at"]:
            return errors
        outcome = await perform(self._plain, self._parts, scene, Call("release", ALL_OVER))
        paused = any(row["status"] == "paused" for row in dump["attempts"])
        if outcome.kind != ("refused" if paused else "value"):
            return [*errors, f"the final release was {outcome.kind}: {outcome.summary}"]
        errors += await work(self._plain, self._parts, scene)
        return errors + check_rows(scene, await read(self._observer, scene))


def _overlaps(trace: list[tuple[str, str]]) -> bool:
    """Whether the sides changed more than once: otherwise one was over before the other began."""
    return sum(one[0] != two[0] for one, two in pairwise(trace)) > 1


def _state(dump: Dump, outcomes: list[Outcome], scene: Scene) -> Any:
    """What two runs of a case have in common if they mean the same."""
    rows = {table: some for table, some in dump.items() if table != "jobs"}
    rows["jobs"] = [
        {"task": row["task"], "arguments": row["arguments"]}
        for row in dump["jobs"]
        if row["task"] not in ("grade_attempts", *FIGURES)  # how often it was asked for says nothing
    ]
    told = [(outcome.kind, outcome.summary) for outcome in outcomes]
    named = comparable(rows, scene.labels)
    return {"rows": named, "outcomes": [comparable(each, scene.labels) for each in told]}


def _difference(one: Any, two: Any, path: str = "") -> str:
    """The first places where two states differ, in words."""
    found: list[str] = []
    _collect(one, two, path, found)
    return " | ".join(found[:4])[:900]


def _collect(one: Any, two: Any, path: str, found: list[str]) -> None:
    if one == two:
        return
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted(one.keys() | two.keys()):
            _collect(one.get(key), two.get(key), f"{path}.{key}", found)
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for position, (left, right) in enumerate(zip(one, two, strict=True)):
            _collect(left, right, f"{path}[{position}]", found)
    else:
        found.append(f"{path}: {one!r:.160} and not {two!r:.160}")


@asynccontextmanager
async def open_runner(database_url: str, *, compared_share: float = 1.0) -> AsyncIterator[Runner]:
    """A runner over a migrated database, with connections of its own."""
    settings = Settings(database_url=SecretStr(database_url), environment="test", log_level="ERROR")
    engines = [create_engine(settings, pool_size=2, pool_recycle=-1) for _ in range(3)]
    observer = await asyncpg.connect(database_url)
    async with open_components(
        settings, application_name="interleavings", pool_size=1, clock=StandingClock()
    ) as parts:
        sides = Side("first", engines[0]), Side("second", engines[1])
        for side in sides:
            await side.connect()
        world = await make_world(engines[2], replace(parts, engine=engines[2]))
        yield Runner(world, parts, engines[2], sides, observer, compared_share=compared_share)
    await observer.close()
    for engine in engines:
        await engine.dispose()
