"""Registrations over HTTP: withdrawing, searching and correcting."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.models import WithdrawnRegistration
from app.services import notifications
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.answer_sheets import bring_sheets, send_sheets, sheet_file
from tests.builders.content import PublishedTest
from tests.builders.exams import (
    HOUR,
    Entrant,
    HeldExam,
    Json,
    body_of,
    hold_exam,
    moment,
    register,
    take_paper,
)
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock


@pytest.fixture
async def coming(author: httpx.AsyncClient, made: PublishedTest, clock: TestClock) -> HeldExam:
    """An exam that opens in half an hour."""
    clock.stop()
    return await hold_exam(author, made, starts_at=clock.now() + HOUR / 2)


async def place(client: httpx.AsyncClient, held: HeldExam) -> Json:
    return body_of(await client.post(f"{held.path}/register"))


async def withdraw(client: httpx.AsyncClient, held: HeldExam) -> httpx.Response:
    return await client.delete(f"{held.path}/register")


async def registered(held: HeldExam, **params: Any) -> list[str]:
    """The roll numbers that staff find."""
    answer = await held.staff.get(f"{held.path}/registrations", params=params)
    return [row["roll_number"] for row in body_of(answer)["items"]]


async def correct(held: HeldExam, roll_number: str, **body: Any) -> httpx.Response:
    path = f"{held.path}/registrations/{roll_number}"
    return await held.staff.patch(path, json={"reason": "certificate"} | body)


class TestWithdrawing:
    async def test_it_ends_the_registration_and_may_be_repeated(
        self, candidate: httpx.AsyncClient, coming: HeldExam
    ) -> None:
        await place(candidate, coming)
        for _ in range(2):
            assert (await withdraw(candidate, coming)).status_code == 204
        assert body_of(await candidate.get(coming.path))["my_registration"] is None
        assert await registered(coming) == []
        assert (await candidate.get(f"{coming.path}/announcements")).status_code == 404

    async def test_who_registers_again_has_the_same_roll_number_and_extra_time(
        self, candidate: httpx.AsyncClient, coming: HeldExam, clock: TestClock
    ) -> None:
        first = await place(candidate, coming)
        item = {"roll_number": first["roll_number"], "extra_seconds": 300, "reason": "scribe"}
        body_of(await coming.staff.put(f"{coming.path}/accommodations", json={"items": [item]}))
        await withdraw(candidate, coming)
        entrant = Entrant(candidate, coming)
        await place(candidate, coming)
        again = body_of(await candidate.get(coming.path))["my_registration"]
        assert (again["roll_number"], again["id"] == first["id"]) == (first["roll_number"], False)
        clock.advance(1800)
        attempt = body_of(await entrant.enter(), 201)
        length = moment(attempt["deadline_at"]) - moment(attempt["started_at"])
        assert length.total_seconds() == 600 + 300

    async def test_not_once_the_first_paper_has_opened(
        self, candidate: httpx.AsyncClient, coming: HeldExam, clock: TestClock
    ) -> None:
        """That includes attempts of exams with open registration: they begin when a paper is open."""
        await place(candidate, coming)
        clock.advance(1800)
        refused = await withdraw(candidate, coming)
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
        assert "The first paper has opened." in refused.json()["detail"]
        assert len(await registered(coming)) == 1

    async def test_not_from_a_cancelled_exam(self, candidate: httpx.AsyncClient, coming: HeldExam) -> None:
        await place(candidate, coming)
        body_of(await coming.staff.post(f"{coming.path}/cancel", json={"reason": "flood"}))
        refused = await withdraw(candidate, coming)
        assert (refused.status_code, refused.json()["code"]) == (409, "not_available")

    async def test_only_ones_own(
        self, people: People, candidate: httpx.AsyncClient, coming: HeldExam
    ) -> None:
        mine = await place(candidate, coming)
        assert (await withdraw(await people.candidate(), coming)).status_code == 204
        assert await registered(coming) == [mine["roll_number"]]
        strange = await candidate.delete(f"/exams/{uuid7()}/register")
        assert strange.status_code == 404

    async def test_the_roll_number_is_given_to_nobody_else(
        self,
        people: People,
        candidate: httpx.AsyncClient,
        coming: HeldExam,
        clock: TestClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Neither by chance nor by an answer sheet."""
        numbers = iter([20_000_001, 20_000_001, 20_000_002])
        monkeypatch.setattr("secrets.randbelow", lambda _: next(numbers))
        mine = await place(candidate, coming)
        await withdraw(candidate, coming)
        other = await place(await people.candidate(), coming)
        assert (mine["roll_number"], other["roll_number"]) == ("30000001", "30000002")
        clock.advance(1800)
        sheet = sheet_file(["30000001", "a", "b", "c"])
        report = body_of(await send_sheets(coming.staff, coming, sheet), 200)
        assert [(error["row"], error["field"]) for error in report["errors"]] == [(2, "roll_number")]
        assert "has withdrawn" in report["errors"][0]["message"]

    async def test_the_number_stays_when_the_person_is_deleted(
        self, engine: AsyncEngine, people: People, coming: HeldExam
    ) -> None:
        client = await people.candidate()
        mine = await place(client, coming)
        await withdraw(client, coming)
        exam_id = UUID(coming.exam["id"])
        async with unit_of_work(engine) as uow:
            delete = text("delete from ias.users where id = :id")
            await uow.session.execute(delete, {"id": await user_id_of(client)})
        async with unit_of_work(engine) as uow:
            kept = await uow.session.get_one(WithdrawnRegistration, (exam_id, mine["roll_number"]))
            assert kept.user_id is None


