"""Object level: every operation with the ids of somebody else's objects × everybody who may call the route.

`access_table.py` says who reaches what. After all refusals every row of the owner stands as it stood.
"""

import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api import problems
from app.api.deps import CurrentUser, Reads, Uow
from app.models import Attempt, Notification
from app.services.components import Components
from tests.api.access_table import OPERATIONS, Level, Operation, Reach, Rule
from tests.api.matrix import RIGHTFUL, WITH_OBJECTS, Matrix, body_for, changes, reaches
from tests.builders.people import People
from tests.builders.world import Identity, Objects, UnknownParameter, World, build_world, standing
from tests.conftest import TestClock
from tests.thorough import THOROUGH, thorough_only

NAMING_AN_ATTEMPT = [
    ("GET", "/v1/tests/{test_id}/results"),
    ("POST", "/v1/tests/{test_id}/responses"),
    ("POST", "/v1/tests/{test_id}/submit"),
    ("POST", "/v1/exams/{exam_id}/papers/{paper_id}/responses"),
    ("POST", "/v1/exams/{exam_id}/papers/{paper_id}/submit"),
]


class TestSomebodyElsesObjects:
    async def test_they_are_not_reached(self, matrix: Matrix, engine: AsyncEngine) -> None:
        """A thorough run compares the rows after each operation, and so names the one that changes any."""
        rows = await standing(engine, matrix.world.mine)
        for operation in WITH_OBJECTS:
            rule = OPERATIONS[operation]
            assert await matrix.faults_of_objects(operation, rule, one_of=3) == []
            assert await matrix.faults_of_mixed_paths(operation, rule) == []
            if THOROUGH and changes(operation):
                assert await standing(engine, matrix.world.mine) == rows, operation
        assert await standing(engine, matrix.world.mine) == rows

    async def test_no_candidate_is_shown_the_name_of_another(self, matrix: Matrix) -> None:
        found = []
        for operation in OPERATIONS:
            if operation[0] == "GET":
                found += await matrix.faults_of_shown_names(operation, one_of=3)
        assert found == []


class TestReferences:
    """Somebody else's attempt named in a query or a body, below a path that is one's own."""

    @pytest.mark.parametrize("identity", [Identity.OTHER_CANDIDATE, Identity.OTHER_ATTEMPT])
    async def test_an_attempt_of_another_is_not_reached(
        self, matrix: Matrix, engine: AsyncEngine, identity: Identity
    ) -> None:
        rows = await standing(engine, matrix.world.mine)
        for operation in NAMING_AN_ATTEMPT:
            path = matrix.world.theirs.path(operation[1])
            request = body_for(operation, matrix.world.mine)
            if operation[0] == "GET":
                request = {"params": {"attempt_id": matrix.world.mine.attempt["id"]}}
            answer = await matrix.send(identity, operation, path, **request)
            allowed = identity in OPERATIONS[operation].level.value
            assert answer.status_code == (404 if allowed else 401), operation
            assert await standing(engine, matrix.world.mine) == rows, operation

    async def test_an_order_moves_no_attempt_of_another_exam(
        self, matrix: Matrix, engine: AsyncEngine
    ) -> None:
        rows = await standing(engine, matrix.world.mine)
        operation = ("POST", "/v1/exams/{exam_id}/attempts/{verb}")
        path, body = matrix.world.theirs.path(operation[1]), body_for(operation, matrix.world.mine)
        assert (await matrix.send(Identity.ADMIN, operation, path, **body)).status_code == 404
        assert await standing(engine, matrix.world.mine) == rows

    async def test_a_list_narrowed_to_a_test_shows_ones_own_attempts(self, matrix: Matrix) -> None:
        operation, wanted = ("GET", "/v1/users/attempts"), {"test_id": matrix.world.mine.ids["test_id"]}
        for identity, count in ((Identity.OWNER, 1), (Identity.OTHER_CANDIDATE, 0), (Identity.ADMIN, 0)):
            answer = await matrix.send(identity, operation, operation[1], params=wanted)
            assert len(answer.json()["items"]) == count, identity


