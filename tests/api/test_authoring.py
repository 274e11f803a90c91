"""An author's desk over HTTP: clone, preview, draft beside the published version, print."""

from io import BytesIO
from uuid import UUID

import httpx
import pytest
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import Json
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import add_exam
from tests.builders.people import People
from tests.conftest import TestClock

SOLUTIONS = {"part": "solutions"}


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, languages=["en", "hi"])


async def give_to(engine: AsyncEngine, client: httpx.AsyncClient, made: PublishedTest) -> None:
    """Make somebody the test's author."""
    user_id = UUID((await client.get("/auth/me")).json()["id"])
    async with engine.begin() as connection:
        statement = text("update ias.tests set created_by = :user_id where id = :id")
        await connection.execute(statement, {"user_id": user_id, "id": made.id})


async def hold(engine: AsyncEngine, made: PublishedTest, clock: TestClock) -> None:
    """Place the test in an exam that is not released."""
    async with unit_of_work(engine) as uow:
        await add_exam(uow, made.id, clock.now())


class TestClone:
    async def test_a_new_draft(self, author: httpx.AsyncClient, made: PublishedTest) -> None:
        answer = await author.post(f"{made.path}/clone", json={})
        assert answer.status_code == 201, answer.text
        clone = answer.json()
        assert clone["title"]["en"].endswith(" (copy)")
        assert (clone["status"], clone["paper_version"], clone["question_count"]) == ("draft", None, 3)
        assert (await author.post(f"/tests/{clone['id']}/publish")).json()["paper_version"] == 1


class TestPreview:
    async def test_the_document_with_obstacles_and_gaps(
        self, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        await author.patch(made.path, json={"sections": [], "duration_seconds": 60})
        preview = (await author.get(f"{made.path}/preview")).json()
        assert (preview["document"]["paper_version"], preview["document"]["duration_seconds"]) == (2, 60)
        reason = "A test needs at least one question."
        assert preview["obstacles"] == [{"field": "sections", "message": reason}]
        assert [gap["field"] for gap in preview["gaps"]] == ["title.hi"]

    async def test_it_has_the_shape_that_candidates_get(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        await candidate.post(f"{made.path}/start")
        served = (await candidate.get(f"{made.path}/questions")).json()
        previewed = (await author.get(f"{made.path}/preview")).json()["document"]
        assert previewed == served | {"paper_version": 2}


class TestDraftBesideThePublished:
    async def test_staff_see_both_and_candidates_one(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        before = (await author.get(made.path)).json()
        assert before["draft"] is None
        changed = (await author.patch(made.path, json={"title": "Changed"})).json()
        shown = (await author.get(made.path)).json()
        assert (shown["title"], shown["draft"]) == (before["title"], changed)
        seen = (await candidate.get(made.path)).json()
        assert seen["title"] == before["title"]
        assert set(seen) == set(shown) - {"draft", "warnings"}


class TestPrint:
    async def test_a_pdf(self, author: httpx.AsyncClient, made: PublishedTest) -> None:
        answer = await author.get(f"{made.path}/print", params={"language": "hi"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"] == 'inline; filename="paper-v1-hi.pdf"'
        assert answer.headers["cache-control"] == "private, no-store"
        assert len(PdfReader(BytesIO(answer.content)).pages) == 1

    async def test_what_may_be_asked(self, author: httpx.AsyncClient, made: PublishedTest) -> None:
        for asked, status in [
            ({"version": "1"}, 200),
            ({"version": "draft"}, 200),
            ({"version": "2"}, 404),
            ({"version": "0"}, 422),
            ({"version": "99999999999"}, 422),
            ({"version": "latest"}, 422),
            ({"part": "key"}, 422),
            ({"language": "ta"}, 422),
        ]:
            assert (await author.get(f"{made.path}/print", params=asked)).status_code == status, asked


async def statuses(client: httpx.AsyncClient, made: PublishedTest) -> Json:
    return {
        "clone": (await client.post(f"{made.path}/clone")).status_code,
        "preview": (await client.get(f"{made.path}/preview")).status_code,
        "paper": (await client.get(f"{made.path}/print")).status_code,
        "solutions": (await client.get(f"{made.path}/print", params=SOLUTIONS)).status_code,
    }


def all_of(status: int, **others: int) -> Json:
    return dict.fromkeys(("clone", "preview", "paper", "solutions"), status) | others


class TestAccess:
    @pytest.mark.parametrize(
        ("role", "expected"),
        [
            ("student", all_of(403)),
            ("evaluator", all_of(403)),
            ("proctor", all_of(403)),
            ("author", all_of(200, clone=201)),
            ("admin", all_of(200, clone=201)),
        ],
    )
    async def test_by_role(self, people: People, made: PublishedTest, role: str, expected: Json) -> None:
        assert await statuses(await people.member(role), made) == expected

    async def test_nobody(self, api: httpx.AsyncClient, made: PublishedTest) -> None:
        assert await statuses(api, made) == all_of(401)

    async def test_another_institutes(
        self, author: httpx.AsyncClient, engine: AsyncEngine, made: PublishedTest
    ) -> None:
        statement = """
            with other as (
              insert into ias.institutes (id, slug, name)
              values (gen_random_uuid(), gen_random_uuid(), 'Other') returning id
            )
            update ias.tests set institute_id = other.id from other where tests.id = :id
        """
        async with engine.begin() as connection:
            await connection.execute(text(statement), {"id": made.id})
        assert await statuses(author, made) == all_of(404)


class TestEmbargo:
    """Until the exam is released, the test and its keys are for its author and admins (0021)."""

    async def test_another_author_finds_no_such_test(
        self, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock, made: PublishedTest
    ) -> None:
        await hold(engine, made, clock)
        assert await statuses(author, made) == all_of(404)
        drafted = {"version": "draft", **SOLUTIONS}
        assert (await author.get(f"{made.path}/print", params=drafted)).status_code == 404

    async def test_nor_are_there_solutions_by_way_of_a_clone(
        self, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock, made: PublishedTest
    ) -> None:
        clone = (await author.post(f"{made.path}/clone")).json()
        path = f"/tests/{clone['id']}"
        assert (await author.post(f"{path}/publish")).status_code == 200
        await hold(engine, made, clock)
        assert (await author.get(f"{path}/print", params=SOLUTIONS)).status_code == 403
        for part in ("paper", "solutions"):
            drafted = await author.get(f"{path}/print", params={"part": part, "version": "draft"})
            assert (drafted.status_code, drafted.json()["code"]) == (409, "not_publishable")

    async def test_the_tests_author_and_admins_get_them(
        self,
        people: People,
        admin: httpx.AsyncClient,
        engine: AsyncEngine,
        clock: TestClock,
        made: PublishedTest,
    ) -> None:
        own = await people.member("author")
        await give_to(engine, own, made)
        await hold(engine, made, clock)
        for client in (own, admin):
            assert (await statuses(client, made))["solutions"] == 200
