"""Key revisions and other calls at once, on two connections: docs/concurrency-pairs.md says what happens."""

import asyncio
from collections.abc import Awaitable, Callable
from fractions import Fraction

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import NotPossible
from app.services import account_deletion, attempts, questions
from app.services.components import Components
from app.services.keys import carrying_out
from app.services.keys.replacing import Report
from app.services.questions import QuestionUpdate
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import operator
from tests.services.exams.pairs import Scene, inconsistencies, make_content, make_scene
from tests.services.keys.desk import Desk, person, sitting
from tests.two_connections import Overlap, alone, overlap, until_waiting

OFFICIAL = text(
    "select version, papers -> 0 ->> 'score' from ias.exam_results where exam_id = :id order by version"
)
GRADING = text(
    "select id from ias.jobs where task = 'grade_attempts' and arguments::text like '%' || :id || '%'"
)
VOID = text("update ias.attempts set status = 'void', voided_from = 'submitted' where id = :id")
UNGRADED = text("update ias.attempts set status = 'submitted' where id = :id")
PAPER = text("select paper_id from ias.attempts where id = :id")
GIVE_UP = text("update ias.jobs set finished_at = now(), error = 'x' where task = 'publish_key_revision'")
LOCK = text("select from ias.attempts where id = :id for update")


def only_once(report: Report) -> Report:
    """The report, at the first call that tells of something done."""
    called = False

    async def once(done: int, total: int) -> None:
        nonlocal called
        if done and not called:
            called = True
            await report(done, total)

    return once


def done(both: Overlap) -> bool:
    """Both succeeded; whether the second one waited."""
    both.first.result()
    both.second.result()
    return both.waited


class TestTwoRevisions:
    async def test_two_dry_runs_get_two_numbers(self, desk: Desk) -> None:
        both = await overlap(desk.engine, desk.create, lambda uow: desk.create(uow, position=1, option="a"))
        assert done(both)
        assert (both.first.value, both.second.value) == (1, 2)

    async def test_the_second_publication_is_refused(self, desk: Desk) -> None:
        await alone(desk.engine, desk.create)
        await alone(desk.engine, lambda uow: desk.create(uow, position=1, option="a"))
        both = await overlap(desk.engine, desk.publish(1), desk.publish(2))
        assert (both.waited, both.first.value, both.second.code) == (
            True,
            "publishing",
            "key_revision_running",
        )
        await alone(desk.engine, desk.carry_out)
        assert (await alone(desk.engine, desk.publish(2))).code == "stale_dry_run"

    async def test_the_same_publication_twice_is_one(self, desk: Desk) -> None:
        await alone(desk.engine, desk.create)
        both = await overlap(desk.engine, desk.publish(1), desk.publish(1))
        assert (done(both), both.second.value) == (True, "publishing")

    async def test_a_withdrawal_comes_too_late(self, desk: Desk) -> None:
        await alone(desk.engine, desk.create)
        both = await overlap(desk.engine, desk.publish(1), desk.withdraw)
        assert (both.waited, both.second.code) == (True, "not_possible")

    async def test_a_publication_comes_too_late(self, desk: Desk) -> None:
        await alone(desk.engine, desk.create)
        both = await overlap(desk.engine, desk.withdraw, desk.publish(1))
        assert (both.waited, both.second.code) == (True, "not_possible")

    async def test_a_job_that_runs_twice_grades_once(self, desk: Desk) -> None:
        candidate = await sitting(desk)
        await alone(desk.engine, candidate.submit)
        await desk.published()
        assert done(await overlap(desk.engine, desk.carry_out, desk.carry_out))
        assert (await desk.score(candidate.id), await desk.state()) == (Fraction(2), "published")


