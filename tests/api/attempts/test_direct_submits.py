"""Submits that are answered directly: as the route answers, or the request is left to it."""

import json
from collections.abc import Sequence

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api.direct_submits import submitted_id
from app.api.json_bodies import read_json
from app.core.errors import Invalid
from app.schemas.attempts import SubmitIn
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, Json, start
from tests.builders.content import PublishedTest, publish_for, publish_test
from tests.builders.exams import hold_exam, register, take_paper
from tests.builders.key_revisions import revise
from tests.builders.people import People
from tests.conftest import TestClock
from tests.generated import examples
from tests.thorough import count

DIRECTLY = {"Content-Type": "application/json"}
BY_THE_ROUTE = {"Content-Type": "application/json; charset=utf-8"}
OF_NOBODY = "0190a5f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b"
OF_ONE_ATTEMPT = ("id", "started_at", "deadline_at", "submitted_at", "request_id")


@pytest.fixture(scope="module")
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


def comparable(answer: httpx.Response) -> tuple[int, Json, Json]:
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in ("x-request-id", "content-length")
    }
    body = {name: value for name, value in answer.json().items() if name not in OF_ONE_ATTEMPT}
    return answer.status_code, headers, {"fields": list(answer.json()), **body}


async def send(api: httpx.AsyncClient, sitting: AttemptClient, content: bytes, way: Json) -> httpx.Response:
    token = sitting.attempt["attempt_token"]
    return await api.post(
        f"{sitting.made.path}/submit",
        content=content,
        headers={"Authorization": f"Bearer {token}", **way},
    )