class TestSearching:
    async def test_by_roll_number_address_and_name(self, people: People, coming: HeldExam) -> None:
        asha, other = await people.candidate(name="Asha Rao"), await people.candidate(name="राधा 100%")
        first, second = await place(asha, coming), await place(other, coming)
        address = body_of(await asha.get("/auth/me"))["email"]
        numbers = [first["roll_number"], second["roll_number"]]
        for query, found in (
            (first["roll_number"], numbers[:1]),
            (first["roll_number"][:7], [n for n in numbers if n.startswith(first["roll_number"][:7])]),
            (address, numbers[:1]),
            (address.upper()[:12], numbers[:1]),
            ("sha ra", numbers[:1]),
            (" RAO ", numbers[:1]),
            ("राधा", numbers[1:]),
            ("100%", numbers[1:]),
            ("%", numbers[1:]),
            ("_", []),
            ("example.org", []),  # an address is found by its beginning
            ("", numbers),
        ):
            assert await registered(coming, query=query) == found, query

    async def test_page_by_page(self, people: People, coming: HeldExam) -> None:
        for number in range(5):
            await place(await people.candidate(name=f"{'Meera' if number % 2 else 'Asha'} Rao"), coming)
        found, cursor = [], None
        while True:
            params: Json = {"query": "asha", "limit": 1} | ({"cursor": cursor} if cursor else {})
            page = body_of(await coming.staff.get(f"{coming.path}/registrations", params=params))
            found += page["items"]
            if (cursor := page["next_cursor"]) is None:
                break
        assert [row["name"] for row in found] == ["Asha Rao"] * 3
        assert [row["id"] for row in found] == sorted(row["id"] for row in found)

    async def test_in_this_exam_only(
        self, candidate: httpx.AsyncClient, coming: HeldExam, held: HeldExam
    ) -> None:
        mine = await place(candidate, held)
        assert await registered(coming, query=mine["roll_number"]) == []


