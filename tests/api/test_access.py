"""Function level: every route of the application × role, as `access_table.py` declares it."""

from collections.abc import Iterable, Iterator
from itertools import product

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Route, WebSocketRoute

from app.api import asyncapi, problems
from app.api.deps import CurrentAdmin, CurrentAuthor
from app.core.realtime import inbox as closings
from app.services.components import Components
from tests.api.access_table import (
    CANDIDATES,
    METRICS,
    OPERATIONS,
    OUTSIDE_THE_DOCUMENT,
    SIGNED_IN,
    SOCKETS,
    Level,
    Operation,
    Reach,
    Rule,
)
from tests.api.matrix import EXPIRED_AFTER, NOT_SIGNED_IN, ROLES, Matrix
from tests.builders.world import Identity, World
from tests.conftest import TestClock
from tests.sockets import opened, refusal
from tests.thorough import count, part

IMPLIED = {"HEAD", "OPTIONS"}
EVERY_ROUTE = OPERATIONS | OUTSIDE_THE_DOCUMENT


def routes_of(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, Route | WebSocketRoute]]:
    """Every route with its whole path, those of included routers too."""
    for route in routes:
        if isinstance(route, Route | WebSocketRoute):
            yield prefix + route.path_format, route
        else:  # anything else that has no routes of its own is an AttributeError here: look at it first
            below = route.original_router.routes  # type: ignore[attr-defined]
            yield from routes_of(below, prefix + route.include_context.prefix)  # type: ignore[attr-defined]


def operations_of(app: FastAPI) -> set[Operation]:
    """Every HTTP route of an application, by method and path."""
    return {
        (method, path)
        for path, route in routes_of(app.routes)
        if isinstance(route, Route)
        for method in (route.methods or set()) - IMPLIED
    }


def sockets_of(app: FastAPI) -> set[str]:
    return {path for path, route in routes_of(app.routes) if isinstance(route, WebSocketRoute)}


class TestTheTable:
    async def test_it_has_every_operation_of_the_document(self, app: FastAPI) -> None:
        document = {
            (method.upper(), path) for path, item in app.openapi()["paths"].items() for method in item
        }
        assert document == set(OPERATIONS)

    async def test_it_has_every_route_that_the_document_leaves_out(self, app: FastAPI) -> None:
        assert operations_of(app) == {*EVERY_ROUTE, *METRICS}

    async def test_it_has_every_socket(self, app: FastAPI) -> None:
        documented = {channel.path for channel in asyncapi.CHANNELS}
        entered = {room for room, reach in SOCKETS.items() if reach is not Reach.NOBODY}
        assert documented == {f"/v1{room}" for room in entered}
        assert sockets_of(app) == set(), "Sockets are served before FastAPI: no request reaches these routes."


async def test_each_role_may_what_the_table_says(matrix: Matrix) -> None:
    """In `make test` each third role tries an operation, and who is refused sends one of three bodies.

    Roles with the same rights stand together in the list, so that one of three in a row is always tried.
    """
    faults = []
    for operation, rule in OPERATIONS.items():
        roles = part(ROLES, " ".join(operation), 3)
        faults += await matrix.faults_of_roles(operation, rule, count(3, thorough=1), roles)
    assert faults == []


async def test_what_is_public_is_public(matrix: Matrix) -> None:
    for operation in OUTSIDE_THE_DOCUMENT:
        if "{" not in operation[1]:
            answer = await matrix.send(Identity.ANONYMOUS, operation, operation[1])
            assert answer.status_code == 200, operation


async def test_no_role_opens_the_metrics(matrix: Matrix) -> None:
    for operation in sorted(METRICS):
        answers = {role: (await matrix.send(role, operation, operation[1])).status_code for role in ROLES}
        assert set(answers.values()) == {404}, operation