class TestBothWays:
    @pytest.mark.parametrize("first", [DIRECTLY, BY_THE_ROUTE], ids=["directly first", "by the route first"])
    async def test_they_answer_alike_and_repeatedly(
        self, api: httpx.AsyncClient, people: People, made: PublishedTest, first: Json
    ) -> None:
        answers = []
        for way in (first, DIRECTLY, BY_THE_ROUTE):
            sitting = await start(await people.candidate(), made)
            await sitting.save(sitting.response(0, ["a"]))
            content = json.dumps({"attempt_id": str(sitting.id)}).encode()
            ended = await send(api, sitting, content, way)
            again = [await send(api, sitting, content, each) for each in (DIRECTLY, BY_THE_ROUTE)]
            assert [answer.json() for answer in again] == [ended.json()] * 2
            shown = await sitting.result()
            expected = {name: shown[name] for name in shown if name not in ("attempt", "questions")}
            assert ended.json()["result"] == expected
            assert shown["score"] == "2.00"
            answers.append(comparable(ended))
            changing = ("participants", "percentile", "rank")
            assert all(answers[-1][2]["result"].pop(name) for name in changing)
        assert answers[0] == answers[1] == answers[2]
        assert (answers[0][0], answers[0][2]["status"]) == (200, "graded")

    async def test_wrong_bodies_are_refused_alike(
        self, api: httpx.AsyncClient, candidate: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        sitting = await start(candidate, made)
        for content in (
            b"",
            b"{}",
            b"{",
            b"[]",
            b'{"attempt_id": 5}',
            b'{"attempt_id": null}',
            b'{"attempt_id": "x"}',
            b'{"attempt_id": "0190a5f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b"}',
        ):
            direct, routed = [await send(api, sitting, content, way) for way in (DIRECTLY, BY_THE_ROUTE)]
            assert comparable(direct) == comparable(routed), content
            assert direct.status_code in (404, 422), content

    async def test_papers_of_exams_stay_submitted(
        self,
        api: httpx.AsyncClient,
        author: httpx.AsyncClient,
        people: People,
        engine: AsyncEngine,
        clock: TestClock,
    ) -> None:
        async with unit_of_work(engine) as uow:
            of_exam = await publish_test(uow)
        held = await hold_exam(author, of_exam, starts_at=clock.now())
        answers = []
        for way in (DIRECTLY, BY_THE_ROUTE):
            entrant = await register(await people.candidate(), held)
            attempt = (await entrant.enter()).json()
            headers = {"Authorization": f"Bearer {attempt['attempt_token']}", **way}
            content = json.dumps({"attempt_id": attempt["id"]}).encode()
            answer = await api.post(f"{entrant.path}/submit", content=content, headers=headers)
            answers.append(comparable(answer))
        assert answers[0] == answers[1]
        assert (answers[0][2]["status"], answers[0][2]["result"]) == ("submitted", None)


async def submitted_again(
    api: httpx.AsyncClient, path: str, attempt: Json, ways: Sequence[Json] = (DIRECTLY, BY_THE_ROUTE)
) -> Json:
    """The answer to a submit of an attempt that has ended, which is the same bytes in both ways."""
    content = json.dumps({"attempt_id": attempt["id"]}).encode()
    token = {"Authorization": f"Bearer {attempt['attempt_token']}"}
    answers = [await api.post(f"{path}/submit", content=content, headers={**token, **way}) for way in ways]
    assert [answer.status_code for answer in answers] == [200] * len(ways)
    assert len({answer.content for answer in answers}) == 1
    return dict(answers[0].json())


class TestSubmittedBefore:
    async def test_a_paper_of_an_exam_before_and_after_the_release(
        self,
        api: httpx.AsyncClient,
        author: httpx.AsyncClient,
        people: People,
        engine: AsyncEngine,
        clock: TestClock,
    ) -> None:
        async with unit_of_work(engine) as uow:
            of_exam = await publish_test(uow)
        held = await hold_exam(author, of_exam, starts_at=clock.now())
        entrant = await take_paper(await people.candidate(), held, {0: ["a"]})
        before = await submitted_again(api, entrant.path, entrant.attempt)
        assert (before["status"], before["result"]) == ("submitted", None)
        await held.release()
        after = await submitted_again(api, entrant.path, entrant.attempt)
        assert (after["status"], after["result"]["score"]) == ("graded", "2.00")

    async def test_a_result_that_an_exam_withholds(
        self,
        api: httpx.AsyncClient,
        author: httpx.AsyncClient,
        people: People,
        engine: AsyncEngine,
        clock: TestClock,
    ) -> None:
        practised = await publish_for(engine, author)
        sitting = await start(await people.candidate(), practised)
        await sitting.save(sitting.response(0, ["a"]))
        await sitting.submit()
        shown = await submitted_again(api, practised.path, sitting.attempt)
        assert shown["result"]["score"] == "2.00"
        of_exam = await publish_for(engine, author, same_as=practised)
        held = await hold_exam(author, of_exam, starts_at=clock.now())
        withheld = await submitted_again(api, practised.path, sitting.attempt)
        assert withheld == {**shown, "result": None}
        await held.release()
        assert await submitted_again(api, practised.path, sitting.attempt) == shown

    async def test_a_revised_key(
        self,
        api: httpx.AsyncClient,
        author: httpx.AsyncClient,
        people: People,
        parts: Components,
        engine: AsyncEngine,
    ) -> None:
        revised = await publish_for(engine, author)
        sitting = await start(await people.candidate(), revised)
        await sitting.save(sitting.response(0, ["a"]))
        await sitting.submit()
        await revise(parts, author, revised, (0, ["b"]))
        await revise(parts, author, revised, (0, {"dropped": True, "rule": "full_marks_to_all"}))
        result = (await submitted_again(api, revised.path, sitting.attempt))["result"]
        assert [each["score_after"] for each in result["revisions"]] == ["-0.66", "2.00"]

    async def test_one_that_staff_have_taken(
        self, api: httpx.AsyncClient, people: People, made: PublishedTest
    ) -> None:
        sitting = await start(await people.member("author"), made)
        await sitting.submit()
        again = await submitted_again(api, made.path, sitting.attempt)
        assert (again["status"], again["practice"], again["result"]) == ("graded", True, None)

    @pytest.mark.parametrize("way", [DIRECTLY, BY_THE_ROUTE], ids=["directly", "by the route"])
    async def test_one_that_its_deadline_has_ended_is_graded(
        self, api: httpx.AsyncClient, people: People, made: PublishedTest, engine: AsyncEngine, way: Json
    ) -> None:
        sitting = await start(await people.candidate(), made)
        await sitting.save(sitting.response(0, ["a"]))
        ended = text(
            "update ias.attempts set status = 'submitted', closed_by = 'deadline', submitted_at = deadline_at"
            " where id = :id"
        )
        async with unit_of_work(engine) as uow:
            await uow.session.execute(ended, {"id": sitting.id})
        graded = await submitted_again(api, made.path, sitting.attempt, [way])
        assert (graded["status"], graded["result"]["score"]) == ("graded", "2.00")
        assert graded["submitted_at"] == graded["deadline_at"]
        assert await submitted_again(api, made.path, sitting.attempt) == graded


def bodies_naming(attempt_id: str) -> st.SearchStrategy[bytes]:
    """Bodies that name an attempt in one of the ways of writing an id, or no attempt, or are no bodies."""
    ids = st.sampled_from(
        [
            attempt_id,
            attempt_id.upper(),
            attempt_id.replace("-", ""),
            f"{{{attempt_id}}}",
            f"urn:uuid:{attempt_id}",
            f" {attempt_id}",
            OF_NOBODY,
            "x",
            "",
            5,
            None,
        ]
    )
    named = st.dictionaries(st.sampled_from(["attempt_id", "Attempt_id", "x"]), ids, max_size=2)
    values = st.one_of(
        st.fixed_dictionaries({"attempt_id": ids}), named, st.lists(ids, max_size=1), ids, st.text(max_size=3)
    )
    written = st.builds(json.dumps, values, ensure_ascii=st.booleans(), indent=st.sampled_from([None, 1]))
    whole = written.map(lambda text: text.encode(errors="surrogatepass"))
    return st.builds(lambda content, end: content[: len(content) - end], whole, st.sampled_from([0, 0, 0, 1]))


@settings(max_examples=count(100, 3_000), derandomize=True, database=None, deadline=None)
@given(content=bodies_naming(OF_NOBODY))
def test_a_body_is_read_as_the_route_reads_it(content: bytes) -> None:
    short = submitted_id(content)
    if short is not None:
        assert short == SubmitIn.model_validate(read_json(content)).attempt_id
    elif b"\\" not in content:
        with pytest.raises((ValueError, Invalid)):
            SubmitIn.model_validate(read_json(content))


@pytest.mark.parametrize("is_ended", [False, True], ids=["running", "submitted"])
async def test_generated_requests_are_answered_alike(
    api: httpx.AsyncClient, candidate: httpx.AsyncClient, made: PublishedTest, is_ended: bool
) -> None:
    sitting = await start(candidate, made)
    if is_ended:
        await sitting.submit()
    for content in examples(bodies_naming(str(sitting.id)), count(40, 400)):
        is_submit = submitted_id(content) == sitting.id
        if is_submit and not is_ended:
            continue  # `test_they_answer_alike_and_repeatedly` submits both ways.
        direct, routed = [await send(api, sitting, content, way) for way in (DIRECTLY, BY_THE_ROUTE)]
        assert comparable(direct) == comparable(routed)
        assert direct.is_success == is_submit or b"\\" in content, content


@pytest.mark.parametrize(
    ("content", "is_read"),
    [
        (b'{"attempt_id": "0190a5f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b"}', True),
        (b'{"attempt_id": "0190a5f0\\u002d1c2d-7e3f-8a4b-5c6d7e8f9a0b"}', False),
        (b'{"attempt_id": "0190a5f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b", "x": 1}', False),
        (b"\xff", False),
    ],
)
def test_only_what_the_model_accepts_is_read(content: bytes, is_read: bool) -> None:
    assert (submitted_id(content) is not None) == is_read