async def test_a_ban_ends_every_use_of_an_attempt_token(matrix: Matrix) -> None:
    banned = matrix.world.banned
    for operation in (each for each, rule in OPERATIONS.items() if rule.level is Level.HOLDER):
        in_exam = operation[1].startswith("/v1/exams")
        identity = Identity.BANNED_PAPER_ATTEMPT if in_exam else Identity.BANNED_ATTEMPT
        path, body = banned.path(operation[1]), body_for(operation, banned)
        answer = await matrix.send(identity, operation, path, **body)
        # An image is looked for among those of the person's papers, and none is found.
        assert answer.status_code == (404 if "media" in operation[1] else 401), operation


@thorough_only
async def test_the_ids_lead_somewhere(
    app: FastAPI, people: People, engine: AsyncEngine, clock: TestClock
) -> None:
    """With the same paths and bodies somebody reaches something: no refusal above came from a wrong id.

    `make test` shows it by the same requests to a server, in `tests/api/test_openapi.py`.
    """
    matrix = Matrix(app, await build_world(people, engine), clock)
    found = []
    for operation in WITH_OBJECTS:
        statuses = {await _status(matrix, identity, operation) for identity in RIGHTFUL}
        found += [(operation, statuses)] if not reaches(operation, statuses) else []
    assert found == []


async def _status(matrix: Matrix, identity: Identity, operation: Operation) -> int:
    body = body_for(operation, matrix.world.mine)
    answer = await matrix.send(identity, operation, matrix.world.path(operation[1]), **body)
    return answer.status_code


class TestTheCheckCanFail:
    """Routes that hand out another's object, each of which the check has to find."""

    @pytest.fixture
    def planted(self, parts: Components) -> FastAPI:
        router = APIRouter(prefix="/v1")

        @router.get("/notifications/{notification_id}")
        async def any_notification(notification_id: str, user: CurrentUser, reads: Reads) -> dict[str, str]:
            found = await reads.session.get_one(Notification, notification_id)
            return {"title": found.title["en"]}

        @router.post("/exams/{exam_id}/attempts/{attempt_id}/pause")
        async def any_parent(exam_id: str, attempt_id: str, user: CurrentUser, uow: Uow) -> dict[str, str]:
            return {"id": str((await uow.session.get_one(Attempt, attempt_id)).id)}

        app = FastAPI()
        app.state.components = parts
        app.include_router(router)
        problems.install(app)
        return app

    async def test_another_persons_object_is_found(
        self, planted: FastAPI, world: World, clock: TestClock
    ) -> None:
        operation = ("GET", "/v1/notifications/{notification_id}")
        rule = Rule(Level.SIGNED_IN, Reach.OWNER)
        found = await Matrix(planted, world, clock).faults_of_objects(operation, rule)
        assert len(found) == len(rule.level.value) - 1
        assert all("200 instead of 404" in fault for fault in found)

    async def test_another_persons_name_is_found(
        self, planted: FastAPI, world: World, clock: TestClock
    ) -> None:
        operation = ("GET", "/v1/notifications/{notification_id}")
        found = await Matrix(planted, world, clock).faults_of_shown_names(operation)
        assert len(found) == 3

    async def test_an_object_of_another_parent_is_found(
        self, planted: FastAPI, world: World, clock: TestClock
    ) -> None:
        operation = ("POST", "/v1/exams/{exam_id}/attempts/{attempt_id}/pause")
        rule = Rule(Level.PROCTORS)
        found = await Matrix(planted, world, clock).faults_of_mixed_paths(operation, rule)
        assert any("200 for attempt_id of another parent" in fault for fault in found)

    def test_a_parameter_without_an_object_is_found(self) -> None:
        objects = Objects({"exam_id": "1"}, {}, {}, "", "")
        with pytest.raises(UnknownParameter, match="objection_id"):
            objects.path("/v1/exams/{exam_id}/objections/{objection_id}")
