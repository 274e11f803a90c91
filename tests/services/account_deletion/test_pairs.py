"""An account is deleted at the same moment as its owner, or staff, do something else."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import Conflict
from app.core.ids import uuid7
from app.models import PSEUDONYM, Attempt, Registration, Role
from app.repositories.base import PageRequest
from app.services import account_deletion, attempts, exams
from app.services.components import Components
from app.services.exams import ExamDraft, ExamPaperDraft, StaffAction, StartPaper, Verb
from app.services.rosters import RosterOptions, import_roster
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal, operator
from tests.builders.answer_sheets import sheet_file
from tests.builders.attempts import add_candidate, logged, ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import registration
from tests.builders.saves import save_uncommitted
from tests.two_connections import PID, Work, alone, is_waited_for, overlap

HOUR = timedelta(hours=1)


@dataclass
class Scene:
    """A candidate, and a published exam of one paper."""

    engine: AsyncEngine
    parts: Components
    made: PublishedTest
    exam_id: UUID
    paper_id: UUID
    candidate: Principal
    now: datetime

    async def delete(self, uow: UnitOfWork) -> Any:
        return await account_deletion.hide(uow, self.parts, self.candidate, self.now)

    async def start(self, uow: UnitOfWork) -> Attempt:
        return await start_attempt(uow, self.parts, self.made, self.now, self.candidate)

    async def enter(self, uow: UnitOfWork) -> Attempt:
        request = StartPaper(self.exam_id, self.paper_id, None, self.now, self.now)
        return (await exams.start(uow, self.parts, self.candidate, request)).started.attempt

    async def register(self, uow: UnitOfWork) -> Any:
        return await exams.register(uow, self.candidate, self.exam_id, self.now)

    async def release(self, uow: UnitOfWork) -> Any:
        return await exams.release(uow, self.parts, operator(), self.exam_id, self.now, "a test")

    async def bring_sheet(self, uow: UnitOfWork) -> Any:
        row = ["1", self.email, "A", "B", "C"]
        file = sheet_file(row, header=("roll_number", "email", "Q1", "Q2", "Q3"))
        return await exams.import_answer_sheets(
            uow, self.parts, operator(), self.exam_id, self.paper_id, file, self.now
        )

    async def claim(self, uow: UnitOfWork) -> Any:
        return await exams.claim(uow, operator(), self.exam_id, "77", self.candidate.id)

    async def reopen(self, uow: UnitOfWork) -> Any:
        action = StaffAction(Verb.REOPEN, "by mistake", "all", 300)
        return await exams.steer(uow, self.parts, operator(), self.exam_id, action, self.now)

    @property
    def email(self) -> str:
        return f"{self.candidate.id.hex}@example.org"

    def saving(self, attempt: Attempt) -> Work:
        sent = [response(self.made, 0, ["a"])]
        return lambda uow: save_uncommitted(uow, self.parts, target_of(attempt), sent, self.now)

    def submitting(self, attempt: Attempt) -> Work:
        return lambda uow: attempts.submit(uow, self.parts, ref_of(attempt), self.now)

    async def done(self, work: Work) -> Any:
        return (await alone(self.engine, work)).result()

    async def statuses(self) -> list[str]:
        async with reading(self.engine) as reads:
            statement = select(Attempt.status).where(Attempt.user_id == self.candidate.id)
            return list(await reads.session.scalars(statement))

    async def places(self) -> list[UUID]:
        async with reading(self.engine) as reads:
            statement = select(Registration.exam_id).where(Registration.user_id == self.candidate.id)
            return list(await reads.session.scalars(statement))


MakeScene = Callable[..., Awaitable[Scene]]


@pytest.fixture
def make_scene(engine: AsyncEngine, parts: Components) -> MakeScene:
    async def make(opens_in: timedelta = timedelta()) -> Scene:
        now = parts.clock.now()
        opens = now + opens_in
        async with unit_of_work(engine) as uow:
            made, placed = await publish_test(uow), await publish_test(uow)
            exam = await exams.create(uow, operator(), ExamDraft({"en": "Mock"}, opens, opens + HOUR))
            draft = ExamPaperDraft("GS", {"en": "GS"}, placed.id, opens, opens + HOUR, opens + HOUR)
            paper = await exams.add_paper(uow, operator(), exam.id, draft)
            await exams.publish(uow, operator(), exam.id, now)
            candidate = await add_candidate(uow)
        return Scene(engine, parts, made, exam.id, paper.id, candidate, now)

    return make


@pytest.fixture
async def scene(make_scene: MakeScene) -> Scene:
    return await make_scene()


class TestStart:
    async def test_of_a_test_is_refused_after_the_deletion(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.delete, scene.start)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "session_revoked")
        assert await scene.statuses() == []

    async def test_of_a_test_is_submitted_by_a_deletion_that_waits(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.start, scene.delete)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        assert await scene.statuses() == ["submitted"]

    async def test_of_a_paper_likewise(self, make_scene: MakeScene) -> None:
        for first, second in (("delete", "enter"), ("enter", "delete")):
            scene = await make_scene()
            await scene.done(scene.register)
            both = await overlap(scene.engine, getattr(scene, first), getattr(scene, second))
            assert both.waited
            assert await scene.statuses() == ([] if first == "delete" else ["submitted"])
            assert both.second.code == ("session_revoked" if first == "delete" else "ok")


class TestSave:
    async def test_before_the_deletion_counts(self, scene: Scene) -> None:
        attempt = await scene.done(scene.start)
        both = await overlap(scene.engine, scene.saving(attempt), scene.delete)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        async with unit_of_work(scene.engine) as uow:
            await attempts.grade_batch(uow, scene.parts, [attempt.id], scene.now)
            result = await uow.attempts.result(attempt.id)
        assert result is not None
        assert result.answers[0] == ["a"]

    async def test_after_the_deletion_is_refused_and_not_kept(self, scene: Scene) -> None:
        attempt = await scene.done(scene.start)
        both = await overlap(scene.engine, scene.delete, scene.saving(attempt))
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "attempt_not_in_progress")
        assert (await alone(scene.engine, scene.saving(attempt))).code == "session_revoked"
        assert await logged(scene.engine, attempt.id) == []


class TestSubmit:
    async def test_before_and_after_the_deletion_the_attempt_ends_once(self, make_scene: MakeScene) -> None:
        for order in (1, -1):
            scene = await make_scene()
            attempt = await scene.done(scene.start)
            calls = [scene.submitting(attempt), scene.delete][::order]
            both = await overlap(scene.engine, *calls)
            assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
            assert await scene.statuses() == ["graded"]


class TestRelease:
    async def test_after_the_deletion_is_not_held_up_by_the_running_attempt(self, scene: Scene) -> None:
        await scene.done(scene.register)
        await scene.done(scene.enter)
        both = await overlap(scene.engine, scene.delete, scene.release)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        assert await scene.statuses() == ["graded"]
        assert both.second.result().release.participants == 1

    async def test_before_the_deletion_has_the_result(self, scene: Scene) -> None:
        await scene.done(scene.register)
        attempt = await scene.done(scene.enter)
        async with unit_of_work(scene.engine) as uow:
            await exams.submit(uow, scene.parts, ref_of(attempt), scene.now)
        both = await overlap(scene.engine, scene.release, scene.delete)
        assert (both.first.code, both.second.code) == ("ok", "ok")
        assert both.first.result().release.participants == 1

    async def test_after_the_purge_ranks_the_pseudonym(self, scene: Scene) -> None:
        """Two candidates sat; one deletes the account, and the results are released months later."""
        for candidate in (scene.candidate, await scene.done(add_candidate)):
            scene.candidate = candidate
            await scene.done(scene.register)
            attempt = await scene.done(scene.enter)
            await scene.done(scene.submitting(attempt))
        await scene.done(scene.delete)
        person, pseudonym = scene.candidate.id, uuid7()
        await scene.done(lambda uow: uow.purges.purge(person, pseudonym, "Nobody", scene.now))
        released = await scene.done(scene.release)
        assert released.release.participants == 2
        async with reading(scene.engine) as reads:
            found = await reads.exam_results.merit_list(released.exam, 1, PageRequest())
        assert {(row.rank, row.name) for row in found.items} == {(1, "Asha Rao"), (1, "Nobody")}
        assert await scene.statuses() == []


class TestRegister:
    async def test_after_the_deletion_is_refused(self, make_scene: MakeScene) -> None:
        scene = await make_scene(opens_in=HOUR)
        both = await overlap(scene.engine, scene.delete, scene.register)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "session_revoked")
        assert await scene.places() == []

    async def test_before_the_deletion_is_withdrawn(self, make_scene: MakeScene) -> None:
        scene = await make_scene(opens_in=HOUR)
        both = await overlap(scene.engine, scene.register, scene.delete)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        assert await scene.places() == []

    async def test_for_an_exam_that_has_opened_stays(self, scene: Scene) -> None:
        await scene.done(scene.register)
        await scene.done(scene.delete)
        assert await scene.places() == [scene.exam_id]


class TestAnswerSheet:
    async def test_after_the_deletion_belongs_to_no_account(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.delete, scene.bring_sheet)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        report = both.second.result()
        assert report.created == 1
        assert [each.field for each in report.warnings if "no account has this address" in each.message]
        assert (await scene.places(), await scene.statuses()) == ([], [])

    async def test_before_the_deletion_stays(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.bring_sheet, scene.delete)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        assert await scene.places() == [scene.exam_id]


class TestReopen:
    @pytest.mark.parametrize(("first", "second"), [("reopen", "delete"), ("delete", "reopen")])
    async def test_an_attempt_that_is_reopened_runs_until_its_deadline(
        self, scene: Scene, first: str, second: str
    ) -> None:
        await scene.done(scene.register)
        attempt = await scene.done(scene.enter)
        await scene.done(lambda uow: exams.submit(uow, scene.parts, ref_of(attempt), scene.now))
        both = await overlap(scene.engine, getattr(scene, first), getattr(scene, second))
        assert (both.waited, both.first.code, both.second.code) == (False, "ok", "ok")
        assert await scene.statuses() == ["in_progress"]
        over = text("update ias.attempts set deadline_at = :past where user_id = :id")
        values = {"past": scene.now - HOUR, "id": scene.candidate.id}
        await scene.done(lambda uow: uow.session.execute(over, values))
        await scene.done(lambda uow: attempts.close_overdue(uow, scene.now, timedelta()))
        assert await scene.statuses() == ["submitted"]


class TestClaim:
    @pytest.fixture
    async def unclaimed(self, scene: Scene) -> Scene:
        async with unit_of_work(scene.engine) as uow:
            uow.session.add(registration(scene.exam_id, None, roll_number="77"))
        return scene

    async def test_after_the_deletion_is_refused(self, unclaimed: Scene) -> None:
        both = await overlap(unclaimed.engine, unclaimed.delete, unclaimed.claim)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "invalid")
        assert await unclaimed.places() == []

    async def test_before_the_deletion_stays_without_the_name(self, unclaimed: Scene) -> None:
        both = await overlap(unclaimed.engine, unclaimed.claim, unclaimed.delete)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        async with reading(unclaimed.engine) as reads:
            statement = select(Registration.name).where(Registration.user_id == unclaimed.candidate.id)
            assert list(await reads.session.scalars(statement)) == [PSEUDONYM]


class TestRoster:
    async def test_after_the_deletion_names_the_row(self, scene: Scene) -> None:
        file = f"email,name,batch\n{scene.email},Asha Rao,2027-A\n".encode()
        async with unit_of_work(scene.engine) as uow:
            await scene.delete(uow)
            imported = asyncio.create_task(import_roster(scene.parts, operator(), file, RosterOptions()))
            assert await is_waited_for(scene.engine, await uow.session.scalar(PID) or 0, imported)
        report = await imported
        assert [each.message for each in report.errors] == [
            "this account was deleted by its owner; leave the row out"
        ]


class TestTwice:
    async def test_the_second_deletion_returns_the_first(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.delete, scene.delete)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        assert both.second.result()[0].requested_at == both.first.result()[0].requested_at

    async def test_a_person_who_is_banned_meanwhile_is_refused(self, scene: Scene) -> None:
        async with unit_of_work(scene.engine) as uow:
            await uow.users.change(scene.candidate.id, {"active": False})
        assert (await alone(scene.engine, scene.delete)).code == "session_revoked"


class TestAdministrators:
    async def test_the_only_one_cannot_be_deleted(self, uow: UnitOfWork, parts: Components) -> None:
        person = await add_candidate(uow)
        await uow.session.execute(text("update ias.memberships set role = 'student' where role = 'admin'"))
        await uow.users.set_role(person.id, Role.ADMIN, parts.clock.now())
        admin = replace(person, role=Role.ADMIN)
        with pytest.raises(Conflict):
            await account_deletion.hide(uow, parts, admin, parts.clock.now())
        other = await add_candidate(uow)
        await uow.users.set_role(other.id, Role.ADMIN, parts.clock.now())
        await account_deletion.hide(uow, parts, admin, parts.clock.now())

    async def test_two_at_once_are_looked_at_one_after_the_other(
        self, engine: AsyncEngine, parts: Components, scene: Scene
    ) -> None:
        async with unit_of_work(engine) as uow:
            one, two = await add_candidate(uow), await add_candidate(uow)
            for each in (one, two):
                await uow.users.set_role(each.id, Role.ADMIN, scene.now)

        def deleting(person: Principal) -> Work:
            return lambda uow: account_deletion.hide(uow, parts, person, scene.now)

        assert (await overlap(engine, deleting(one), deleting(two))).waited