class TestCorrecting:
    async def test_it_changes_what_is_sent_and_nothing_else(
        self, candidate: httpx.AsyncClient, coming: HeldExam
    ) -> None:
        mine = await place(candidate, coming)
        done = body_of(await correct(coming, mine["roll_number"], name="आशा राव", category="obc"))
        assert done == mine | {"name": "आशा राव", "category": "obc", "attempts": []}
        assert body_of(await candidate.get(coming.path))["my_registration"]["category"] == "obc"
        profile = body_of(await candidate.get("/users/profile"))
        assert (profile["name"], profile["category"]) == ("Asha Rao", "general")

    async def test_what_is_wrong_is_named(self, candidate: httpx.AsyncClient, coming: HeldExam) -> None:
        mine = await place(candidate, coming)
        mistakes: list[tuple[Json, str]] = [
            ({}, "body"),
            ({"name": "  "}, "name"),
            ({"name": "a\u202eb"}, "name"),
            ({"name": None}, "body"),
            ({"category": "brahmin"}, "category"),
            ({"pwbd": 6}, "pwbd"),
            ({"pwbd": 1, "reason": ""}, "reason"),
            ({"user_id": "1"}, "user_id"),
        ]
        for body, field in mistakes:
            refused = await correct(coming, mine["roll_number"], **body)
            assert refused.status_code == 422, body
            assert refused.json()["errors"][0]["field"] in (field, "")

    async def test_an_unknown_roll_number_is_not_found(self, coming: HeldExam) -> None:
        assert (await correct(coming, "1/2", category="obc")).status_code == 404

    async def test_it_is_audited_once_without_names(
        self, candidate: httpx.AsyncClient, coming: HeldExam
    ) -> None:
        mine = await place(candidate, coming)
        for _ in range(2):
            body_of(await correct(coming, mine["roll_number"], name="Asha R. Rao", category="obc", pwbd=2))
        entries = body_of(await coming.staff.get(f"{coming.path}/audit"))["items"]
        [entry] = [entry for entry in entries if entry["action"] == "correct_registration"]
        assert entry["reason"] == "certificate"
        assert entry["details"] == {
            "roll_number": mine["roll_number"],
            "fields": ["name", "category", "pwbd"],
            "category": ["general", "obc"],
            "pwbd": [None, 2],
        }

    async def test_the_candidate_is_told(
        self,
        candidate: httpx.AsyncClient,
        coming: HeldExam,
        engine: AsyncEngine,
        parts: Components,
        clock: TestClock,
    ) -> None:
        mine = await place(candidate, coming)
        item = {"group": "pwbd", "extra_seconds": 200, "reason": "rules"}
        body_of(await coming.staff.put(f"{coming.path}/accommodations", json={"items": [item]}))
        body_of(await correct(coming, mine["roll_number"], pwbd=1))
        for _ in range(2):  # A job may run twice.
            async with unit_of_work(engine) as uow:
                job = text(
                    "select arguments from ias.jobs where task = 'notify_registration_changed'"
                    " and arguments->>'registration_id' = :id"
                )
                [arguments] = await uow.session.scalars(job, {"id": mine["id"]})
                arguments = arguments | {"registration_id": UUID(mine["id"])}
                await notifications.registration_changed(uow, parts, now=clock.now(), **arguments)
        inbox = body_of(await candidate.get("/notifications"))["items"]
        [told] = [each for each in inbox if each["kind"] == "registration_changed"]
        assert told["title"] == {
            "en": "Your registration was corrected",
            "hi": "आपके पंजीकरण में सुधार किया गया है",
        }
        data = told["data"]
        assert (data["roll_number"], data["fields"]) == (mine["roll_number"], ["pwbd"])
        assert (data["previous_extra_seconds"], data["extra_seconds"]) == (0, 200)
        assert data["papers"][0]["extra_seconds"] == 200

    async def test_not_after_the_release(self, candidate: httpx.AsyncClient, held: HeldExam) -> None:
        entrant = await take_paper(candidate, held, {0: ["a"]})
        [number] = await registered(held)
        await held.release()
        refused = await correct(held, number, category="obc")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
        assert (await held.attempt(entrant.attempt))["category"] == "general"

    async def test_of_a_roll_number_without_an_account(self, held: HeldExam, clock: TestClock) -> None:
        clock.advance(60)
        await bring_sheets(held, ["A/1", "a", "b", "c"])
        done = body_of(await correct(held, "A/1", pwbd=3))
        assert (done["pwbd"], done["user_id"]) == (3, None)