class TestCandidates:
    async def test_a_submit_does_not_wait_and_a_job_grades_it_by_the_new_key(self, desk: Desk) -> None:
        candidate = await sitting(desk)
        await desk.published()
        assert not done(await overlap(desk.engine, desk.carry_out, candidate.submit))
        assert await desk.score(candidate.id) is None
        async with unit_of_work(desk.engine) as uow:
            jobs = await uow.session.scalars(GRADING, {"id": str(candidate.id)})
            assert len(jobs.all()) == 1
            assert await attempts.grade_batch(uow, desk.parts, [candidate.id], desk.parts.clock.now()) == 1
        assert await desk.score(candidate.id) == 2

    async def test_a_submit_does_not_wait_for_a_revision_that_waits(self, desk: Desk) -> None:
        """PostgreSQL would queue its lock behind that of the revision."""
        first, second = await sitting(desk), await sitting(desk)
        await desk.published()
        async with unit_of_work(desk.engine) as uow:
            await first.submit(uow)
            revision = asyncio.create_task(alone(desk.engine, desk.carry_out))
            await until_waiting(desk.engine, 1)
            (await alone(desk.engine, second.submit)).result()
        (await revision).result()
        assert (await desk.score(first.id), await desk.score(second.id)) == (Fraction(2), None)

    async def test_a_submit_that_is_sent_again_is_graded_once(self, desk: Desk) -> None:
        candidate = await sitting(desk)
        await desk.published()
        await overlap(desk.engine, desk.carry_out, candidate.submit)
        (await alone(desk.engine, candidate.submit)).result()
        assert await desk.score(candidate.id) == 2
        async with unit_of_work(desk.engine) as uow:
            assert await attempts.grade_batch(uow, desk.parts, [candidate.id], desk.parts.clock.now()) == 0

    async def test_a_submit_that_came_first_is_graded_again(self, desk: Desk) -> None:
        candidate = await sitting(desk)
        await desk.published()
        assert done(await overlap(desk.engine, candidate.submit, desk.carry_out))
        assert await desk.score(candidate.id) == 2

    async def test_what_is_graded_or_withdrawn_since_it_was_read(self, desk: Desk) -> None:
        graded, withdrawn, changed, late = [await sitting(desk) for _ in range(4)]
        for candidate in (graded, withdrawn, changed):
            await alone(desk.engine, candidate.submit)
        await desk.published()

        async def withdraw(uow: UnitOfWork) -> None:
            await attempts.withdraw_results(uow, [withdrawn.id, changed.id])
            await uow.session.execute(VOID, {"id": withdrawn.id})
            await uow.session.execute(UNGRADED, {"id": changed.id})

        async def meddle(done: int, total: int) -> None:
            if done:
                assert (done, total) == (1, 3)
                (await alone(desk.engine, withdraw)).result()
                (await alone(desk.engine, late.submit)).result()

        (await alone(desk.engine, lambda uow: desk.carry_out(uow, only_once(meddle)))).result()
        everybody = (graded, withdrawn, changed, late)
        assert [await desk.score(each.id) for each in everybody] == [2, None, 2, 2]
        async with reading(desk.engine) as reads:
            revision = await reads.key_revisions.find(desk.made.id, 1)
        assert (revision.regraded, revision.to_regrade) == (3, 3)

    async def test_it_does_not_wait_for_an_attempt_after_it_has_locked_keys(self, desk: Desk) -> None:
        candidate = await sitting(desk)
        await alone(desk.engine, candidate.submit)
        async with reading(desk.engine) as reads:
            papers = [await reads.session.scalar(PAPER, {"id": candidate.id})]

        async def lock(uow: UnitOfWork) -> None:
            await uow.key_revisions.lock_graded(desk.made.id, papers)

        async with unit_of_work(desk.engine) as uow:
            await uow.session.execute(LOCK, {"id": candidate.id})
            assert (await alone(desk.engine, lock)).code == "LockedElsewhere"
        (await alone(desk.engine, lock)).result()

    async def test_an_account_is_deleted(self, desk: Desk) -> None:
        candidate, other = await sitting(desk), await sitting(desk)
        await alone(desk.engine, candidate.submit)
        await alone(desk.engine, other.submit)
        await desk.published()

        async def delete(uow: UnitOfWork) -> None:
            now = desk.parts.clock.now()
            await account_deletion.hide(uow, desk.parts, await person(uow, candidate), now)

        both = await overlap(desk.engine, desk.carry_out, delete)
        assert both.second.code == "ok"
        assert await desk.score(other.id) == 2


class TestReaders:
    async def test_an_answer_shows_one_key_throughout(self, desk: Desk) -> None:
        candidate = await sitting(desk)
        await alone(desk.engine, candidate.submit)
        await desk.published()
        async with reading(desk.engine) as reads:
            before = await reads.attempts.result(candidate.id)
            (await alone(desk.engine, desk.carry_out)).result()
            assert before is not None
            shown = await attempts.result(
                reads, desk.parts, await person(reads, candidate), desk.made.id, None
            )
        assert (shown.figures["score"], shown.rank, shown.participants) == ("-0.66", 1, 1)
        async with reading(desk.engine) as reads:
            shown = await attempts.result(
                reads, desk.parts, await person(reads, candidate), desk.made.id, None
            )
        assert (shown.figures["score"], shown.rank, shown.participants) == ("2.00", 1, 1)


class TestKilled:
    async def test_it_leaves_nothing_behind_and_gives_the_same_figures(self, desk: Desk) -> None:
        candidate = await sitting(desk)
        await alone(desk.engine, candidate.submit)
        await desk.published()

        async def killed(uow: UnitOfWork) -> None:
            await desk.carry_out(uow)
            raise ConnectionResetError

        assert (await alone(desk.engine, killed)).code == "ConnectionResetError"
        assert (await desk.score(candidate.id), await desk.state()) == (Fraction(-2, 3), "publishing")
        (await alone(desk.engine, desk.carry_out)).result()
        assert (await desk.score(candidate.id), await desk.state()) == (Fraction(2), "published")


