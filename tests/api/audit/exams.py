"""Actions on exams until their end, and on the attempts of their candidates."""

from collections.abc import AsyncIterator

from sqlalchemy import text

from app.services import exams
from app.services.unit_of_work import unit_of_work
from tests.api.audit.scenarios import Actor, Done, World, scenario
from tests.builders.answer_sheets import bring_sheets
from tests.builders.exams import HOUR, HeldExam, Json, body_of, hold_exam


@scenario(exam=["create", "add_paper", "change_paper", "remove_paper", "publish"])
async def compose(world: World) -> AsyncIterator[Done]:
    now, made = world.clock.now(), await world.made()
    starts, ends = now.isoformat(), (now + HOUR).isoformat()
    body = {"title": "All-India mock", "opens_at": starts, "closes_at": ends}
    exam = body_of(await world.admin.post("/exams", json=body))["id"]
    yield Done("exam", "create", exam)
    paper = {"code": "GS1", "title": "Paper 1", "test_id": str(made.id)}
    paper |= {"starts_at": starts, "entry_closes_at": ends, "ends_at": ends}
    placed = body_of(await world.admin.post(f"/exams/{exam}/papers", json=paper))["id"]
    yield Done("exam", "add_paper", exam)
    path = f"/exams/{exam}/papers/{placed}"
    body_of(await world.admin.patch(path, json={"title": "Another title"}))
    yield Done("exam", "change_paper", exam)
    assert (await world.admin.delete(path)).status_code == 204
    yield Done("exam", "remove_paper", exam)
    body_of(await world.admin.post(f"/exams/{exam}/papers", json=paper))
    body_of(await world.admin.post(f"/exams/{exam}/publish"))
    yield Done("exam", "publish", exam)


@scenario(exam=["postpone"])
async def postpone(world: World) -> AsyncIterator[Done]:
    held = await hold_exam(world.admin, await world.made(), starts_at=world.clock.now() + HOUR)
    body_of(await world.admin.post(f"{held.path}/postpone", json={"seconds": 600, "reason": "flood"}))
    yield Done("exam", "postpone", held.exam["id"])


@scenario(exam=["change", "announce", "accommodate", "correct_registration", "close"], attempt=["close"])
async def run(world: World) -> AsyncIterator[Done]:
    held = await world.held()
    exam = held.exam["id"]
    body_of(await held.staff.patch(held.path, json={"title": "Another title"}))
    yield Done("exam", "change", exam)
    body_of(await held.staff.post(f"{held.path}/announcements", json={"text": "Ten minutes left."}))
    yield Done("exam", "announce", exam)
    items = [{"group": "pwbd", "extra_seconds": 60, "reason": "rules"}]
    body_of(await held.staff.put(f"{held.path}/accommodations", json={"items": items}))
    yield Done("exam", "accommodate", exam)
    entrant = await world.entrant(held)
    number = body_of(await entrant.client.get(held.path))["my_registration"]["roll_number"]
    corrected = {"category": "obc", "reason": "certificate"}
    body_of(await held.staff.patch(f"{held.path}/registrations/{number}", json=corrected))
    yield Done("exam", "correct_registration", exam)
    body_of(await held.staff.post(f"{held.paper_path()}/close"))
    yield Done("exam", "close", exam)
    yield Done("attempt", "close", entrant.attempt["id"])


@scenario(exam=["cancel"], attempt=["cancel"])
async def cancel(world: World) -> AsyncIterator[Done]:
    held = await world.held()
    entrant = await world.entrant(held)
    body_of(await held.staff.post(f"{held.path}/cancel", json={"reason": "flood"}))
    yield Done("exam", "cancel", held.exam["id"])
    yield Done("attempt", "cancel", entrant.attempt["id"])


@scenario(exam=["void_left_over"], attempt=["void_left_over"])
async def void_left_over(world: World) -> AsyncIterator[Done]:
    held = await world.held()
    entrant = await world.entrant(held)
    await _void_left_over_in(world, held)
    yield Done("exam", "void_left_over", held.exam["id"], Actor.NOBODY)
    yield Done("attempt", "void_left_over", entrant.attempt["id"], Actor.NOBODY)


async def _void_left_over_in(world: World, held: HeldExam) -> None:
    async with unit_of_work(world.engine) as uow:  # as a version let attempts in that took no lock
        await uow.session.execute(
            text("update ias.exams set cancelled_at = now() where id = :id"), {"id": held.exam["id"]}
        )
    voided = 1
    while voided:  # other tests may have left something
        async with unit_of_work(world.engine) as uow:
            voided = await exams.void_left_over(uow, world.clock.now())


STEERING: dict[str, Json] = {
    "extend": {"seconds": 60, "reason": "r"},
    "pause": {},
    "resume": {},
    "submit": {},
    "reopen": {"reason": "r"},
    "void": {"reason": "r"},
}


@scenario(attempt=list(STEERING))
async def steer(world: World) -> AsyncIterator[Done]:
    held = await world.held()
    attempt = (await world.entrant(held)).attempt
    for verb, body in STEERING.items():
        body_of(await held.order(verb, attempt, **body))
        yield Done("attempt", verb, attempt["id"])


@scenario(attempt=["admit-late"])
async def admit_late(world: World) -> AsyncIterator[Done]:
    held = await world.held()
    entrant = await world.entrant(held)
    world.clock.advance(600 + 60)
    late = await entrant.save({0: ["a"]})
    assert late.json()["recorded"], late.text
    body_of(await held.order("admit-late", entrant.attempt, reason="power cut"))
    yield Done("attempt", "admit-late", entrant.attempt["id"])


@scenario(exam=["import_answer_sheets", "claim"])
async def on_paper(world: World) -> AsyncIterator[Done]:
    held = await world.held()
    world.clock.advance(60)
    await bring_sheets(held, ["A1", "a", "b", "c"])
    yield Done("exam", "import_answer_sheets", held.exam["id"])
    claimed = {"user_id": str(await world.person())}
    body_of(await held.staff.post(f"{held.path}/registrations/A1/claim", json=claimed))
    yield Done("exam", "claim", held.exam["id"])
