"""Random sequences of steps, with real services and database: time is conserved, and each step is told.

`make test` draws 40 sequences, `make thorough` 200.

Each sequence is at an attempt of its own exam. They share a clock, which moves by whole minutes. After each
step, the time left is compared with a count of its own, and the step has its audit entry and its message.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.engine import steering
from app.engine.steering import AdditionKind, AttemptState, Exemption, Status
from app.models import Attempt
from app.services import attempts, exams
from app.services.attempts.states import state_of
from app.services.components import Components
from app.services.exams import ClosePaper, Grant, StaffAction, Target, Verb
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import operator
from tests.builders.attempts import ref_of
from tests.services.exams.pairs import Scene, make_content, make_scene
from tests.thorough import count

SEQUENCES, STEPS, SEED = count(40, 200), 6, 20261128
MINUTE, SECOND, DELAY = timedelta(minutes=1), timedelta(seconds=1), timedelta(seconds=15)
NAMES = (*(verb.value for verb in Verb), "reopen", "go_on", "close", "close_all", "hand_in", "grant")
AUDITED_AS = {verb.value: verb.value for verb in Verb}
AUDITED_AS |= {"go_on": "reopen", "close": "close", "close_all": "close"}
TOLD_AS = {
    "extend": "extended",
    "pause": "paused",
    "resume": "resumed",
    "submit": "force_submitted",
    "close": "force_submitted",
    "close_all": "force_submitted",
    "reopen": "attempt_changed",
    "go_on": "attempt_changed",
    "void": "attempt_changed",
}
TOLD = text(
    "select attempt_id, 'audit ' || action from ias.audit_entries where attempt_id = any(:ids)"
    " union all"
    " select (data->>'attempt_id')::uuid, type from ias.messages"
    " where (data->>'attempt_id')::uuid = any(:ids)"
)
SAME_DEADLINE = text("update ias.attempts set deadline_at = :at where id = any(:ids)")

Told = Counter[tuple[UUID, str]]


@dataclass
class Line:
    """One attempt: its state, what is done next, and the time that its candidate has left by our count."""

    scene: Scene
    attempt: Attempt
    state: AttemptState
    first_deadline: datetime
    left: timedelta
    name: str = ""
    given: timedelta = timedelta()

    async def step(self, uow: UnitOfWork, number: int, now: datetime) -> None:
        """Take the step through the services."""
        scene, staff = self.scene, operator()
        if self.name == "hand_in":
            await exams.submit(uow, scene.parts, ref_of(self.attempt), now)
        elif self.name == "grant":
            grant = Grant(Target(scene.candidate.id), self.given // SECOND, f"step {number}")
            await exams.accommodate(uow, scene.parts, staff, scene.exam_id, [grant], now)
        elif self.name in ("close", "close_all"):
            include = frozenset(Exemption) if self.name == "close_all" else frozenset()
            wanted = ClosePaper(scene.exam_id, scene.paper_id, "fire", include)
            await exams.close_paper(uow, scene.parts, staff, wanted, now)
        else:
            await exams.steer(uow, scene.parts, staff, scene.exam_id, self._action(number), now)

    def _action(self, number: int) -> StaffAction:
        verb = Verb.REOPEN if self.name == "go_on" else Verb(self.name)
        seconds = self.given // SECOND if verb in (Verb.EXTEND, Verb.REOPEN) else 0
        return StaffAction(verb, f"step {number}", [self.attempt.id], seconds, go_on=self.name == "go_on")

    def faults(self, after: AttemptState, waited: timedelta, now: datetime) -> Iterator[str]:
        """What is wrong after the step; then the state is the next one's first."""
        before = steering.end_if_overdue(self.state, now, DELAY)
        if self.state.status is Status.IN_PROGRESS:
            self.left = timedelta() if before.status is Status.SUBMITTED else self.left - waited
        self.left += self._given_by(before, after, now)
        left = steering.time_left(steering.end_if_overdue(after, now, DELAY), now)
        if left != max(self.left, timedelta()):
            yield f"{self.name} of {before}: {left} is left, and not {self.left}"
        added = sum((each.length for each in after.given), timedelta())
        if after.deadline_at != self.first_deadline + after.extra + added:
            yield f"{self.name} of {before}: the additions do not explain the deadline of {after}"

    def _given_by(self, before: AttemptState, after: AttemptState, now: datetime) -> timedelta:
        """What the step has given. An extension and a grant count from a deadline that has passed."""
        added = after.given[len(before.given) :]
        given = after.extra - before.extra
        given += sum((each.length for each in added if each.kind is AdditionKind.EXTENSION), timedelta())
        timed_out = before.status is Status.SUBMITTED and before.ended_by == "deadline"
        if timed_out and after.status is Status.IN_PROGRESS and self.name in ("extend", "grant"):
            given -= now - before.deadline_at
        return given

    def expected(self, after: AttemptState) -> Iterator[str]:
        """What the audit log and the candidate's sockets must have got."""
        if after == self.state:
            return
        if self.name in AUDITED_AS:
            yield f"audit {AUDITED_AS[self.name]}"
        if self.name in TOLD_AS:
            yield TOLD_AS[self.name]
        if self.name == "grant":
            yield "extended" if after.deadline_at > self.state.deadline_at else "attempt_changed"