class TestSockets:
    @pytest.mark.parametrize("prefix", ["", "/v1"])
    @pytest.mark.parametrize("room", SOCKETS)
    async def test_nobody_enters_without_a_login(
        self, world: World, clock: TestClock, sockets_url: str, room: str, prefix: str
    ) -> None:
        path = prefix + world.path(room, rest="nothing")
        wanted = closings.NO_SUCH_ROOM if SOCKETS[room] is Reach.NOBODY else closings.UNAUTHENTICATED
        for identity in sorted(NOT_SIGNED_IN - {Identity.EXPIRED}):
            token = world.headers[identity]
            said = await refusal(sockets_url, path, **({"Authorization": token} if token else {}))
            assert said == (wanted.code, wanted.reason), identity
        clock.advance(seconds=EXPIRED_AFTER)
        said = await refusal(sockets_url, path, Authorization=str(world.headers[Identity.EXPIRED]))
        assert said == (wanted.code, wanted.reason)

    @pytest.mark.parametrize("room", SOCKETS)
    async def test_a_room_lets_in_whom_the_table_names(
        self, world: World, sockets_url: str, room: str
    ) -> None:
        path, closed = world.path(room, rest="nothing"), closings.NO_SUCH_ROOM
        for identity in sorted(SIGNED_IN):
            token = str(world.headers[identity])
            if identity in SOCKETS[room].value:
                async with opened(sockets_url, path, Authorization=token):
                    continue
            said = await refusal(sockets_url, path, Authorization=token)
            assert said == (closed.code, closed.reason), identity


class TestTheCheckCanFail:
    """Routes that are wrong on purpose, each of which the check has to find."""

    @pytest.fixture
    def planted(self, parts: Components) -> FastAPI:
        router = APIRouter(prefix="/v1")

        @router.get("/no-dependency")
        async def no_dependency() -> dict[str, int]:
            return {}

        @router.post("/wrong-role")
        async def wrong_role(author: CurrentAuthor) -> dict[str, int]:
            return {}

        @router.post("/too-narrow")
        async def too_narrow(admin: CurrentAdmin) -> dict[str, int]:
            return {}

        app = FastAPI()
        app.state.components = parts
        app.include_router(router)
        problems.install(app)
        return app

    async def test_a_route_without_its_dependency_is_found(
        self, planted: FastAPI, world: World, clock: TestClock
    ) -> None:
        matrix = Matrix(planted, world, clock)
        found = await matrix.faults_of_roles(("GET", "/v1/no-dependency"), Rule(Level.SIGNED_IN))
        assert any("as anonymous" in fault and "200 instead of 401" in fault for fault in found)
        assert any("as banned" in fault for fault in found)

    async def test_a_role_too_many_is_found(self, planted: FastAPI, world: World, clock: TestClock) -> None:
        matrix = Matrix(planted, world, clock)
        found = await matrix.faults_of_roles(("POST", "/v1/wrong-role"), Rule(Level.ADMINS))
        assert found
        assert all("author who made the objects" in fault for fault in found)

    async def test_a_role_too_few_is_found(self, planted: FastAPI, world: World, clock: TestClock) -> None:
        matrix = Matrix(planted, world, clock)
        found = await matrix.faults_of_roles(("POST", "/v1/too-narrow"), Rule(Level.AUTHORS))
        assert any("403, though they may" in fault for fault in found)

    async def test_a_route_that_stands_in_no_table_is_found(self, planted: FastAPI) -> None:
        assert {("GET", "/v1/no-dependency"), ("POST", "/v1/wrong-role")} <= operations_of(planted) - {
            *EVERY_ROUTE,
            *METRICS,
        }


NO_JSON = (b'{"', b'"\\u0000"', b"[" * 1000)


async def test_permission_comes_before_a_body_that_is_no_json(matrix: Matrix) -> None:
    """Who may not call a route hears 401 or 403, whatever the body is: one of three in `make test`."""
    found = []
    for operation, rule in OPERATIONS.items():
        if rule.level is Level.PUBLIC or operation[0] in ("GET", "DELETE"):
            continue
        refused = {Identity.ANONYMOUS: 401}
        if not CANDIDATES & rule.level.value:
            refused[Identity.CANDIDATE] = 403
        for content, (identity, status) in product(part(NO_JSON, " ".join(operation), 3), refused.items()):
            path, headers = matrix.world.path(operation[1]), {"Content-Type": "application/json"}
            answer = await matrix.send(identity, operation, path, content=content, headers=headers)
            found += [(operation, identity, content[:10])] if answer.status_code != status else []
    assert found == []
