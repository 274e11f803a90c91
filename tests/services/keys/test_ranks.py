"""Histogram and window function give the same ranks after anything that was done at the same time."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from fractions import Fraction
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.engine.ranking import standings
from app.services import attempts
from app.services.components import Components
from app.services.keys import carrying_out, publication, revisions
from app.services.keys.changes import KeyChange
from app.services.keys.revisions import RevisionDraft
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import operator
from tests.builders.attempts import ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, publish_test
from tests.thorough import count

OPTIONS = "abc"
QUESTIONS = 3
RANKED = text(
    """
    select cohort_id, attempt_id, score_numerator::text || '/' || score_denominator::text as score,
      rank() over (partition by cohort_id order by score_numerator / score_denominator desc) as rank
    from ias.results join ias.attempts on attempts.id = attempt_id where counted and test_id = :test_id
    """
)
COUNTED = text(
    """
    select paper_id, cohort_id, count(*) as results, array_agg(outcomes) as outcomes
    from ias.results join ias.attempts on attempts.id = attempt_id
    where counted and test_id = :test_id group by 1, 2
    """
)
STORED = text(
    """
    select cohort_id, sum(results) as results, sum(correct[1]), sum(correct[2]), sum(correct[3])
    from ias.outcome_counts join ias.papers on papers.id = paper_id
    where test_id = :test_id group by 1 having sum(results) > 0
    """
)
LEFT = text("select id from ias.attempts where test_id = :test_id and status = 'submitted'")
LOCK = text("select from ias.attempts where id = :id for update")
STATUS = text("update ias.attempts set status = :status where id = :id and status = 'graded'")

sheets = st.lists(
    st.tuples(*[st.sampled_from([*OPTIONS, None])] * QUESTIONS).flatmap(
        lambda answers: st.tuples(st.just(answers), st.sampled_from(["submit", "submit", "void", "regrade"]))
    ),
    min_size=3,
    max_size=8,
)
keys = st.lists(
    st.tuples(st.integers(0, QUESTIONS - 1), st.sampled_from([*OPTIONS, "dropped"])), min_size=1, max_size=3
)


class Hall:
    """A test, and what candidates and staff do to attempts at it, each in a transaction of its own."""

    def __init__(self, engine: AsyncEngine, parts: Components, made: PublishedTest) -> None:
        self.engine, self.parts, self.made = engine, parts, made

    async def sit(self, answers: Sequence[str | None], then: str) -> None:
        """Answer and submit; then the attempt is voided, or loses its result and is graded again."""
        async with unit_of_work(self.engine) as uow:
            now = self.parts.clock.now()
            attempt = await start_attempt(uow, self.parts, self.made, now)
        given = [response(self.made, position, [each]) for position, each in enumerate(answers) if each]
        if given:
            await attempts.save_and_commit(self.parts, target_of(attempt), given, now)
        await self._in_turn(lambda uow: attempts.submit(uow, self.parts, ref_of(attempt), now))
        if then == "void":
            await self._in_turn(lambda uow: self._withdraw(uow, attempt.id, "void"))
        if then == "regrade":
            await self._in_turn(lambda uow: self._withdraw(uow, attempt.id, "submitted"))
            await self._in_turn(lambda uow: attempts.grade_batch(uow, self.parts, [attempt.id], now))

    async def revise(self, position: int, key: str) -> None:
        """Try, publish and carry out a revision; the question may have the key already."""
        document = {"dropped": True} if key == "dropped" else {"accepted": [[key]]}
        draft = RevisionDraft([KeyChange(self.made.question_ids[position], document)], "Random.")
        now, staff = self.parts.clock.now(), operator()
        async with unit_of_work(self.engine) as uow:
            created = await revisions.create(uow, self.parts, staff, self.made.id, draft, now)
            revision = created.revision
        async with unit_of_work(self.engine) as uow:
            await publication.publish(uow, staff, self.made.id, revision.number, now, even_if_graded=True)
        await carrying_out.publish_now(self.parts, revision.id, now)

    async def grade_the_rest(self) -> None:
        async with unit_of_work(self.engine) as uow:
            left = (await uow.session.scalars(LEFT, {"test_id": self.made.id})).all()
            await attempts.grade_batch(uow, self.parts, left, self.parts.clock.now())

    async def _in_turn(self, work: Callable[[UnitOfWork], Awaitable[object]]) -> None:
        async with unit_of_work(self.engine) as uow:
            await work(uow)

    async def _withdraw(self, uow: UnitOfWork, attempt_id: UUID, status: str) -> None:
        await uow.session.execute(LOCK, {"id": attempt_id})
        await attempts.withdraw_results(uow, [attempt_id])
        await uow.session.execute(STATUS, {"id": attempt_id, "status": status})

    async def check(self) -> None:
        """Ranks by histogram are those of a window function, and right answers are counted right."""
        ids = {"test_id": self.made.id}
        async with reading(self.engine) as reads:
            ranked = (await reads.session.execute(RANKED, ids)).all()
            by_cohort = defaultdict(list)
            for row in ranked:
                by_cohort[row.cohort_id].append((Fraction(row.score), row.rank))
            for cohort_id, ranks in by_cohort.items():
                histogram = await reads.attempts.histogram(cohort_id)
                assert sum(histogram.values()) == len(ranks)
                standing = standings(histogram)
                assert [(score, standing[score].rank) for score, _ in ranks] == ranks
            counted = (await reads.session.execute(COUNTED, ids)).all()
            stored = (await reads.session.execute(STORED, ids)).all()
        assert sorted((row.cohort_id, row.results, *_correct(row.outcomes)) for row in counted) == sorted(
            tuple(row) for row in stored
        )


def _correct(outcomes: Sequence[str]) -> list[int]:
    return [sum(each[position] == "c" for each in outcomes) for position in range(QUESTIONS)]


@settings(
    max_examples=count(4, 40),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has a test of its own
)
@given(sheets=sheets, revised=keys)
async def test_ranks_equal_those_of_a_window_function(
    engine: AsyncEngine,
    parts: Components,
    sheets: list[tuple[tuple[str | None, ...], str]],
    revised: list[tuple[int, str]],
) -> None:
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow, [["d"]] * QUESTIONS)
    hall = Hall(engine, parts, made)

    async def revise() -> None:
        for place, key in dict(
            revised
        ).items():  # Each question once, so that each revision changes something.
            await hall.revise(place, key)

    half = len(sheets) // 2
    for answers, then in sheets[:half]:
        await hall.sit(answers, then)
    await asyncio.gather(revise(), *(hall.sit(answers, then) for answers, then in sheets[half:]))
    await hall.grade_the_rest()
    await hall.check()
