"""Downloads of the paper that are answered directly: as the route answers, or the request is left to it."""

from collections.abc import AsyncIterator, Callable, Mapping

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Scope

from app.core.revocations import SessionCutoff
from app.core.whole_responses import WholeResponses
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, start
from tests.builders.content import publish_test
from tests.builders.exams import hold_exam, register
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock
from tests.generated import examples
from tests.request_lines import request_lines
from tests.thorough import count

OF_ONE_REQUEST = {"x-request-id", "date"}
DIRECTLY, BY_THE_ROUTE = "Bearer", "bearer"
"""The scheme of the credentials. Only its usual form is answered directly."""
Headers = Mapping[str, str]


@pytest.fixture(params=["by messages", "by a server"])
async def api(
    request: pytest.FixtureRequest, people: People, sockets_url: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, and one of the server, which takes whole responses."""
    if request.param == "by messages":
        async with people.client() as client:
            yield client
    else:
        address = sockets_url.replace("ws:", "http:") + "/v1"
        async with httpx.AsyncClient(base_url=address) as client:
            yield client


@pytest.fixture
async def sitting(engine: AsyncEngine, candidate: httpx.AsyncClient) -> AttemptClient:
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
    return await start(candidate, made)


async def get(
    api: httpx.AsyncClient, path: str, token: str, way: str, headers: Headers | None = None
) -> httpx.Response:
    return await api.get(path, headers={"Authorization": f"{way} {token}", **(headers or {})})


def comparable(answer: httpx.Response) -> tuple[int, Headers, bytes]:
    headers = {name: value for name, value in answer.headers.items() if name not in OF_ONE_REQUEST}
    if answer.is_error:
        return answer.status_code, {**headers, "content-length": ""}, answer.json()["code"].encode()
    return answer.status_code, headers, answer.content


async def both(
    api: httpx.AsyncClient, path: str, token: str, headers: Headers | None = None
) -> tuple[int, Headers, bytes]:
    """The direct response, which must be that of the route."""
    direct, routed = [await get(api, path, token, way, headers) for way in (DIRECTLY, BY_THE_ROUTE)]
    assert comparable(direct) == comparable(routed)
    return comparable(direct)


class TestBothWays:
    async def test_they_answer_alike(self, api: httpx.AsyncClient, sitting: AttemptClient) -> None:
        path = f"{sitting.made.path}/questions"
        token = sitting.attempt["attempt_token"]
        variants: list[Headers] = [
            {},
            {"Accept-Encoding": "identity"},
            {"Accept-Encoding": "br, gzip;q=0.5"},
            {"Accept-Encoding": "gzip;q=0"},
            {"If-None-Match": '"another"'},
            {"If-None-Match": ""},
            {"If-None-Match": "*"},
            {"Origin": "http://localhost:3000"},
            {"X-Request-ID": "mine"},
        ]
        for headers in variants:
            status, sent, _ = await both(api, path, token, headers)
            assert status == (304 if headers.get("If-None-Match") == "*" else 200), headers
            known = f'"x", {sent["etag"].removeprefix("W/")}'
            status, _, content = await both(api, path, token, {**headers, "If-None-Match": known})
            assert (status, content) == (304, b""), headers

    async def test_what_the_token_is_not_for_is_refused_alike(
        self, api: httpx.AsyncClient, sitting: AttemptClient, engine: AsyncEngine
    ) -> None:
        async with unit_of_work(engine) as uow:
            other = await publish_test(uow)
        token = sitting.attempt["attempt_token"]
        assert (await both(api, f"{other.path}/questions", token))[0] == 404
        assert (await both(api, f"{sitting.made.path}/questions", token + "x"))[0] == 401
        assert (await both(api, f"{sitting.made.path}/questions?x=1", token))[0] == 422

    async def test_a_login_gets_the_paper_of_the_latest_attempt(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        path, login = f"{made.path}/questions", candidate.headers["Authorization"].removeprefix("Bearer ")
        assert (await both(candidate, path, login))[0] == 404
        first = await start(candidate, made)
        status, sent, content = await both(candidate, path, login)
        by_token = await get(candidate, path, first.attempt["attempt_token"], DIRECTLY)
        assert (status, content) == (200, by_token.content)
        assert (await both(candidate, path, login, {"If-None-Match": sent["etag"]}))[0] == 304
        async with unit_of_work(engine) as uow:
            await uow.session.execute(
                text("update ias.attempts set status = 'void' where id = :id"), {"id": first.id}
            )
        assert (await both(candidate, path, login))[0] == 404
        of_staff = author.headers["Authorization"].removeprefix("Bearer ")
        assert (await both(author, path, of_staff))[0] == 404
        await start(author, made)
        assert (await both(author, path, of_staff))[0] == 200

    async def test_papers_of_exams(
        self,
        api: httpx.AsyncClient,
        author: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        engine: AsyncEngine,
        clock: TestClock,
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        held = await hold_exam(author, made, starts_at=clock.now())
        entrant = await register(candidate, held)
        token = (await entrant.enter()).json()["attempt_token"]
        status, sent, _ = await both(api, f"{entrant.path}/questions", token)
        assert status == 200
        assert (await both(api, f"{entrant.path}/questions", token, {"If-None-Match": sent["etag"]}))[
            0
        ] == 304
        assert (await both(api, f"{made.path}/questions", token))[0] == 404

    async def test_each_has_a_log_line(self, api: httpx.AsyncClient, sitting: AttemptClient) -> None:
        for way in (DIRECTLY, BY_THE_ROUTE):
            with request_lines() as lines:
                await get(api, f"{sitting.made.path}/questions", sitting.attempt["attempt_token"], way)
            [line] = lines
            assert (line["route"], line["status"]) == ("/v1/tests/{test_id}/questions", 200)
            assert line["user_id"] == str(await user_id_of(sitting.client))


class TestAtOnce:
    @pytest.fixture
    def outcomes(self, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
        """For each request to the server, whether it was answered at once."""
        outcomes: list[bool] = []
        answer: Callable[[Scope, WholeResponses], bool] = app.direct_without_task  # type: ignore[attr-defined]

        def noted(scope: Scope, send: WholeResponses) -> bool:
            outcomes.append(answer(scope, send))
            return outcomes[-1]

        monkeypatch.setattr(app, "direct_without_task", noted)
        return outcomes

    @pytest.mark.parametrize("api", ["by a server"], indirect=True)
    async def test_only_what_needs_no_statement(
        self, api: httpx.AsyncClient, sitting: AttemptClient, outcomes: list[bool]
    ) -> None:
        path, token = f"{sitting.made.path}/questions", sitting.attempt["attempt_token"]
        login = sitting.client.headers["Authorization"].removeprefix("Bearer ")
        for credentials, way, headers in (
            (token, DIRECTLY, {}),  # Whether the candidate is banned is read once.
            (token, DIRECTLY, {}),
            (token, DIRECTLY, {"If-None-Match": "*"}),
            (token, DIRECTLY, {"Origin": "http://localhost:3000"}),
            (token, BY_THE_ROUTE, {}),
            (login, DIRECTLY, {}),
        ):
            assert (await get(api, path, credentials, way, headers)).status_code in (200, 304)
        assert outcomes == [False, True, True, False, False, False]

    @pytest.mark.parametrize("api", ["by a server"], indirect=True)
    async def test_an_error_is_answered_by_the_usual_way(
        self,
        api: httpx.AsyncClient,
        sitting: AttemptClient,
        parts: Components,
        outcomes: list[bool],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(*_: object) -> bool:
            raise RuntimeError

        monkeypatch.setattr(type(parts.active_users), "include", fail)
        answer = await get(api, f"{sitting.made.path}/questions", sitting.attempt["attempt_token"], DIRECTLY)
        assert (answer.status_code, outcomes) == (500, [False])


def header_lines(etag: str) -> st.SearchStrategy[list[tuple[bytes, bytes]]]:
    """Header lines that decide between the whole paper, compressed or not, and the answer without it."""
    tags = st.sampled_from([etag, f"W/{etag}", f" {etag} ", etag.strip('"'), '"x"', '"\xe9"', "*", "W/*", ""])
    codings = st.sampled_from(
        ["gzip", "GZIP", "x-gzip", "gzip;q=0", "gzip ; q=0.0", "gzip;q=0.5", "br", "identity", "*", ""]
    )
    values = st.one_of(
        st.tuples(st.just("If-None-Match"), st.lists(tags, max_size=3).map(",".join)),
        st.tuples(st.just("Accept-Encoding"), st.lists(codings, max_size=3).map(", ".join)),
    )
    lines = st.lists(values, max_size=3)
    return lines.map(lambda sent: [(name.encode(), value.encode("latin-1")) for name, value in sent])


@pytest.mark.parametrize("api", ["by messages"], indirect=True)
@pytest.mark.parametrize("credentials", ["attempt token", "login"])
async def test_generated_requests_are_answered_alike(
    api: httpx.AsyncClient, sitting: AttemptClient, credentials: str
) -> None:
    path, login = f"{sitting.made.path}/questions", sitting.client.headers["Authorization"]
    token = login.removeprefix("Bearer ") if credentials == "login" else sitting.attempt["attempt_token"]
    etag = (await get(api, path, token, DIRECTLY)).headers["ETag"].removeprefix("W/")
    seen = set()
    for lines in examples(header_lines(etag), count(40, 1_000)):
        answers = [
            await api.get(path, headers=[(b"Authorization", f"{way} {token}".encode()), *lines])
            for way in (DIRECTLY, BY_THE_ROUTE)
        ]
        assert comparable(answers[0]) == comparable(answers[1])
        seen.add((answers[0].status_code, "Content-Encoding" in answers[0].headers))
    assert seen == {(200, True), (200, False), (304, False)}


class TestBans:
    async def test_a_candidate_who_is_banned_meanwhile_gets_no_paper(
        self, api: httpx.AsyncClient, admin: httpx.AsyncClient, sitting: AttemptClient
    ) -> None:
        path, token = f"{sitting.made.path}/questions", sitting.attempt["attempt_token"]
        assert (await both(api, path, token))[0] == 200
        user_id = await user_id_of(sitting.client)
        banned = await admin.put(f"/users/{user_id}/status", json={"active": False})
        assert banned.is_success
        assert (await both(api, path, token))[0] == 401

    async def test_a_ban_of_another_process_is_found_after_a_minute_at_most(
        self, api: httpx.AsyncClient, sitting: AttemptClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        path, token = f"{sitting.made.path}/questions", sitting.attempt["attempt_token"]
        await get(api, path, token, DIRECTLY)
        async with unit_of_work(engine) as uow:
            await uow.users.change(await user_id_of(sitting.client), {"active": False})
        clock.advance(60)
        assert (await get(api, path, token, DIRECTLY)).status_code == 401

    async def test_it_is_found_at_once_when_its_revocation_is_known(
        self,
        api: httpx.AsyncClient,
        sitting: AttemptClient,
        engine: AsyncEngine,
        parts: Components,
        clock: TestClock,
    ) -> None:
        path, token = f"{sitting.made.path}/questions", sitting.attempt["attempt_token"]
        await get(api, path, token, DIRECTLY)
        user_id = await user_id_of(sitting.client)
        async with unit_of_work(engine) as uow:
            await uow.users.change(user_id, {"active": False})
        parts.revocations.end_tokens(user_id, SessionCutoff(clock.now(), None, clock.now()))
        assert (await get(api, path, token, DIRECTLY)).status_code == 401


class TestActiveUsers:
    async def test_a_revocation_during_the_reading_prevents_the_remembering(
        self, candidate: httpx.AsyncClient, parts: Components, clock: TestClock
    ) -> None:
        user_id = await user_id_of(candidate)
        before = parts.revocations.changes
        parts.revocations.end_tokens(user_id, SessionCutoff(clock.now(), "kept", clock.now()))
        parts.active_users.add(user_id, before)
        assert not parts.active_users.include(user_id)
        parts.active_users.add(user_id, parts.revocations.changes)
        assert parts.active_users.include(user_id)
