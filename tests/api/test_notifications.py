"""The inbox, devices, preferences and unsubscribing over HTTP."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.unsubscribe import UnsubscribeTokens, Unsubscription
from app.models import Device, Kind
from app.services.components import Components
from app.services.notifications.creating import build_notice
from app.services.notifications.kinds import Topic
from app.services.unit_of_work import unit_of_work
from tests.builders.notifications import TITLE
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

pytestmark = pytest.mark.anyio


async def tell(engine: AsyncEngine, parts: Components, user_id: UUID, number: int = 0) -> None:
    """Tell somebody that the results of an exam are out; each number is another one, a minute later."""
    exam_id = str(uuid4())
    data = {"exam_id": exam_id, "exam_title": TITLE, "version": 1, "revised": False}
    at = parts.clock.now() + timedelta(minutes=number)
    async with unit_of_work(engine) as uow:
        await uow.notifications.create(
            [(user_id, build_notice(Kind.RESULTS_RELEASED, exam_id, data))], at, push=True
        )


@pytest.fixture
async def reader(candidate: httpx.AsyncClient, engine: AsyncEngine, parts: Components) -> httpx.AsyncClient:
    """A candidate with three notifications."""
    user_id = await user_id_of(candidate)
    for number in range(3):
        await tell(engine, parts, user_id, number)
    return candidate


async def listed(client: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get("/notifications", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


class TestInbox:
    async def test_the_newest_comes_first_with_all_that_an_app_shows(self, reader: httpx.AsyncClient) -> None:
        items = await listed(reader)
        assert len(items) == 3
        assert [item["id"] for item in items] == sorted((item["id"] for item in items), reverse=True)
        assert items[0]["kind"] == "results_released"
        assert items[0]["title"] == {"en": "The results are out", "hi": "परिणाम जारी हो गए हैं"}
        assert items[0]["body"] == TITLE
        assert items[0]["data"]["revised"] is False
        assert items[0]["read_at"] is None
        assert datetime.fromisoformat(items[0]["created_at"]).tzinfo is not None

    async def test_pages_go_on_where_the_last_one_ended(self, reader: httpx.AsyncClient) -> None:
        first = (await reader.get("/notifications", params={"limit": 2})).json()
        second = (
            await reader.get("/notifications", params={"limit": 2, "cursor": first["next_cursor"]})
        ).json()
        assert [len(page["items"]) for page in (first, second)] == [2, 1]
        assert second["next_cursor"] is None
        assert first["items"] + second["items"] == await listed(reader)

    async def test_reading_one(self, reader: httpx.AsyncClient, clock: TestClock) -> None:
        newest, *others = await listed(reader)
        answer = await reader.post(f"/notifications/{newest['id']}/read")
        assert answer.status_code == 200
        read_at = answer.json()["read_at"]
        assert read_at is not None
        assert [item["id"] for item in await listed(reader, unread=True)] == [item["id"] for item in others]
        assert [item["id"] for item in await listed(reader, unread=False)] == [newest["id"]]
        clock.advance(60)
        again = await reader.post(f"/notifications/{newest['id']}/read", json={})
        assert again.json()["read_at"] == read_at

    async def test_reading_all(self, reader: httpx.AsyncClient) -> None:
        assert (await reader.post("/notifications/read-all")).json() == {"read": 3}
        assert (await reader.post("/notifications/read-all")).json() == {"read": 0}
        assert await listed(reader, unread=True) == []
        assert len(await listed(reader)) == 3

    async def test_another_persons_are_not_there(
        self, reader: httpx.AsyncClient, people: People, api: httpx.AsyncClient
    ) -> None:
        (newest, *_) = await listed(reader)
        other = await people.candidate()
        assert await listed(other) == []
        path = f"/notifications/{newest['id']}/read"
        answers = [await other.post(path), await other.post(f"/notifications/{uuid4()}/read")]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json()["detail"] == answers[1].json()["detail"]
        assert (await other.post("/notifications/read-all")).json() == {"read": 0}
        assert len(await listed(reader, unread=True)) == 3
        assert (await api.get("/notifications")).status_code == 401
        assert (await api.post(path)).status_code == 401

    async def test_staff_has_no_way_into_it_either(
        self, reader: httpx.AsyncClient, admin: httpx.AsyncClient
    ) -> None:
        (newest, *_) = await listed(reader)
        assert (await admin.post(f"/notifications/{newest['id']}/read")).status_code == 404


class TestDevices:
    async def _owner(self, engine: AsyncEngine, token: str) -> Device | None:
        async with unit_of_work(engine) as uow:
            return await uow.session.get(Device, token)

    async def test_registering_again_renews_it(
        self, candidate: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        token = f"c:APA91b-{uuid4()}"
        first = await candidate.put(f"/devices/{token}", json={"platform": "android"})
        assert first.status_code == 200
        assert first.json()["language"] is None
        clock.advance(60)
        second = await candidate.put(f"/devices/{token}", json={"platform": "ios", "language": "hi"})
        assert second.json()["seen_at"] > first.json()["seen_at"]
        device = await self._owner(engine, token)
        assert device is not None
        assert (device.user_id, device.platform, device.language) == (
            await user_id_of(candidate),
            "ios",
            "hi",
        )

    async def test_a_token_moves_to_whoever_signs_in_there(
        self, candidate: httpx.AsyncClient, people: People, engine: AsyncEngine
    ) -> None:
        token = uuid4().hex
        await candidate.put(f"/devices/{token}", json={"platform": "web"})
        other = await people.candidate()
        await other.put(f"/devices/{token}", json={"platform": "web"})
        device = await self._owner(engine, token)
        assert device is not None
        assert device.user_id == await user_id_of(other)
        assert (await candidate.delete(f"/devices/{token}")).status_code == 404
        assert await self._owner(engine, token) is not None

    async def test_one_that_firebase_had_dropped_lives_again(
        self, candidate: httpx.AsyncClient, engine: AsyncEngine, parts: Components
    ) -> None:
        token = uuid4().hex
        await candidate.put(f"/devices/{token}", json={"platform": "web"})
        async with unit_of_work(engine) as uow:
            await uow.devices.drop(token, parts.clock.now())
        await candidate.put(f"/devices/{token}", json={"platform": "web"})
        device = await self._owner(engine, token)
        assert device is not None
        assert device.dropped_at is None

    async def test_removing(self, candidate: httpx.AsyncClient, engine: AsyncEngine) -> None:
        token = uuid4().hex
        await candidate.put(f"/devices/{token}", json={"platform": "web"})
        assert (await candidate.delete(f"/devices/{token}")).status_code == 204
        assert (await candidate.delete(f"/devices/{token}")).status_code == 404
        assert await self._owner(engine, token) is None

    async def test_the_oldest_of_too_many_is_forgotten(
        self, candidate: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        tokens = [uuid4().hex for _ in range(21)]
        for token in tokens:
            clock.advance(1)
            await candidate.put(f"/devices/{token}", json={"platform": "web"})
        known = [await self._owner(engine, token) is not None for token in tokens]
        assert known == [False] + [True] * 20

    async def test_what_is_no_device_is_refused(self, candidate: httpx.AsyncClient) -> None:
        wrong: list[dict[str, str]] = [{}, {"platform": "fax"}, {"platform": "web", "language": "?"}]
        for body in wrong:
            assert (await candidate.put(f"/devices/{uuid4().hex}", json=body)).status_code == 422, body
        assert (await candidate.put(f"/devices/{'x' * 1001}", json={"platform": "web"})).status_code == 422


class TestPreferences:
    async def test_at_first_everything_at_any_time(self, candidate: httpx.AsyncClient) -> None:
        answer = (await candidate.get("/notifications/preferences")).json()
        assert answer == {
            "kinds": {kind: {"email": True, "push": True} for kind in Kind},
            "quiet_hours": None,
        }

    async def test_what_is_left_out_stays(self, candidate: httpx.AsyncClient) -> None:
        url = "/notifications/preferences"
        await candidate.put(url, json={"kinds": {"results_released": {"email": False}}})
        await candidate.put(url, json={"kinds": {"registered": {"push": False}}})
        answer = await candidate.put(url, json={"quiet_hours": {"from": "22:00", "to": "07:30"}})
        assert answer.status_code == 200
        kinds = answer.json()["kinds"]
        assert kinds["results_released"] == {"email": False, "push": True}
        assert kinds["registered"] == {"email": True, "push": False}
        assert answer.json()["quiet_hours"] == {"from": "22:00", "to": "07:30"}
        back = await candidate.put(
            url, json={"kinds": {"results_released": {"email": True}}, "quiet_hours": None}
        )
        assert back.json()["kinds"]["results_released"] == {"email": True, "push": True}
        assert back.json()["quiet_hours"] is None
        assert (await candidate.get(url)).json() == back.json()

    async def test_mails_that_are_no_mere_service_stay_on(self, candidate: httpx.AsyncClient) -> None:
        for kind in ["welcome", "registered", "submitted", "postponed", "cancelled"]:
            url = "/notifications/preferences"
            answer = await candidate.put(url, json={"kinds": {kind: {"push": False, "email": False}}})
            assert answer.status_code == 422, kind
            assert answer.json()["errors"][0]["field"] == f"kinds.{kind}.email", kind
            assert (await candidate.get(url)).json()["kinds"][kind] == {"email": True, "push": True}, kind

    async def test_what_makes_no_sense_is_refused(self, candidate: httpx.AsyncClient) -> None:
        wrong: list[dict[str, Any]] = [
            {"quiet_hours": {"from": "22:00"}},
            {"quiet_hours": {"from": "22:00", "to": "22:00"}},
            {"quiet_hours": {"from": "24:00", "to": "07:00"}},
            {"quiet_hours": {"from": "9:30", "to": "10:00"}},
            {"kinds": {"gossip": {"email": False}}},
            {"kinds": {"results_released": {"sms": False}}},
        ]
        for body in wrong:
            assert (await candidate.put("/notifications/preferences", json=body)).status_code == 422, body


class TestUnsubscribe:
    @pytest.fixture
    async def link(self, candidate: httpx.AsyncClient, parts: Components) -> str:
        wish = Unsubscription(await user_id_of(candidate), Topic.REMINDERS)
        return f"/notifications/unsubscribe?token={parts.unsubscribe_tokens.issue(wish)}"

    @pytest.fixture
    async def stranger(self, people: People) -> httpx.AsyncClient:
        return await people.candidate()

    async def _mailed(self, client: httpx.AsyncClient) -> list[str]:
        kinds = (await client.get("/notifications/preferences")).json()["kinds"]
        return [kind for kind, channels in kinds.items() if channels["email"]]

    async def test_looking_changes_nothing(
        self, api: httpx.AsyncClient, candidate: httpx.AsyncClient, link: str
    ) -> None:
        answer = await api.get(link)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "form-action" not in answer.headers["Content-Security-Policy"]
        assert '<form method="post">' in answer.text
        assert (await api.head(link)).status_code in (200, 405)
        assert await self._mailed(candidate) == list(Kind)

    async def test_one_click_stops_its_kind_of_mails_and_no_others(
        self, api: httpx.AsyncClient, candidate: httpx.AsyncClient, stranger: httpx.AsyncClient, link: str
    ) -> None:
        for _ in range(2):  # as mail programs and nervous fingers do
            answer = await api.post(link, data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200
            assert "no more reminders" in answer.text
        left = set(await self._mailed(candidate))
        assert set(Kind) - left == {Kind.OPENS_IN_24_HOURS, Kind.OPENS_IN_15_MINUTES}
        kinds = (await candidate.get("/notifications/preferences")).json()["kinds"]
        assert kinds["opens_in_15_minutes"]["push"] is True
        assert await self._mailed(stranger) == list(Kind)

    async def test_the_page_speaks_the_readers_language(
        self, api: httpx.AsyncClient, candidate: httpx.AsyncClient, link: str
    ) -> None:
        await candidate.put("/users/profile", json={"language": "hi"})
        assert "ई-मेल बंद करें?" in (await api.get(link)).text
        assert "हो गया" in (await api.post(link)).text

    async def test_other_wishes_are_kept(
        self, api: httpx.AsyncClient, candidate: httpx.AsyncClient, link: str
    ) -> None:
        hours = {"from": "21:00", "to": "06:00"}
        await candidate.put(
            "/notifications/preferences",
            json={"kinds": {"cancelled": {"push": False}}, "quiet_hours": hours},
        )
        await api.post(link)
        answer = (await candidate.get("/notifications/preferences")).json()
        assert answer["quiet_hours"] == hours
        assert answer["kinds"]["cancelled"]["push"] is False

    async def test_a_forged_or_expired_token_changes_nothing(
        self,
        api: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        stranger: httpx.AsyncClient,
        parts: Components,
        link: str,
        clock: TestClock,
    ) -> None:
        path, _, token = link.partition("=")
        head, _, signature = token.split(".")
        theirs = parts.unsubscribe_tokens.issue(Unsubscription(await user_id_of(stranger), Topic.REMINDERS))
        other_key = UnsubscribeTokens("another secret of more than thirty-two characters", parts.clock)
        wish = Unsubscription(await user_id_of(candidate), Topic.REMINDERS)
        forged = [
            f"{head}.{theirs.split('.')[1]}.{signature}",  # another person's name under this signature
            other_key.issue(wish),
            parts.unsubscribe_tokens.issue(Unsubscription(wish.user_id, "everything")),
            "",
            "nonsense",
        ]
        for each in forged:
            answer = await api.post(f"{path}={each}")
            assert answer.status_code == 422, each
            assert (await api.get(f"{path}={each}")).status_code == 422
        clock.advance(timedelta(days=366).total_seconds())
        assert (await api.post(link)).status_code == 422
        clock.reset()
        for client in (candidate, stranger):
            assert await self._mailed(client) == list(Kind)

    async def test_of_somebody_who_is_gone_it_is_done_already(
        self, api: httpx.AsyncClient, parts: Components
    ) -> None:
        token = parts.unsubscribe_tokens.issue(Unsubscription(uuid4(), Topic.RESULTS))
        assert (await api.post(f"/notifications/unsubscribe?token={token}")).status_code == 200