class TestExtraTimeOfTheGroup:
    """The disability of a registration decides about the extra time of the group `pwbd`."""

    @pytest.fixture
    async def granted(self, held: HeldExam) -> HeldExam:
        item = {"group": "pwbd", "extra_seconds": 200, "reason": "rules"}
        body_of(await held.staff.put(f"{held.path}/accommodations", json={"items": [item]}))
        return held

    async def seconds_more(self, held: HeldExam, attempt: Json) -> float:
        now = moment((await held.attempt(attempt))["deadline_at"])
        return (now - moment(attempt["deadline_at"])).total_seconds()

    async def test_who_becomes_a_member_has_it_at_once(
        self, candidate: httpx.AsyncClient, granted: HeldExam
    ) -> None:
        entrant = await register(candidate, granted)
        body_of(await entrant.enter())
        [number] = await registered(granted)
        done = body_of(await correct(granted, number, pwbd=1))
        assert [(each["outcome"], each["seconds"]) for each in done["attempts"]] == [("moved", 200)]
        assert await self.seconds_more(granted, entrant.attempt) == 200
        # Another kind of disability is the same group.
        assert body_of(await correct(granted, number, pwbd=2))["attempts"] == []
        done = body_of(await correct(granted, number, pwbd=None))
        assert [(each["outcome"], each["seconds"]) for each in done["attempts"]] == [("moved", -200)]
        assert await self.seconds_more(granted, entrant.attempt) == 0

    async def test_it_applies_to_later_starts(self, candidate: httpx.AsyncClient, granted: HeldExam) -> None:
        entrant = await register(candidate, granted)
        [number] = await registered(granted)
        assert body_of(await correct(granted, number, pwbd=1))["attempts"] == []
        attempt = body_of(await entrant.enter())
        assert (moment(attempt["deadline_at"]) - moment(attempt["started_at"])).total_seconds() == 800

    async def test_a_personal_grant_stays(self, candidate: httpx.AsyncClient, granted: HeldExam) -> None:
        entrant = await register(candidate, granted)
        [number] = await registered(granted)
        item = {"roll_number": number, "extra_seconds": 60, "reason": "scribe"}
        body_of(await granted.staff.put(f"{granted.path}/accommodations", json={"items": [item]}))
        body_of(await entrant.enter())
        assert body_of(await correct(granted, number, pwbd=1))["attempts"] == []
        assert await self.seconds_more(granted, entrant.attempt) == 0

    async def test_an_attempt_that_was_handed_in_keeps_its_time(
        self, candidate: httpx.AsyncClient, granted: HeldExam
    ) -> None:
        await take_paper(candidate, granted, {0: ["a"]})
        [number] = await registered(granted)
        [attempt] = body_of(await correct(granted, number, pwbd=1))["attempts"]
        assert (attempt["outcome"], attempt["seconds"]) == ("kept", 0)


class TestCategory:
    async def test_it_decides_the_cut_off_the_category_rank_and_the_preview(
        self, people: People, admin: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        cutoffs = {"general": "5.00", "obc": "1.00"}
        held = await hold_exam(admin, made, starts_at=clock.now(), cutoffs=cutoffs)
        best, second = await people.candidate(), await people.candidate()
        await take_paper(best, held, {0: ["a"], 1: ["b"], 2: ["c"]})
        await take_paper(second, held, {0: ["a"]})
        number = body_of(await second.get(held.path))["my_registration"]["roll_number"]
        body_of(await correct(held, number, category="obc"))
        dry_run = {"dry_run": True, "early": True, "reason": "a test"}
        seen = body_of(await held.staff.post(f"{held.path}/release-results", json=dry_run))
        assert seen["participants"] == 2
        await held.release()
        result = body_of(await second.get(f"{held.path}/results"))
        assert (result["rank"], result["category_rank"]) == (2, 1)
        assert (result["cutoff"]["category"], result["cutoff"]["cleared"]) == ("obc", True)
