"""Objections to the key of a test that is taken at any time: each attempt has a window of its own."""

from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.attempts import take_test
from tests.builders.content import PublishedTest, publish_for
from tests.builders.exams import HOUR, MINUTE, Json, body_of, hold_exam
from tests.builders.people import People
from tests.conftest import TestClock


def objection(made: PublishedTest, number: int = 1, option: str = "d", **changes: Any) -> Json:
    return {
        "question_id": str(made.question_ids[number - 1]),
        "claimed_key": [option],
        "explanation": "The Act says so.",
    } | changes


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_from_the_result_until_the_window_closes(
    author: httpx.AsyncClient, people: People, engine: AsyncEngine, clock: TestClock
) -> None:
    made = await publish_for(engine, author)
    first, second, idle = [await people.candidate() for _ in range(3)]
    path = f"{made.path}/objections"
    await take_test(first, made, {0: ["a"]})
    assert problem(await first.post(path, json=objection(made))) == (409, "objections_closed")
    closes_at = (clock.now() + 20 * MINUTE).isoformat()
    setting = {"days": 3, "closes_at": closes_at, "sources_required": 0}
    draft = body_of(await author.patch(made.path, json={"objections": setting}))
    assert (draft["objections"]["days"], draft["objections"]["limit"]) == (3, None)

    # Who has no attempt, or one in progress, does not object.
    assert problem(await idle.post(path, json=objection(made))) == (403, "forbidden")
    body_of(await idle.post(f"{made.path}/start"))
    assert problem(await idle.post(path, json=objection(made))) == (403, "forbidden")
    assert body_of(await idle.get(path))["items"] == []

    made_first = body_of(await first.post(path, json=objection(made)), 201)
    assert (made_first["status"], made_first["sources"]) == ("open", [])
    # Nobody waits for an end: a decision can come at once, and later objections read it.
    question_id = str(made.question_ids[0])
    verdict = {"question_id": question_id, "claimed_key": ["d"], "accept": False, "reason": "It does not."}
    decided = body_of(await author.post(f"{path}/decide", json=verdict))
    assert (decided["told"], decided["revision"]) == (1, None)
    assert problem(await first.delete(f"{path}/{made_first['id']}")) == (409, "objection_decided")
    await take_test(second, made, {0: ["d"]})
    late = await second.post(path, json=objection(made))
    assert (problem(late), late.json()["reason"]) == ((409, "objection_decided"), "It does not.")
    body_of(await second.post(path, json=objection(made, 2)), 201)
    [cluster] = body_of(await author.get(path, params={"question_id": question_id}))["items"]
    assert (cluster["objections"], cluster["answered_so"], cluster["status"]) == (1, 1, "rejected")

    clock.advance(21 * 60)
    closed = await second.post(path, json=objection(made, 3))
    assert problem(closed) == (409, "objections_closed")
    body_of(await author.patch(made.path, json={"objections": None}))
    assert closed.json()["closes_at"] is not None


async def test_only_where_the_review_shows_the_key(
    author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    made = await publish_for(engine, author)
    changes = {"review": "never", "objections": {"days": 1, "sources_required": 0}}
    body_of(await author.patch(made.path, json=changes))
    await take_test(candidate, made, {0: ["a"]})
    path = f"{made.path}/objections"
    # Else the answer "this is the key already" would tell the key.
    for option in "ad":
        answer = await candidate.post(path, json=objection(made, option=option))
        assert problem(answer) == (409, "key_not_shown")
    copy = body_of(await author.post(f"{made.path}/clone"))
    assert copy["objections"] == {
        "days": 1,
        "sources_required": 0,
        "opens_at": None,
        "closes_at": None,
        "limit": None,
    }


async def test_a_window_has_an_end(author: httpx.AsyncClient, engine: AsyncEngine) -> None:
    made = await publish_for(engine, author)
    for window in ({"sources_required": 1}, {"sources_required": 1, "days": 0}, {"days": 1}):
        answer = await author.patch(made.path, json={"objections": window})
        assert problem(answer) == (422, "invalid")


class TestUnderEmbargo:
    """A decision tells the key, so it waits for the release of an exam with the question."""

    async def objected(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> PublishedTest:
        """A test whose first two questions a candidate has objected to."""
        made = await publish_for(engine, author)
        body_of(await author.patch(made.path, json={"objections": {"days": 3, "sources_required": 0}}))
        await take_test(candidate, made, {0: ["a"]})
        for number in (1, 2):
            body_of(await candidate.post(f"{made.path}/objections", json=objection(made, number)), 201)
        return made

    def verdict(self, made: PublishedTest, number: int = 1, **changes: Any) -> Json:
        question_id = str(made.question_ids[number - 1])
        return {"question_id": question_id, "accept": True, "reason": "The Act says so."} | changes

    async def test_nothing_is_decided_before_the_release(
        self,
        author: httpx.AsyncClient,
        admin: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        people: People,
        engine: AsyncEngine,
        clock: TestClock,
    ) -> None:
        made = await self.objected(author, candidate, engine)
        path = f"{made.path}/objections"
        other = await people.member("author")
        twin = await publish_for(engine, other, made)
        held = await hold_exam(other, twin, starts_at=clock.now() + HOUR, publish=False)
        body_of(await author.post(f"{path}/decide", json=self.verdict(made, 2)))  # A draft is no reason.
        body_of(await other.post(f"{held.path}/publish"))
        for staff in (author, admin):
            for verdict in (self.verdict(made), self.verdict(made, 2, accept=False, replace=True)):
                assert problem(await staff.post(f"{path}/decide", json=verdict)) == (409, "not_possible")
        assert body_of(await author.post(f"{path}/decide", json=self.verdict(made, 2)))["told"] == 0
        own = body_of(await candidate.get(path))["items"]
        assert [each["status"] for each in own] == ["open", "accepted"]
        await held.release()
        assert body_of(await author.post(f"{path}/decide", json=self.verdict(made)))["told"] == 1

    async def test_the_revision_leaves_out_what_is_withheld(
        self,
        author: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        people: People,
        engine: AsyncEngine,
        clock: TestClock,
    ) -> None:
        """Whether it has an accepted claim tells whether the key has it already."""
        made = await self.objected(author, candidate, engine)
        path = f"{made.path}/objections"
        evaluator, other = await people.member("evaluator"), await people.member("author")
        body_of(await author.post(f"{path}/decide", json=self.verdict(made)))
        shared = PublishedTest(made.id, made.question_ids[:1], made.keys[:1])
        await hold_exam(other, await publish_for(engine, other, shared), starts_at=clock.now() + HOUR)
        decided = body_of(await evaluator.post(f"{path}/decide", json=self.verdict(made, 2)))
        changes = decided["revision"]["body"]["changes"]
        assert [each["question_id"] for each in changes] == [str(made.question_ids[1])]
