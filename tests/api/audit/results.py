"""Actions on the answers, keys and results of an exam that has ended."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from app.services import result_documents
from app.services.unit_of_work import unit_of_work
from tests.api.audit.scenarios import Done, World, scenario
from tests.builders.exams import MINUTE, Entrant, HeldExam, body_of, take_paper


@scenario(exam=["read_timeline", "read_response_sheet", "show_provisional_key", "show_final_key"])
async def before_the_release(world: World) -> AsyncIterator[Done]:
    held = await world.held(window=MINUTE)
    exam = held.exam["id"]
    entrant = await take_paper(await world.people.candidate(), held, {0: ["a"]})
    world.clock.advance(61)
    await _get(held, f"/attempts/{entrant.attempt['id']}/timeline")
    yield Done("exam", "read_timeline", exam)
    number = await _roll_number(entrant)
    await _get(held, f"{held.path}/registrations/{number}/response-sheet")
    yield Done("exam", "read_response_sheet", exam)
    body_of(await held.staff.post(f"{held.path}/provisional-key"))
    yield Done("exam", "show_provisional_key", exam)
    body_of(await held.staff.post(f"{held.path}/final-key"))
    yield Done("exam", "show_final_key", exam)


@scenario(exam=["release", "export_exam", "export_merit_list"])
async def release(world: World) -> AsyncIterator[Done]:
    held = await world.held()
    await take_paper(await world.people.candidate(), held, {0: ["a"]})
    await held.release()
    yield Done("exam", "release", held.exam["id"])
    await _get(held, f"{held.path}/export")
    yield Done("exam", "export_exam", held.exam["id"])
    await _get(held, f"{held.path}/merit-list", format="csv")
    yield Done("exam", "export_merit_list", held.exam["id"])


@scenario(
    exam=[
        "read_result_sheet",
        "read_certificate",
        "look_up_result",
        "request_result_file",
        "download_result_file",
    ]
)
async def documents(world: World) -> AsyncIterator[Done]:
    held = await world.held()
    exam = held.exam["id"]
    entrant = await take_paper(await world.people.candidate(), held, {0: ["a"]})
    number = await _roll_number(entrant)
    await held.release()
    body_of(await held.staff.patch(held.path, json={"certificates": "all"}))
    await _get(held, f"{held.path}/result-sheet", roll_number=number)
    yield Done("exam", "read_result_sheet", exam)
    await _get(held, f"{held.path}/certificate", roll_number=number)
    yield Done("exam", "read_certificate", exam)
    found = await held.staff.get(f"{held.path}/registrations", params={"query": number})
    [place] = found.json()["items"]
    await _get(held, f"/result-sheets/{place['id']}", version="1", digest="AAAA")
    yield Done("exam", "look_up_result", exam)
    path = f"{held.path}/result-sheets"
    file = body_of(await held.staff.post(path, json={"kind": "result_sheets"}), 202)
    yield Done("exam", "request_result_file", exam)
    async with unit_of_work(world.parts.engine) as uow:
        await result_documents.build(uow, world.parts, UUID(file["id"]), world.clock.now())
    await _get(held, f"{path}/{file['id']}/file")
    yield Done("exam", "download_result_file", exam)


async def _roll_number(entrant: Entrant) -> str:
    return str(body_of(await entrant.client.get(entrant.held.path))["my_registration"]["roll_number"])


async def _get(held: HeldExam, path: str, **params: Any) -> None:
    answer = await held.staff.get(path, params=params)
    assert answer.status_code == 200, answer.text
