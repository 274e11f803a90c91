"""Who is shown the key of a question that an exam holds is in the audit log, and nobody else."""

from uuid import uuid4

from tests.api.audit.bank import COLUMNS
from tests.api.audit.scenarios import World
from tests.builders.attempts import start
from tests.builders.exams import Entrant, body_of
from tests.builders.people import user_id_of


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
            file = f"{COLUMNS},key\n{row % key}".encode()
            body_of(await world.admin.post("/questions/import", files={"file": file}))
        me = str(await user_id_of(world.admin))
        changed = await world.entries(action="change_key", actor=me)
        assert [entry["details"] for entry in changed] == [{"version": 2}]

    async def test_a_refused_request_leaves_no_entry(self, world: World) -> None:
        person = await world.person()
        assert (await world.admin.put(f"/users/{person}/role", json={"role": "king"})).status_code == 422
        assert await world.entries(subject=f"user:{person}") == []
