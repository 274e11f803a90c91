"""Nobody of another institute reaches an exam: every service of exams, called by an admin from elsewhere.

The API knows one institute yet, so these are called as it would call them. A service that is in none of the
tables below fails `test_no_service_is_forgotten`.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.core.errors import Invalid, NotFound
from app.models import Role
from app.repositories.base import PageRequest
from app.repositories.exams import ExamAttemptFilter, ExamFilter
from app.services import exams
from app.services.components import Components
from app.services.exams import (
    ClosePaper,
    Correction,
    ExamDraft,
    ExamPaperDraft,
    ExamPaperUpdate,
    ExamUpdate,
    Grant,
    KeyStage,
    StaffAction,
    StartPaper,
    Target,
    Verb,
)
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator
from app.sheets.writers import SheetFormat
from tests.builders.answer_sheets import sheet_file
from tests.builders.content import publish_test
from tests.builders.notifications import Event, add_announced_exam, add_user, register
from tests.builders.people import add_stranger

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERYTHING = PageRequest(100)
TEXT = {"en": "Theirs"}
# These are given an exam or a person's own attempt that another service has found, or work for everybody.
OF_WHAT_WAS_FOUND = {"announce_windows", "detailed_paper", "submit", "view", "void_left_over"}
# They make or find an exam of the institute of whoever asks.
OF_THEIR_OWN = {
    "apply_exam",
    "create",
    "hold_on_paper",
    "lock_exam",
    "announcements_for_attempt",
    "start_together",
}


@dataclass(frozen=True)
class World:
    """An exam of ours with a candidate, and who comes from elsewhere."""

    uow: UnitOfWork
    parts: Components
    stranger: Principal
    event: Event
    user_id: UUID
    roll_number: str
    test_id: UUID

    @property
    def exam_id(self) -> UUID:
        return self.event.exam_id

    def action(self, verb: Verb = Verb.VOID) -> StaffAction:
        return StaffAction(verb, "Why not.", "all")

    @property
    def paper(self) -> ExamPaperDraft:
        return ExamPaperDraft("GS2", TEXT, self.test_id, NOW, NOW + HOUR, NOW + HOUR)


Call = Callable[[World], Awaitable[Any]]


@pytest.fixture
async def world(uow: UnitOfWork, parts: Components) -> World:
    event = await add_announced_exam(uow, NOW)
    user = await add_user(uow)
    await register(uow, event, user)
    waiting = await register(uow, event, None)
    test = await publish_test(uow)
    stranger = await add_stranger(uow)
    return World(uow, parts, stranger, event, user.id, waiting.roll_number, test.id)


NOT_FOUND: dict[str, Call] = {
    "accommodations": lambda w: exams.accommodations(w.uow, w.stranger, w.exam_id, PageRequest()),
    "accommodate": lambda w: exams.accommodate(
        w.uow, w.parts, w.stranger, w.exam_id, [Grant(Target(w.user_id), 60, "Why not.")], NOW
    ),
    "add_paper": lambda w: exams.add_paper(w.uow, w.stranger, w.exam_id, w.paper),
    "announce": lambda w: exams.announce(w.uow, w.stranger, w.exam_id, TEXT, NOW),
    "announcements": lambda w: exams.announcements(w.uow, w.stranger, w.exam_id, EVERYTHING),
    "audit": lambda w: exams.audit(w.uow, w.stranger, w.exam_id, EVERYTHING),
    "cancel": lambda w: exams.cancel(w.uow, w.stranger, w.exam_id, "Why not.", NOW),
    "candidates": lambda w: exams.candidates(w.uow, w.stranger, w.exam_id, ExamAttemptFilter(), EVERYTHING),
    "change": lambda w: exams.change(w.uow, w.stranger, w.exam_id, ExamUpdate(title=TEXT), NOW),
    "change_paper": lambda w: exams.change_paper(
        w.uow, w.stranger, w.exam_id, w.event.paper_id, ExamPaperUpdate(title=TEXT)
    ),
    "claim": lambda w: exams.claim(w.uow, w.stranger, w.exam_id, w.roll_number, w.user_id),
    "close_paper": lambda w: exams.close_paper(
        w.uow, w.parts, w.stranger, ClosePaper(w.exam_id, w.event.paper_id), NOW
    ),
    "correct": lambda w: exams.correct(
        w.uow, w.parts, w.stranger, w.exam_id, w.roll_number, Correction("Why not.", category="obc"), NOW
    ),
    "export": lambda w: exams.export(w.uow, w.parts, w.stranger, w.exam_id),
    "find": lambda w: exams.find(w.uow, w.stranger, w.exam_id, NOW),
    "import_answer_sheets": lambda w: exams.import_answer_sheets(
        w.uow, w.parts, w.stranger, w.exam_id, w.event.paper_id, sheet_file(["1", "a"]), NOW
    ),
    "is_unpublished": lambda w: exams.is_unpublished(w.uow, w.stranger, w.exam_id),
    "merit_sheet": lambda w: exams.merit_sheet(w.uow, w.stranger, w.exam_id, SheetFormat.CSV),
    "merit_list": lambda w: exams.merit_list(w.uow, w.stranger, w.exam_id, EVERYTHING),
    "monitor": lambda w: exams.monitor(w.uow, w.stranger, w.exam_id, NOW),
    "named": lambda w: exams.named(w.uow, w.stranger, str(w.exam_id)),
    "no_shows": lambda w: exams.no_shows(w.uow, w.stranger, w.exam_id, None, None, EVERYTHING),
    "package": lambda w: exams.package(w.uow, w.parts, w.stranger, w.exam_id, w.event.paper_id, NOW),
    "paper_key": lambda w: exams.paper_key(w.uow, w.parts, w.stranger, w.exam_id, w.event.paper_id),
    "papers": lambda w: exams.papers(w.uow, w.stranger, w.exam_id, NOW),
    "postpone": lambda w: exams.postpone(w.uow, w.stranger, w.exam_id, 60, "Why not.", NOW),
    "preview": lambda w: exams.preview(w.uow, w.parts, w.stranger, w.exam_id, w.action(), NOW),
    "preview_cancel": lambda w: exams.preview_cancel(w.uow, w.stranger, w.exam_id, "Why not.", NOW),
    "preview_close": lambda w: exams.preview_close(
        w.uow, w.parts, w.stranger, ClosePaper(w.exam_id, w.event.paper_id), NOW
    ),
    "preview_release": lambda w: exams.preview_release(w.uow, w.parts, w.stranger, w.exam_id, NOW),
    "preview_key": lambda w: exams.preview_key(w.uow, w.parts, w.stranger, w.exam_id, KeyStage.FINAL, NOW),
    "publish": lambda w: exams.publish(w.uow, w.stranger, w.exam_id, NOW),
    "register": lambda w: exams.register(
        w.uow, replace(w.stranger, id=w.user_id, role=Role.STUDENT), w.exam_id, NOW
    ),
    "registrations": lambda w: exams.registrations(w.uow, w.stranger, w.exam_id, None, EVERYTHING),
    "release": lambda w: exams.release(w.uow, w.parts, w.stranger, w.exam_id, NOW),
    "remove_paper": lambda w: exams.remove_paper(w.uow, w.stranger, w.exam_id, w.event.paper_id),
    "response_sheets": lambda w: exams.response_sheets(
        w.uow, w.parts, w.stranger, w.exam_id, w.roll_number, NOW
    ),
    "result": lambda w: exams.result(w.uow, w.stranger, w.exam_id),
    "show_key": lambda w: exams.show_key(w.uow, w.parts, w.stranger, w.exam_id, KeyStage.FINAL, NOW),
    "start": lambda w: exams.start(
        w.uow,
        w.parts,
        w.stranger,
        StartPaper(w.exam_id, w.event.paper_id, None, NOW + HOUR / 4, NOW + HOUR / 4),
    ),
    "steer": lambda w: exams.steer(w.uow, w.parts, w.stranger, w.exam_id, w.action(), NOW),
    "withdraw": lambda w: exams.withdraw(w.uow, replace(w.stranger, id=w.user_id), w.exam_id, NOW),
    "steer_one": lambda w: exams.steer_one(w.uow, w.parts, w.stranger, w.exam_id, w.action(), NOW),
}
LISTED = {"coming", "page"}


async def ours(world: World) -> list[str]:
    """Every row of the exam as it stands."""
    tables = dict.fromkeys(("exam_papers", "registrations", "accommodations", "announcements"), "exam_id")
    statements = [
        f"select to_jsonb(row)::text from ias.{table} row where {column} = '{world.exam_id}'"
        for table, column in {"exams": "id", **tables}.items()
    ]
    return sorted(await world.uow.session.scalars(text(" union all ".join(statements))))


def test_no_service_is_forgotten() -> None:
    services = {name for name in exams.__all__ if inspect.iscoroutinefunction(getattr(exams, name))}
    assert services == {*NOT_FOUND, *LISTED, *OF_WHAT_WAS_FOUND, *OF_THEIR_OWN}


async def is_not_found(world: World, call: Call) -> bool:
    try:
        await call(world)
    except NotFound:
        return True
    return False


async def test_it_is_as_if_it_were_not_there(world: World) -> None:
    before = await ours(world)
    assert len(before) == 4
    for name, call in NOT_FOUND.items():
        assert await is_not_found(world, call), name
        await world.uow.session.flush()
        assert await ours(world) == before, name


async def test_the_lists_are_empty(world: World) -> None:
    assert list(await exams.coming(world.uow, world.stranger, NOW, 100)) == []
    assert (await exams.page(world.uow, world.stranger, ExamFilter(), NOW, EVERYTHING)).items == []


async def test_a_test_of_ours_cannot_be_placed_in_an_exam_of_theirs(world: World) -> None:
    draft = ExamDraft(TEXT, NOW, NOW + HOUR)
    # They need not be known here: a row that names its author needs an account.
    author = replace(operator(), institute_id=world.stranger.institute_id)
    exam = await exams.create(world.uow, author, draft)
    assert exam.institute_id == world.stranger.institute_id
    with pytest.raises(Invalid, match="There is no such test") as refused:
        await exams.add_paper(world.uow, author, exam.id, world.paper)
    assert [error.field for error in refused.value.errors] == ["test_id"]


async def test_the_table_can_fail(world: World) -> None:
    """The same calls by somebody of ours find what is there."""
    us = replace(world, stranger=replace(operator(), session_id=uuid4().hex))
    for name in ("find", "papers", "monitor", "registrations", "audit", "accommodations"):
        assert await NOT_FOUND[name](us) is not None