class TestGivenUp:
    async def test_one_that_is_withdrawn_while_a_command_carries_it_out_changes_nothing(
        self, desk: Desk
    ) -> None:
        candidate = await sitting(desk)
        await alone(desk.engine, candidate.submit)
        await desk.published()
        assert (await alone(desk.engine, desk.withdraw)).code == "not_possible"
        (await alone(desk.engine, lambda uow: uow.session.execute(GIVE_UP))).result()

        async def withdraw(done: int, _total: int) -> None:
            if not done:  # Nothing is locked yet.
                (await alone(desk.engine, desk.withdraw)).result()

        (await alone(desk.engine, lambda uow: desk.carry_out(uow, withdraw))).result()
        assert (await desk.score(candidate.id), await desk.state()) == (Fraction(-2, 3), "withdrawn")
        async with reading(desk.engine) as reads:
            revision = await reads.key_revisions.find(desk.made.id, 1)
        with pytest.raises(NotPossible):
            await carrying_out.progress_of(desk.parts, revision.id)

    async def test_a_withdrawal_waits_for_the_command_and_comes_too_late(self, desk: Desk) -> None:
        await desk.published()
        (await alone(desk.engine, lambda uow: uow.session.execute(GIVE_UP))).result()
        both = await overlap(desk.engine, desk.carry_out, desk.withdraw)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "not_possible")


class TestBank:
    def revise(self, desk: Desk) -> Callable[[UnitOfWork], Awaitable[None]]:
        async def revise(uow: UnitOfWork) -> None:
            update = QuestionUpdate(key={"accepted": [["d"]]})
            await questions.revise(uow, operator(), desk.made.question_ids[0], update)

        return revise

    async def test_a_change_of_the_question_that_came_first_stays(self, desk: Desk) -> None:
        await alone(desk.engine, desk.create)
        assert done(await overlap(desk.engine, self.revise(desk), desk.publish(1)))
        async with reading(desk.engine) as reads:
            revision = await reads.key_revisions.find(desk.made.id, 1)
        assert [each["outcome"] for each in revision.bank] == ["kept"]

    async def test_a_change_of_the_question_waits(self, desk: Desk) -> None:
        await alone(desk.engine, desk.create)
        assert done(await overlap(desk.engine, desk.publish(1), self.revise(desk)))
        async with reading(desk.engine) as reads:
            question = await questions.find(reads, operator(), desk.made.question_ids[0])
        assert (question.question.current_version, question.question.version.key["accepted"]) == (3, [["d"]])


class TestExams:
    """A candidate of an exam has answered a; b is right. Orders of staff wait for the exam."""

    @pytest.mark.parametrize(
        ("name", "before", "score"),
        [
            ("void", "end", None),
            ("reopen", "end", None),
            ("close", "end", Fraction(-2, 3)),
            ("release", "submit", Fraction(-2, 3)),
            ("end", "end", Fraction(-2, 3)),
        ],
    )
    @pytest.mark.parametrize("is_first", [True, False], ids=["revision first", "revision second"])
    async def test_orders(
        self,
        engine: AsyncEngine,
        parts: Components,
        name: str,
        before: str,
        score: Fraction | None,
        is_first: bool,
    ) -> None:
        scene, desk = await self.prepared(engine, parts, before)
        works = (desk.carry_out, scene.act(name)) if is_first else (scene.act(name), desk.carry_out)
        both = await overlap(engine, *works)
        assert done(both), "the second one waits"
        assert await desk.state() == "published"
        assert scene.attempt is not None
        assert await desk.score(scene.attempt.id) == score
        assert await inconsistencies(engine, scene) == []

    async def test_the_official_results_get_their_next_version(
        self, engine: AsyncEngine, parts: Components
    ) -> None:
        scene, desk = await self.prepared(engine, parts, "submit")
        done(await overlap(engine, scene.release, desk.carry_out))
        async with reading(engine) as reads:
            found = await reads.session.execute(OFFICIAL, {"id": scene.exam_id})
            assert [tuple(row) for row in found] == [(1, "2.00"), (2, "-0.66")]

    async def prepared(self, engine: AsyncEngine, parts: Components, before: str) -> tuple[Scene, Desk]:
        """The candidate has answered, and the attempt is over and graded; a revision is to be published."""
        scene = await make_scene(engine, parts, await make_content(engine, parts.clock.now()), "enter")
        for step in ("enter", "save", before, "grade"):
            (await alone(engine, scene.act(step))).result()
        desk = Desk(engine, parts, scene.content.today)
        await desk.published()
        return scene, desk
