"""Actions on questions and on the bank."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

from app.models import DEFAULT_INSTITUTE_ID, MappedSheet
from app.services.unit_of_work import reading
from tests.api.audit.scenarios import Done, World, scenario
from tests.builders.exams import body_of

COLUMNS = "external_id,subject,question,option_a,option_b,option_c,option_d"


def _row() -> str:
    return f"{uuid4().hex},Polity {uuid4().hex},Which {uuid4().hex}?,A,B,C,D,a"


@scenario(question=["change_key"])
async def change_key(world: World) -> AsyncIterator[Done]:
    question = (await world.made()).question_ids[0]
    body_of(await world.admin.patch(f"/questions/{question}", json={"key": {"accepted": [["d"]]}}))
    yield Done("question", "change_key", question)


@scenario(question=["read_key"], test=["read_paper"])
async def read_what_an_exam_holds(world: World) -> AsyncIterator[Done]:
    made = (await world.held()).made[0]
    body_of(await world.admin.get(f"/questions/{made.question_ids[0]}"))
    yield Done("question", "read_key", made.question_ids[0])
    body_of(await world.admin.get(f"{made.path}/preview"))
    yield Done("test", "read_paper", made.id)


@scenario(bank=["import", "export"])
async def sheets(world: World) -> AsyncIterator[Done]:
    file = f"{COLUMNS},key\n{_row()}".encode()
    body_of(await world.admin.post("/questions/import", files={"file": file}))
    yield Done("bank", "import")
    answer = await world.admin.post("/questions/export", json={"format": "csv", "query": uuid4().hex})
    assert answer.status_code == 200, answer.text
    yield Done("bank", "export")


@scenario(bank=["save_mapping", "delete_mapping"])
async def mappings(world: World) -> AsyncIterator[Done]:
    column = f"Right {uuid4().hex}"
    files = {"file": f"{COLUMNS},{column}\n{_row()}".encode()}
    mapping = {"mapping": json.dumps({column: "key"})}
    body_of(await world.admin.post("/questions/import", files=files, data=mapping))
    yield Done("bank", "save_mapping")
    async with reading(world.parts.engine) as reads:
        saved = await reads.column_mappings.newest(DEFAULT_INSTITUTE_ID, MappedSheet.QUESTIONS)
    answer = await world.admin.delete(f"/column-mappings/{saved[0].mapping.id}")
    assert answer.status_code == 204
    yield Done("bank", "delete_mapping")
