"""`GET /analytics/performance`, `GET /users/analytics` and `GET /analytics/subject/{id}` over HTTP."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.analytics import Given, add_chapter, add_test, principal_of_client, sit
from tests.builders.content import add_subject, publish_test
from tests.builders.exams import body_of
from tests.conftest import TestClock

NOTHING = {
    "attempts": 0,
    "answered": None,
    "accuracy": None,
    "score_percent": None,
    "percentile": None,
    "minutes": None,
}
AT = datetime(2026, 6, 10, 6, 30, tzinfo=UTC)
ANSWERS = {0: Given(["a"], 60_000), 1: Given(["c"], 30_000)}


async def test_a_series_and_a_year(
    engine: AsyncEngine, parts: Components, candidate: httpx.AsyncClient
) -> None:
    """One right and one wrong answer of three questions: 4/3 of 6 marks."""
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
        attempt = await sit(uow, parts, await principal_of_client(uow, candidate), made, ANSWERS, AT)
    params = {"from": "2026-06-09", "to": "2026-06-10"}
    figures = {"attempts": 1, "answered": 2, "accuracy": 0.5, "score_percent": 22.22, "minutes": 1.5}
    whole = figures | {"percentile": 100.0}
    assert body_of(await candidate.get("/analytics/performance", params=params)) == {
        "from": "2026-06-09",
        "to": "2026-06-10",
        "bucket": "day",
        "timezone": "Asia/Kolkata",
        "subject_id": None,
        "items": [
            NOTHING | {"from": "2026-06-09", "to": "2026-06-09", "official": NOTHING, "practice": NOTHING},
            whole | {"from": "2026-06-10", "to": "2026-06-10", "official": whole, "practice": NOTHING},
        ],
    }
    year = body_of(await candidate.get("/users/analytics"))
    assert (len(year["days"]), year["timezone"]) == (365, "Asia/Kolkata")
    assert {"date": "2026-06-10", "attempts": 1, "answers": 2, "minutes": 1.5} in year["days"]
    assert year["best"] == [
        {
            "attempt_id": str(attempt.id),
            "test": {"id": str(made.id), "title": year["best"][0]["test"]["title"], "kind": "full"},
            "at": "2026-06-10T06:35:00Z",
            "score": "1.34",
            "max_score": "6.00",
            "score_percent": 22.22,
            "percentile": 100.0,
        }
    ]


async def test_one_subject(engine: AsyncEngine, parts: Components, candidate: httpx.AsyncClient) -> None:
    """The same question wrong in two attempts."""
    async with unit_of_work(engine) as uow:
        subject = await add_subject(uow)
        chapter = await add_chapter(uow, subject, "Rights")
        made = await add_test(uow, subject, [chapter, None])
        user = await principal_of_client(uow, candidate)
        attempts = [
            await sit(uow, parts, user, made, {0: Given(["b"], 60_000)}, AT + number * timedelta(days=1))
            for number in range(2)
        ]
    path = f"/analytics/subject/{subject.id}"
    found = body_of(await candidate.get(path))
    assert body_of(await candidate.get(f"/subjects/{subject.id}/analytics")) == found
    assert found["subject"] == {"id": str(subject.id), "name": {"en": "Polity"}}
    counts = {"seen": 2, "answered": 1, "correct": 0, "incorrect": 1, "partial": 0, "unattempted": 1}
    marks = {"marks_gained": "0.00", "marks_lost": "0.66", "score_percent": -16.67, "minutes": 1.0}
    assert found["official"].items() >= (counts | marks).items()
    assert found["official"]["accuracy"] == {
        "value": 0.0,
        "low": 0.0,
        "high": found["official"]["accuracy"]["high"],
        "n": 1,
        "reason": None,
    }
    first, second = found["chapters"]
    assert (first["chapter"], second["chapter"]) == ({"id": str(chapter.id), "name": {"en": "Rights"}}, None)
    assert (first["verdict"], first["n"]) == ("not_proven", 0)
    assert first["reason"]["en"].startswith("This needs 5 questions of the chapter")
    assert first["reason"]["hi"].startswith("इसके लिए अध्याय के 5")
    assert [point["attempt_id"] for point in found["trend"]["items"]] == [str(each.id) for each in attempts]
    (missed,) = found["missed"]
    assert (missed["question_id"], missed["missed"]) == (str(made.question_ids[0]), 2)
    assert (missed["attempt_id"], missed["test"]["id"]) == (str(attempts[1].id), str(made.id))
    assert (await candidate.get(f"/analytics/subject/{UUID(int=7)}")).status_code == 404


async def test_the_last_thirty_days_are_the_default(candidate: httpx.AsyncClient, clock: TestClock) -> None:
    clock.stop()
    series = body_of(await candidate.get("/analytics/performance"))
    assert len(series["items"]) == 30
    today = (clock.now() + timedelta(hours=5, minutes=30)).date()
    assert series["to"] == series["items"][-1]["to"] == str(today)


async def test_a_series_that_cannot_be(candidate: httpx.AsyncClient) -> None:
    for params, field in [
        ({"from": "2026-06-11", "to": "2026-06-10"}, "from"),
        ({"from": "2020-01-01", "to": "2026-06-10"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"to": "1999-12-31"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"bucket": "hour"}, "bucket"),
        ({"subject_id": "polity"}, "subject_id"),
    ]:
        answer = await candidate.get("/analytics/performance", params=params)
        assert answer.status_code == 422, params
        assert [error["field"] for error in answer.json()["errors"]] == [field], params


PATHS = ["/analytics/performance", "/users/analytics", f"/analytics/subject/{UUID(int=7)}"]


async def test_needs_an_account(api: httpx.AsyncClient) -> None:
    for path in PATHS:
        assert (await api.get(path)).status_code == 401, path
