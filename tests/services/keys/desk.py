"""Somebody who revises the key of a test, and candidates of the test, for tests with two connections."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt
from app.services import attempts
from app.services.components import Components
from app.services.keys import carrying_out, publication, revisions
from app.services.keys.changes import KeyChange
from app.services.keys.replacing import Report
from app.services.keys.revisions import RevisionDraft
from app.services.unit_of_work import Reading, UnitOfWork, reading, unit_of_work
from app.services.users import Principal, operator, principal_of
from tests.builders.attempts import ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest
from tests.two_connections import alone

COUNTED = text(
    "select score_numerator / score_denominator as score, count(*) as candidates from ias.results"
    " where counted and cohort_id = :cohort_id group by 1"
)
RESULT = text("select score_numerator, score_denominator, cohort_id from ias.results where attempt_id = :id")


@dataclass
class Desk:
    """Somebody who revises the key of a test: its first question is keyed a, and b is right."""

    engine: AsyncEngine
    parts: Components
    made: PublishedTest

    async def create(self, uow: UnitOfWork, option: str = "b", position: int = 0) -> int:
        changes = [KeyChange(self.made.question_ids[position], {"accepted": [[option]]})]
        draft = RevisionDraft(changes, "B is right.")
        now = self.parts.clock.now()
        view = await revisions.create(uow, self.parts, operator(), self.made.id, draft, now)
        return view.revision.number

    def publish(self, number: int) -> Callable[[UnitOfWork], Awaitable[str]]:
        async def publish(uow: UnitOfWork) -> str:
            now = self.parts.clock.now()
            view = await publication.publish(uow, operator(), self.made.id, number, now)
            return view.revision.state

        return publish

    async def withdraw(self, uow: UnitOfWork) -> None:
        await revisions.withdraw(uow, operator(), self.made.id, 1)

    async def carry_out(self, uow: UnitOfWork, report: Report | None = None) -> None:
        revision = await uow.key_revisions.find(self.made.id, 1)
        await carrying_out.carry_out(uow, self.parts, revision.id, self.parts.clock.now(), report)

    async def state(self) -> str:
        async with reading(self.engine) as reads:
            return (await reads.key_revisions.find(self.made.id, 1)).state

    async def published(self) -> None:
        """A revision whose publication is asked for."""
        for work in (self.create, self.publish(1)):
            (await alone(self.engine, work)).result()

    async def score(self, attempt_id: UUID) -> Fraction | None:
        """The score of an attempt. The histogram of its cohort must agree with the results."""
        async with reading(self.engine) as reads:
            row = (await reads.session.execute(RESULT, {"id": attempt_id})).one_or_none()
            if row is None:
                return None
            histogram = await reads.attempts.histogram(row.cohort_id)
            counted = (await reads.session.execute(COUNTED, {"cohort_id": row.cohort_id})).all()
        candidates = [count for count in histogram.values() if count]
        assert sorted(candidates) == sorted(each.candidates for each in counted)
        return Fraction(int(row.score_numerator), int(row.score_denominator))


async def sitting(desk: Desk) -> "Sitting":
    """A candidate who has answered b to the first question, and has not submitted."""
    async with unit_of_work(desk.engine) as uow:
        attempt = await start_attempt(uow, desk.parts, desk.made, desk.parts.clock.now())
    answer = response(desk.made, 0, ["b"])
    await attempts.save_and_commit(desk.parts, target_of(attempt), [answer], desk.parts.clock.now())
    return Sitting(desk, attempt.id, lambda uow: _submit(uow, desk, attempt))


async def person(reads: Reading, candidate: "Sitting") -> Principal:
    """The candidate, as a request has them."""
    statement = text("select user_id from ias.attempts where id = :id")
    member = await reads.users.member(await reads.session.scalar(statement, {"id": candidate.id}))
    assert member is not None
    return principal_of(member.summary, "session", candidate.desk.parts.clock.now())


async def _submit(uow: UnitOfWork, desk: Desk, attempt: Attempt) -> None:
    await attempts.submit(uow, desk.parts, ref_of(attempt), desk.parts.clock.now())


@dataclass
class Sitting:
    desk: Desk
    id: UUID
    submit: Callable[[UnitOfWork], Awaitable[None]]
