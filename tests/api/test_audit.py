"""The audit log: every action is in it, nothing changes or leaves it, and admins alone read it."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import DEFAULT_INSTITUTE_ID, DEFAULT_INSTITUTE_NAME, MappedSheet, Role
from app.services import accounts, audit, exams, result_documents
from app.services.audit import AuditSubject
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work
from app.services.users import Principal, operator
from tests.builders.accounts import Worker, delete_account
from tests.builders.answer_sheets import bring_sheets
from tests.builders.attempts import start, take_test
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import (
    HOUR,
    MINUTE,
    Entrant,
    HeldExam,
    Json,
    body_of,
    hold_exam,
    register,
    take_paper,
)
from tests.builders.objections import add_objection
from tests.builders.people import People, new_email
from tests.conftest import TestClock


@dataclass
class World:
    """An admin who does everything, and what there is to do it to."""

    admin: httpx.AsyncClient
    people: People
    engine: AsyncEngine
    parts: Components
    clock: TestClock

    async def made(self) -> PublishedTest:
        async with unit_of_work(self.engine) as uow:
            return await publish_test(uow)

    async def held(self, **changes: Any) -> HeldExam:
        return await hold_exam(self.admin, await self.made(), starts_at=self.clock.now(), **changes)

    async def person(self) -> str:
        return str((await (await self.people.candidate()).get("/auth/me")).json()["id"])

    async def entrant(self, held: HeldExam) -> Entrant:
        entrant = await register(await self.people.candidate(), held)
        body_of(await entrant.enter())
        return entrant

    async def entries(self, **params: str) -> list[Json]:
        return list(body_of(await self.admin.get("/audit", params={"limit": "100", **params}))["items"])


How = Callable[[World], Awaitable[str | UUID | None]]
HOW: dict[tuple[str, str], How] = {}


def makes(kind: str, action: str) -> Callable[[How], How]:
    """Declare how an action is made; what is returned is the id of its subject."""

    def declare(how: How) -> How:
        HOW[kind, action] = how
        return how

    return declare


@makes("user", "create")
async def _create(world: World) -> UUID:
    async with unit_of_work(world.engine) as uow:
        member = await accounts.create(uow, world.parts, new_email(), "a good password", "", Role.ADMIN)
    return member.user.id


@makes("user", "change_role")
async def _change_role(world: World) -> str:
    person = await world.person()
    body_of(await world.admin.put(f"/users/{person}/role", json={"role": "author"}))
    return person


@makes("user", "change_status")
async def _change_status(world: World) -> str:
    person = await world.person()
    body_of(await world.admin.put(f"/users/{person}/status", json={"active": False}))
    return person


@makes("user", "reset_password")
async def _reset_password(world: World) -> str:
    person = await world.people.candidate()
    me = body_of(await person.get("/auth/me"))
    await accounts.reset_password(world.parts, me["email"])
    return str(me["id"])


@makes("roster", "import")
async def _import_roster(world: World) -> None:
    roster = f"email,name\n{new_email()},Asha Rao\n"
    body_of(await world.admin.post("/users/import", files={"file": roster.encode()}))


@makes("user", "change_enrolment")
async def _change_enrolment(world: World) -> str:
    person = await world.person()
    body_of(await world.admin.put(f"/users/{person}/enrolment", json={"enrolled": True}))
    return person


@makes("user", "sign_out")
async def _sign_out(world: World) -> str:
    person = await world.person()
    assert (await world.admin.post(f"/users/{person}/sign-out")).status_code == 204
    return person


@makes("user", "delete_account")
async def _delete_account(world: World) -> UUID:
    return await _deleted(world)


@makes("user", "restore")
async def _restore(world: World) -> UUID:
    person = await _deleted(world)
    body_of(await world.admin.post(f"/users/{person}/restore"))
    return person


@makes("user", "purge")
async def _purge(world: World) -> UUID:
    person = await _deleted(world)
    await Worker(world.parts, world.engine, world.clock).purge()
    return person


async def _deleted(world: World) -> UUID:
    client = await world.people.candidate()
    return UUID(body_of(await delete_account(client), 202)["id"])


@makes("question", "change_key")
async def _change_key(world: World) -> UUID:
    question = (await world.made()).question_ids[0]
    body_of(await world.admin.patch(f"/questions/{question}", json={"key": {"accepted": [["d"]]}}))
    return question


@makes("question", "read_key")
async def _read_key(world: World) -> UUID:
    question = (await world.held()).made[0].question_ids[0]
    body_of(await world.admin.get(f"/questions/{question}"))
    return question


SHEET = "external_id,subject,question,option_a,option_b,option_c,option_d,key\n"


@makes("bank", "import")
async def _import(world: World) -> None:
    row = f"{uuid4().hex},Polity {uuid4().hex},Which {uuid4().hex}?,A,B,C,D,a"
    body_of(await world.admin.post("/questions/import", files={"file": (SHEET + row).encode()}))


@makes("bank", "save_mapping")
async def _save_mapping(world: World) -> None:
    header = SHEET.replace("key", f"Right {uuid4().hex}")
    row = f"{uuid4().hex},Polity {uuid4().hex},Which {uuid4().hex}?,A,B,C,D,a"
    mapping = json.dumps({header.strip().rpartition(",")[2]: "key"})
    files = {"file": (header + row).encode()}
    body_of(await world.admin.post("/questions/import", files=files, data={"mapping": mapping}))


@makes("bank", "delete_mapping")
async def _delete_mapping(world: World) -> None:
    await _save_mapping(world)
    async with reading(world.parts.engine) as reads:
        saved = await reads.column_mappings.newest(DEFAULT_INSTITUTE_ID, MappedSheet.QUESTIONS)
    answer = await world.admin.delete(f"/column-mappings/{saved[0].mapping.id}")
    assert answer.status_code == 204


@makes("institute", "rename")
async def _rename_institute(world: World) -> UUID:
    for name in (f"Academy {uuid4().hex[:8]}", DEFAULT_INSTITUTE_NAME):
        body_of(await world.admin.patch("/institute", json={"name": name}))
    return DEFAULT_INSTITUTE_ID


@makes("bank", "export")
async def _export(world: World) -> None:
    answer = await world.admin.post("/questions/export", json={"format": "csv", "query": uuid4().hex})
    assert answer.status_code == 200, answer.text


@makes("test", "publish")
async def _publish_test(world: World) -> UUID:
    made = await world.made()
    body_of(await world.admin.post(f"{made.path}/publish"))
    return made.id


@makes("exam", "void_left_over")
async def _void_left_over(world: World) -> UUID:
    held = await world.held()
    await world.entrant(held)
    await _void_left_over_in(world, held)
    return UUID(held.exam["id"])


async def _void_left_over_in(world: World, held: HeldExam) -> None:
    async with unit_of_work(world.engine) as uow:  # as a version let attempts in that took no lock
        await uow.session.execute(
            text("update ias.exams set cancelled_at = now() where id = :id"), {"id": held.exam["id"]}
        )
    voided = 1
    while voided:  # other tests may have left something
        async with unit_of_work(world.engine) as uow:
            voided = await exams.void_left_over(uow, world.clock.now())


@makes("test", "consent")
async def _consent(world: World) -> UUID:
    made = await world.made()
    body_of(await world.admin.put(await _consent_path(world, made)))
    return made.id


@makes("test", "withdraw_consent")
async def _withdraw_consent(world: World) -> UUID:
    made = await world.made()
    path = await _consent_path(world, made)
    body_of(await world.admin.put(path))
    assert (await world.admin.delete(path)).status_code == 204
    return made.id


async def _consent_path(world: World, made: PublishedTest) -> str:
    other = await world.people.member("author")
    return f"{made.path}/consents/{(await other.get('/auth/me')).json()['id']}"


@makes("test", "archive")
async def _archive(world: World) -> UUID:
    made = await world.made()
    body_of(await world.admin.post(f"{made.path}/archive"))
    return made.id


@makes("test", "clone")
async def _clone(world: World) -> str:
    return str(body_of(await world.admin.post(f"{(await world.made()).path}/clone"))["id"])


@makes("test", "read_paper")
async def _read_paper(world: World) -> UUID:
    made = (await world.held()).made[0]
    body_of(await world.admin.get(f"{made.path}/preview"))
    return made.id


@makes("test", "print_solutions")
async def _print_solutions(world: World) -> UUID:
    made = await world.made()
    answer = await world.admin.get(f"{made.path}/print", params={"part": "solutions"})
    assert answer.status_code == 200, answer.text
    return made.id


@makes("test", "refresh_statistics")
async def _refresh_statistics(world: World) -> UUID:
    made = await world.made()
    body_of(await world.admin.post(f"/analytics/tests/{made.id}/refresh"), 202)
    return made.id


async def _revision(world: World) -> tuple[PublishedTest, str]:
    """A test with a dry run of a revision of its key, and the path of the revision."""
    made = await world.made()
    changes = [{"question_id": str(made.question_ids[0]), "key": ["d"]}]
    body = {"changes": changes, "reason": "The key was wrong."}
    body_of(await world.admin.post(f"{made.path}/key-revisions", json=body), 201)
    return made, f"{made.path}/key-revisions/1"


@makes("test", "try_key_revision")
async def _try_key_revision(world: World) -> UUID:
    return (await _revision(world))[0].id


@makes("test", "publish_key_revision")
async def _publish_key_revision(world: World) -> UUID:
    made, path = await _revision(world)
    body_of(await world.admin.post(f"{path}/publish"), 202)
    return made.id


async def _objection(world: World) -> PublishedTest:
    """A test with an objection to the key of its first question."""
    made = await world.made()
    async with unit_of_work(world.engine) as uow:
        await add_objection(uow, made.id, made.question_ids[0], None)
    return made


@makes("test", "decide_objections")
async def _decide_objections(world: World) -> UUID:
    made = await _objection(world)
    body = {"question_id": str(made.question_ids[0]), "accept": False, "reason": "No source says so."}
    body_of(await world.admin.post(f"{made.path}/objections/decide", json=body))
    return made.id


@makes("test", "export_objections")
async def _export_objections(world: World) -> UUID:
    made = await _objection(world)
    assert (await world.admin.get(f"{made.path}/objections?format=csv")).is_success
    return made.id


@makes("test", "withdraw_key_revision")
async def _withdraw_key_revision(world: World) -> UUID:
    made, path = await _revision(world)
    assert (await world.admin.delete(path)).status_code == 204
    return made.id


@makes("test", "read_similarity")
async def _read_similarity(world: World) -> UUID:
    made = await world.made()
    await take_test(await world.people.candidate(), made, {0: ["a"]})
    body_of(await world.admin.get(f"/analytics/tests/{made.id}/similarity"))
    return made.id


def of_exam(action: str, **held: Any) -> Callable[[Callable[[World, HeldExam], Awaitable[Any]]], None]:
    """Declare an action of an exam that is held for it."""

    def declare(act: Callable[[World, HeldExam], Awaitable[Any]]) -> None:
        async def how(world: World) -> str:
            exam = await world.held(**held)
            await act(world, exam)
            return str(exam.exam["id"])

        makes("exam", action)(how)

    return declare


async def nothing(_world: World, _held: HeldExam) -> None:
    """What holding an exam does by itself."""


for action in ("create", "add_paper", "publish"):
    of_exam(action)(nothing)


@of_exam("change")
async def _change(_: World, held: HeldExam) -> None:
    body_of(await held.staff.patch(held.path, json={"title": "Another title"}))


@of_exam("change_paper", publish=False)
async def _change_paper(_: World, held: HeldExam) -> None:
    body_of(await held.staff.patch(held.paper_path(), json={"title": "Another title"}))


@of_exam("remove_paper", publish=False)
async def _remove_paper(_: World, held: HeldExam) -> None:
    assert (await held.staff.delete(held.paper_path())).status_code == 204


@of_exam("announce")
async def _announce(_: World, held: HeldExam) -> None:
    body_of(await held.staff.post(f"{held.path}/announcements", json={"text": "Ten minutes left."}))


@of_exam("accommodate")
async def _accommodate(_: World, held: HeldExam) -> None:
    items = [{"group": "pwbd", "extra_seconds": 60, "reason": "rules"}]
    body_of(await held.staff.put(f"{held.path}/accommodations", json={"items": items}))


@of_exam("close")
async def _close(_: World, held: HeldExam) -> None:
    body_of(await held.staff.post(f"{held.paper_path()}/close"))


@of_exam("cancel")
async def _cancel(_: World, held: HeldExam) -> None:
    body_of(await held.staff.post(f"{held.path}/cancel", json={"reason": "flood"}))


@makes("exam", "postpone")
async def _postpone(world: World) -> str:
    held = await hold_exam(world.admin, await world.made(), starts_at=world.clock.now() + HOUR)
    body_of(await world.admin.post(f"{held.path}/postpone", json={"seconds": 600, "reason": "flood"}))
    return str(held.exam["id"])


@of_exam("claim")
async def _claim(world: World, held: HeldExam) -> None:
    await _import_sheets(world, held)
    path = f"{held.path}/registrations/A1/claim"
    body_of(await held.staff.post(path, json={"user_id": await world.person()}))


@of_exam("read_response_sheet", window=MINUTE)
async def _read_response_sheet(world: World, held: HeldExam) -> None:
    candidate = await world.people.candidate()
    place = body_of(await candidate.post(f"{held.path}/register"))
    world.clock.advance(61)
    body_of(await held.staff.get(f"{held.path}/registrations/{place['roll_number']}/response-sheet"))


@of_exam("read_timeline", window=MINUTE)
async def _read_timeline(world: World, held: HeldExam) -> None:
    entrant = await take_paper(await world.people.candidate(), held, {0: ["a"]})
    world.clock.advance(61)
    body_of(await held.staff.get(f"/attempts/{entrant.attempt['id']}/timeline"))


@of_exam("show_provisional_key", window=MINUTE)
async def _show_provisional_key(world: World, held: HeldExam) -> None:
    world.clock.advance(61)
    body_of(await held.staff.post(f"{held.path}/provisional-key"))


@of_exam("show_final_key", window=MINUTE)
async def _show_final_key(world: World, held: HeldExam) -> None:
    world.clock.advance(61)
    body_of(await held.staff.post(f"{held.path}/final-key"))


@of_exam("correct_registration")
async def _correct_registration(world: World, held: HeldExam) -> None:
    candidate = await world.people.candidate()
    place = body_of(await candidate.post(f"{held.path}/register"))
    path = f"{held.path}/registrations/{place['roll_number']}"
    body_of(await held.staff.patch(path, json={"category": "obc", "reason": "certificate"}))


async def _import_sheets(world: World, held: HeldExam) -> None:
    world.clock.advance(60)
    await bring_sheets(held, ["A1", "a", "b", "c"])


of_exam("import_answer_sheets")(_import_sheets)


@of_exam("release")
async def _release(world: World, held: HeldExam) -> None:
    await take_paper(await world.people.candidate(), held, {0: ["a"]})
    await held.release()


@of_exam("export_exam")
async def _export_exam(world: World, held: HeldExam) -> None:
    await take_paper(await world.people.candidate(), held, {0: ["a"]})
    await held.release()
    answer = await held.staff.get(f"{held.path}/export")
    assert answer.status_code == 200, answer.text


@of_exam("export_merit_list")
async def _export_merit_list(world: World, held: HeldExam) -> None:
    await take_paper(await world.people.candidate(), held, {0: ["a"]})
    await held.release()
    answer = await held.staff.get(f"{held.path}/merit-list", params={"format": "csv"})
    assert answer.status_code == 200, answer.text


async def _released_with_one(world: World, held: HeldExam) -> str:
    """The roll number of a candidate with a result and a certificate."""
    entrant = await take_paper(await world.people.candidate(), held, {0: ["a"]})
    place = body_of(await entrant.client.get(held.path))["my_registration"]
    await held.release()
    body_of(await held.staff.patch(held.path, json={"certificates": "all"}))
    return str(place["roll_number"])


@of_exam("read_result_sheet")
async def _read_result_sheet(world: World, held: HeldExam) -> None:
    number = await _released_with_one(world, held)
    answer = await held.staff.get(f"{held.path}/result-sheet", params={"roll_number": number})
    assert answer.status_code == 200, answer.text


@of_exam("read_certificate")
async def _read_certificate(world: World, held: HeldExam) -> None:
    number = await _released_with_one(world, held)
    answer = await held.staff.get(f"{held.path}/certificate", params={"roll_number": number})
    assert answer.status_code == 200, answer.text


@of_exam("look_up_result")
async def _look_up_result(world: World, held: HeldExam) -> None:
    number = await _released_with_one(world, held)
    found = await held.staff.get(f"{held.path}/registrations", params={"query": number})
    [place] = found.json()["items"]
    params = {"version": "1", "digest": "AAAA"}
    body_of(await held.staff.get(f"/result-sheets/{place['id']}", params=params))


async def _request_result_file(world: World, held: HeldExam) -> Json:
    await _released_with_one(world, held)
    return body_of(await held.staff.post(f"{held.path}/result-sheets", json={"kind": "result_sheets"}), 202)


of_exam("request_result_file")(_request_result_file)


@of_exam("download_result_file")
async def _download_result_file(world: World, held: HeldExam) -> None:
    file = await _request_result_file(world, held)
    async with unit_of_work(world.parts.engine) as uow:
        await result_documents.build(uow, world.parts, UUID(file["id"]), world.clock.now())
    answer = await held.staff.get(f"{held.path}/result-sheets/{file['id']}/file")
    assert answer.status_code == 200, answer.text


STEERING: dict[str, list[tuple[str, Json]]] = {
    "extend": [("extend", {"seconds": 60, "reason": "r"})],
    "pause": [("pause", {})],
    "resume": [("pause", {}), ("resume", {})],
    "submit": [("submit", {})],
    "reopen": [("submit", {}), ("reopen", {"reason": "r"})],
    "void": [("void", {"reason": "r"})],
}


def steering(verb: str) -> How:
    async def how(world: World) -> str:
        held = await world.held()
        entrant = await world.entrant(held)
        for order, body in STEERING[verb]:
            body_of(await held.order(order, entrant.attempt, **body))
        return str(entrant.attempt["id"])

    return how


for verb in STEERING:
    makes("attempt", verb)(steering(verb))


@makes("attempt", "admit-late")
async def _admit_late(world: World) -> str:
    held = await world.held()
    entrant = await world.entrant(held)
    world.clock.advance(600 + 60)
    late = await entrant.save({0: ["a"]})
    assert late.json()["recorded"], late.text
    body_of(await held.order("admit-late", entrant.attempt, reason="power cut"))
    return str(entrant.attempt["id"])


@makes("attempt", "close")
async def _close_attempt(world: World) -> str:
    held = await world.held()
    entrant = await world.entrant(held)
    body_of(await held.staff.post(f"{held.paper_path()}/close"))
    return str(entrant.attempt["id"])


@makes("attempt", "cancel")
async def _cancel_attempt(world: World) -> str:
    held = await world.held()
    entrant = await world.entrant(held)
    body_of(await held.staff.post(f"{held.path}/cancel", json={"reason": "flood"}))
    return str(entrant.attempt["id"])


@makes("attempt", "void_left_over")
async def _void_attempt_left_over(world: World) -> str:
    held = await world.held()
    entrant = await world.entrant(held)
    await _void_left_over_in(world, held)
    return str(entrant.attempt["id"])


@pytest.fixture
async def world(people: People, engine: AsyncEngine, parts: Components, clock: TestClock) -> World:
    return World(await people.member("admin"), people, engine, parts, clock)


# By an operator at the command line, or by the worker.
BY_NOBODY = {
    ("user", "reset_password"),
    ("user", "create"),
    ("user", "purge"),
    ("exam", "void_left_over"),
    ("attempt", "void_left_over"),
}
BY_THE_PERSON = {("user", "delete_account")}


class TestEveryAction:
    def test_has_a_way_to_make_it_here(self) -> None:
        declared = {(kind, action) for kind, actions in audit.ACTIONS.items() for action in actions}
        assert set(HOW) == declared

    @pytest.mark.parametrize(("kind", "action"), HOW, ids=lambda value: value)
    async def test_is_in_the_log(self, world: World, kind: str, action: str) -> None:
        subject_id = await HOW[kind, action](world)
        wanted = f"{kind}:{subject_id}" if subject_id else kind
        me = (await world.admin.get("/auth/me")).json()["id"]
        actor = str(subject_id) if (kind, action) in BY_THE_PERSON else me
        actor = None if (kind, action) in BY_NOBODY else actor
        params = {"subject": wanted, "action": action} | ({"actor": actor} if actor else {})
        entries = await world.entries(**params)
        assert entries, f"{action} of {kind} is not in the log"
        entry = entries[0]
        assert (entry["action"], entry["actor_id"]) == (action, actor)
        assert entry["subject"] == {"kind": kind, "id": str(subject_id) if subject_id else None}
        assert (entry["request_id"] is None) == (actor is None)

    def test_that_is_not_declared_is_refused(self) -> None:
        with pytest.raises(ValueError, match="not among"):
            audit.record(None, operator(), "peek", AuditSubject("user"))  # type: ignore[arg-type]


def test_the_documentation_names_every_action() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    for kind in audit.ACTIONS:
        row = page.split("**The audit log**")[1].split(f"| `{kind}` |")[1].partition("\n")[0]
        assert set(re.findall(r"`([a-z_-]+)`", row)) == audit.ACTIONS[kind], kind


class TestReads:
    async def test_a_list_names_the_questions_whose_keys_were_shown(self, world: World) -> None:
        held = await world.held()
        subject = body_of(await world.admin.get(f"/questions/{held.made[0].question_ids[0]}"))["subject_id"]
        body_of(await world.admin.get("/questions", params={"subject_id": subject}))
        newest = (await world.entries(action="read_key"))[0]
        assert sorted(newest["details"]["question_ids"]) == sorted(map(str, held.made[0].question_ids))
        assert (newest["details"]["count"], newest["subject"]["id"]) == (3, None)

    async def test_who_is_shown_no_key_is_not_in_the_log(self, world: World) -> None:
        question = (await world.held()).made[0].question_ids[0]
        stranger = await world.people.member("author")
        assert body_of(await stranger.get(f"/questions/{question}"))["withheld"] is True
        assert await world.entries(action="read_key", subject=f"question:{question}") == []

    async def test_a_question_that_no_exam_holds_is_not_in_the_log(self, world: World) -> None:
        question = (await world.made()).question_ids[0]
        body_of(await world.admin.get(f"/questions/{question}"))
        assert await world.entries(action="read_key", subject=f"question:{question}") == []

    async def test_solutions_that_are_printed(self, world: World) -> None:
        made = (await world.held()).made[0]
        await world.admin.get(f"{made.path}/print", params={"part": "solutions"})
        entry = (await world.entries(action="read_key"))[0]
        assert entry["details"]["where"] == "print"

    async def test_the_review_of_a_result(self, world: World) -> None:
        held = await world.held()
        preview = Entrant(world.admin, held)
        body_of(await preview.enter())
        body_of(await preview.submit())
        path = f"{held.made[0].path}/results"
        assert body_of(await world.admin.get(path))["questions"]
        entry = (await world.entries(action="read_key"))[0]
        assert (entry["details"]["where"], entry["details"]["count"]) == ("result", 3)
        assert sorted(entry["details"]["question_ids"]) == sorted(map(str, held.made[0].question_ids))

    async def test_the_review_of_a_result_that_no_exam_holds(self, world: World) -> None:
        made = await world.made()
        sitting = await start(world.admin, made)
        body_of(await sitting.submit())
        before = await world.entries(action="read_key")
        assert body_of(await world.admin.get(f"{made.path}/results"))["questions"]
        assert await world.entries(action="read_key") == before

    async def test_an_import_names_each_key_that_it_changes(self, world: World) -> None:
        name = uuid4().hex
        row = f"{name},Polity,Which {name}?,A,B,C,D,%s"
        for key in ("a", "b", "b"):
            file = (SHEET + row % key).encode()
            body_of(await world.admin.post("/questions/import", files={"file": file}))
        me = (await world.admin.get("/auth/me")).json()["id"]
        changed = await world.entries(action="change_key", actor=me)
        assert [entry["details"] for entry in changed] == [{"version": 2}]

    async def test_a_refused_request_leaves_no_entry(self, world: World) -> None:
        person = await world.person()
        assert (await world.admin.put(f"/users/{person}/role", json={"role": "king"})).status_code == 422
        assert await world.entries(subject=f"user:{person}") == []


async def execute(engine: AsyncEngine, statement: str, values: dict[str, Any]) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)


async def read_as(reader: Principal, engine: AsyncEngine) -> None:
    async with reading(engine) as reads:
        audit.record(reads, reader, "read_key", AuditSubject("question"))


class TestOnlyGrows:
    async def test_the_applications_role_cannot_change_it(self, world: World) -> None:
        await _change_role(world)
        entry = (await world.entries())[0]
        for statement in (
            "update ias.audit_entries set reason = 'other'",
            "update ias.audit_entries set actor_id = null where id = :id",
            "delete from ias.audit_entries where id = :id",
            "truncate ias.audit_entries",
            "truncate ias.audit_entries cascade",
            "truncate ias.institutes cascade",
        ):
            values = {"id": UUID(entry["id"])} if ":id" in statement else {}
            with pytest.raises(DBAPIError, match="audit log only grows"):
                await execute(world.engine, statement, values)
        assert (await world.entries())[0] == entry

    async def test_a_read_that_cannot_be_recorded_fails(self, world: World) -> None:
        nobody = replace(operator(), institute_id=uuid4())  # there is no such institute
        with pytest.raises(DBAPIError):
            await read_as(nobody, world.engine)


class TestListing:
    async def test_is_for_admins(self, people: People) -> None:
        for role in ["student", "author", "evaluator", "proctor"]:
            assert (await (await people.member(role)).get("/audit")).status_code == 403, role

    async def test_is_narrowed_by_time(self, world: World) -> None:
        await _change_role(world)
        me = (await world.admin.get("/auth/me")).json()["id"]
        now = datetime.now(UTC)
        early, late = (now - MINUTE).isoformat(), (now + MINUTE).isoformat()
        assert len(await world.entries(actor=me, **{"from": early, "to": late})) == 1
        assert await world.entries(actor=me, **{"from": late}) == []
        assert await world.entries(actor=me, to=early) == []
        assert await world.entries(actor=me, to="0001-01-01T00:00:00Z") == []
        assert len(await world.entries(actor=me, **{"from": "0001-01-01T00:00:00Z"})) == 1

    async def test_comes_in_pages(self, world: World) -> None:
        person = await world.person()
        for role in ("author", "proctor", "student"):
            body_of(await world.admin.put(f"/users/{person}/role", json={"role": role}))
        seen, cursor = [], None
        while True:
            params = {"limit": "2", "subject": f"user:{person}"} | ({"cursor": cursor} if cursor else {})
            page = body_of(await world.admin.get("/audit", params=params))
            seen += [entry["details"]["after"] for entry in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert seen == ["student", "proctor", "author"]

    async def test_a_subject_that_is_none_is_refused(self, admin: httpx.AsyncClient) -> None:
        for subject in ["king", "user:", "user:1", f"{'user'}:{'-' * 36}"]:
            assert (await admin.get("/audit", params={"subject": subject})).status_code == 422, subject
