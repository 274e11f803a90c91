"""Objections at the same moment as other objections, decisions, stages, and the end of their window."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.engine.objections import ObjectionRules
from app.models import Objection, ObjectionCluster
from app.services import account_deletion, exams, objections
from app.services.components import Components
from app.services.exams import ExamDraft, ExamPaperDraft, ExamUpdate, KeyStage, StartPaper
from app.services.objections import NewObjection, Verdict
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal, operator
from tests.builders.attempts import add_candidate
from tests.builders.content import PublishedTest, publish_test
from tests.two_connections import Work, alone, overlap

MINUTE = timedelta(minutes=1)


@dataclass
class Scene:
    """An exam in the stage `provisional_key` that takes one objection of each of its two candidates."""

    engine: AsyncEngine
    parts: Components
    made: PublishedTest
    exam_id: UUID
    first: Principal
    second: Principal
    now: datetime

    @property
    def closed(self) -> datetime:
        """When the window for objections has closed."""
        return self.now + MINUTE

    def objecting(self, candidate: Principal, option: str = "d", text: str = "See the Act.") -> Work:
        new = NewObjection(self.made.question_ids[0], {"accepted": [[option]]}, text, [{"title": "The Act"}])
        return lambda uow: objections.make(uow, self.parts, candidate, self.made.id, new, self.now)

    def deciding(self, *, accept: bool = True, reason: str = "So it is.") -> Work:
        verdict = Verdict(self.made.question_ids[0], {"accepted": [["d"]]}, accept, reason)
        return lambda uow: objections.decide(uow, self.parts, operator(), self.made.id, verdict, self.closed)

    def showing(self, stage: KeyStage) -> Work:
        return lambda uow: exams.show_key(uow, self.parts, operator(), self.exam_id, stage, self.closed)

    async def release(self, uow: UnitOfWork) -> Any:
        return await exams.release(uow, self.parts, operator(), self.exam_id, self.closed)

    async def close_window(self, uow: UnitOfWork) -> Any:
        update = ExamUpdate(objections=rules(self.now - MINUTE, self.now))
        return await exams.change(uow, operator(), self.exam_id, update, self.now)

    async def delete(self, uow: UnitOfWork) -> Any:
        return await account_deletion.hide(uow, self.parts, self.first, self.now)

    async def done(self, work: Work) -> Any:
        return (await alone(self.engine, work)).result()

    async def rows(self) -> tuple[int, int]:
        """How many clusters and objections the test has."""
        async with reading(self.engine) as reads:
            clusters = select(ObjectionCluster.id).where(ObjectionCluster.test_id == self.made.id)
            made = select(Objection.id).where(Objection.test_id == self.made.id)
            return (
                len(list(await reads.session.scalars(clusters))),
                len(list(await reads.session.scalars(made))),
            )


def rules(opens_at: datetime, closes_at: datetime) -> dict[str, Any]:
    return ObjectionRules(1, opens_at, closes_at, limit=1).stored()


@pytest.fixture
async def scene(engine: AsyncEngine, parts: Components) -> Scene:
    now, staff = parts.clock.now(), operator()
    begun, ended = now - 10 * MINUTE, now - 5 * MINUTE
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
        draft = ExamDraft({"en": "Mock"}, begun, ended, objections=rules(now - MINUTE, now + MINUTE))
        exam = await exams.create(uow, staff, draft)
        paper = await exams.add_paper(
            uow, staff, exam.id, ExamPaperDraft("GS", {"en": "GS"}, made.id, begun, ended, ended)
        )
        await exams.publish(uow, staff, exam.id, begun)
        people = [await add_candidate(uow) for _ in range(2)]
        for candidate in people:
            await exams.register(uow, candidate, exam.id, begun)
            await exams.start(uow, parts, candidate, StartPaper(exam.id, paper.id, None, begun, begun))
    async with unit_of_work(engine) as uow:
        await exams.show_key(uow, parts, staff, exam.id, KeyStage.PROVISIONAL, now)
    return Scene(engine, parts, made, exam.id, people[0], people[1], now)


class TestObjecting:
    async def test_twice_by_one_candidate_is_one_objection(self, scene: Scene) -> None:
        work = scene.objecting(scene.first)
        both = await overlap(scene.engine, work, work)
        assert both.waited
        assert both.first.result().objection.id == both.second.result().objection.id
        assert await scene.rows() == (1, 1)

    async def test_beyond_the_limit_is_refused(self, scene: Scene) -> None:
        both = await overlap(
            scene.engine, scene.objecting(scene.first), scene.objecting(scene.first, option="c")
        )
        assert (both.waited, both.second.code) == (True, "objection_limit_reached")
        assert await scene.rows() == (1, 1)

    async def test_by_two_candidates_makes_one_cluster(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.objecting(scene.first), scene.objecting(scene.second))
        assert both.second.result().cluster.id == both.first.result().cluster.id
        assert await scene.rows() == (1, 2)


class TestTheEnd:
    @pytest.mark.parametrize("end", ["final key", "release", "changed window"])
    async def test_an_objection_comes_before_it_or_is_refused(self, scene: Scene, end: str) -> None:
        ends: dict[str, Work] = {
            "final key": scene.showing(KeyStage.FINAL),
            "release": scene.release,
            "changed window": scene.close_window,
        }
        before = await overlap(scene.engine, scene.objecting(scene.first), ends[end])
        assert (before.waited, before.second.code) == (True, "ok")
        assert await scene.rows() == (1, 1)
        refused = await alone(scene.engine, scene.objecting(scene.second))
        # After a release without a final key the window goes on.
        assert refused.code == ("ok" if end == "release" else "objections_closed")

    @pytest.mark.parametrize("end", ["final key", "changed window"])
    async def test_an_objection_that_waits_for_it_is_refused(self, scene: Scene, end: str) -> None:
        work = scene.showing(KeyStage.FINAL) if end == "final key" else scene.close_window
        both = await overlap(scene.engine, work, scene.objecting(scene.first))
        assert (both.waited, both.second.code) == (True, "objections_closed")
        assert await scene.rows() == (0, 0)


class TestDeciding:
    async def test_tells_who_has_objected_just_before(self, scene: Scene) -> None:
        await scene.done(scene.objecting(scene.first))
        both = await overlap(scene.engine, scene.objecting(scene.second), scene.deciding())
        assert (both.waited, both.second.result().told) == (True, 2)

    async def test_an_objection_that_waits_for_it_reads_the_decision(self, scene: Scene) -> None:
        await scene.done(scene.objecting(scene.first))
        both = await overlap(scene.engine, scene.deciding(), scene.objecting(scene.second))
        assert (both.waited, both.second.code) == (True, "objection_decided")

    async def test_twice_is_one_decision(self, scene: Scene) -> None:
        await scene.done(scene.objecting(scene.first))
        both = await overlap(scene.engine, scene.deciding(), scene.deciding())
        assert (both.waited, both.first.result().told, both.second.result().told) == (True, 1, 0)
        other = await alone(scene.engine, scene.deciding(accept=False))
        assert other.code == "objection_decided"


class TestStages:
    async def test_a_release_waits_for_one(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.showing(KeyStage.FINAL), scene.release)
        assert (both.waited, both.second.code) == (True, "ok")

    async def test_one_after_the_release_is_refused(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.release, scene.showing(KeyStage.FINAL))
        assert (both.waited, both.second.code) == (True, "not_possible")

    async def test_twice_is_one(self, scene: Scene) -> None:
        work = scene.showing(KeyStage.FINAL)
        both = await overlap(scene.engine, work, work)
        assert both.waited
        assert both.first.result() == both.second.result()
        async with scene.engine.connect() as connection:
            said = text("select count(*) from ias.announcements where exam_id = :exam_id")
            assert await connection.scalar(said, {"exam_id": scene.exam_id}) == 2


class TestDeletedAccounts:
    async def test_an_objection_during_the_deletion_is_refused(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.delete, scene.objecting(scene.first))
        assert (both.waited, both.second.code) == (True, "session_revoked")

    async def test_a_deletion_waits_for_an_objection_which_stays(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.objecting(scene.first), scene.delete)
        assert (both.waited, both.second.code) == (True, "ok")
        assert await scene.rows() == (1, 1)