class TestSequences:
    async def test_time_is_conserved_and_each_step_is_told(
        self, engine: AsyncEngine, parts: Components
    ) -> None:
        draw = random.Random(SEED)
        now, kinds = parts.clock.now(), Counter[str]()
        lines = await started(engine, parts, now + 10 * MINUTE)
        for number in range(STEPS):
            waited = draw.randrange(5) * MINUTE
            now += waited
            if draw.random() < 0.5:
                async with unit_of_work(engine) as uow:
                    await attempts.close_overdue(uow, now, DELAY)
                swept = await states(engine, lines)
                for line in lines:
                    assert swept[line.attempt.id] == steering.end_if_overdue(line.state, now, DELAY)
            told = await everything_told(engine, lines)
            before = await states(engine, lines)
            async with unit_of_work(engine) as uow:
                for line in lines:
                    line.name, line.given = draw.choice(NAMES), draw.randrange(1, 8) * MINUTE
                    await line.step(uow, number, now)
            after = await states(engine, lines)
            found: list[str] = []
            expected = Told()
            for line in lines:
                found += line.faults(after[line.attempt.id], waited, now)
                line.state = before[line.attempt.id]
                expected.update((line.attempt.id, kind) for kind in line.expected(after[line.attempt.id]))
                line.state = after[line.attempt.id]
            assert found == []
            assert await everything_told(engine, lines) - told == expected
            kinds.update(kind for _, kind in expected)
        assert set(kinds) >= {*TOLD_AS.values(), *(f"audit {action}" for action in AUDITED_AS.values())} - {
            "audit admit-late"  # No answer came too late.
        }


async def started(engine: AsyncEngine, parts: Components, deadline_at: datetime) -> list[Line]:
    """Candidates who all have the same deadline in ten minutes."""
    content = await make_content(engine, parts.clock.now())
    found = []
    for _ in range(SEQUENCES):
        scene = await make_scene(engine, parts, content, "extend")
        assert scene.attempt is not None
        state = replace(state_of(scene.attempt), deadline_at=deadline_at)
        found.append(Line(scene, scene.attempt, state, deadline_at, 10 * MINUTE))
    async with engine.begin() as connection:
        values = {"at": deadline_at, "ids": [line.attempt.id for line in found]}
        await connection.execute(SAME_DEADLINE, values)
    return found


async def states(engine: AsyncEngine, lines: list[Line]) -> Mapping[UUID, AttemptState]:
    async with reading(engine) as reads:
        asked = select(Attempt).where(Attempt.id.in_([line.attempt.id for line in lines]))
        return {row.id: state_of(row) for row in await reads.session.scalars(asked)}


async def everything_told(engine: AsyncEngine, lines: list[Line]) -> Told:
    async with engine.connect() as connection:
        rows = await connection.execute(TOLD, {"ids": [line.attempt.id for line in lines]})
        return Told(tuple(row) for row in rows)
