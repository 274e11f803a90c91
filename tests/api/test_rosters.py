"""Rosters over HTTP: new candidates are invited once, known ones are updated, and others are left alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from openpyxl import load_workbook
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.supabase_auth import SupabaseAuth
from app.models import Invitation
from app.services import rosters
from app.services.components import Components
from app.services.enrolments import MAX_BATCHES
from app.services.rosters import RosterOptions, import_roster
from app.services.unit_of_work import reading, unit_of_work
from app.services.users import operator
from tests.builders.content import publish_test
from tests.builders.exams import Json, body_of, hold_exam
from tests.builders.people import PASSWORD, People, new_email, user_id_of
from tests.conftest import TestClock
from tests.mails import mailed_token

NEW_PASSWORD = "another-password"


def roster(*rows: Sequence[str], header: str = "email,name,batch") -> bytes:
    return "\n".join([header, *(",".join(row) for row in rows), ""]).encode()


async def bring(admin: httpx.AsyncClient, file: bytes, **options: Any) -> Json:
    return body_of(await admin.post("/users/import", files={"file": file}, data=options))


async def invitations(engine: AsyncEngine, email: str) -> list[Invitation]:
    async with reading(engine) as reads:
        members = await reads.rosters.members([email], [])
        wanted = select(Invitation).where(Invitation.user_id.in_([each.user.id for each in members]))
        return list((await reads.session.scalars(wanted)).all())


class TestNewCandidates:
    async def test_they_set_a_password_by_the_mail_and_are_enrolled(
        self,
        admin: httpx.AsyncClient,
        api: httpx.AsyncClient,
        engine: AsyncEngine,
        parts: Components,
        mail_folder: Path,
    ) -> None:
        email = new_email()
        file = roster((email, "Asha Rao", "2027-A"))
        assert (await bring(admin, file))["created"] == 1
        [listed] = body_of(await admin.get("/users", params={"query": email[:20]}))["items"]
        assert (listed["name"], listed["enrolment"]["enrolled"]) == ("Asha Rao", True)
        assert listed["enrolment"]["batches"] == ["2027-A"]
        await rosters.send_due_invitations(parts)
        token = await mailed_token(mail_folder, email)
        reset = await api.post("/auth/reset-password", json={"token": token, "password": NEW_PASSWORD})
        assert reset.status_code == 204
        login = await api.post("/auth/login", json={"email": email, "password": NEW_PASSWORD})
        assert login.json()["user"]["id"] == listed["id"]

    async def test_a_second_import_changes_nothing_and_sends_nothing(
        self, admin: httpx.AsyncClient, engine: AsyncEngine, parts: Components
    ) -> None:
        email = new_email()
        file = roster((email, "Asha Rao", "2027-A"))
        await bring(admin, file)
        await rosters.send_due_invitations(parts)
        [sent] = await invitations(engine, email)
        assert sent.sent_at is not None
        again = await bring(admin, file)
        assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 1)
        await rosters.send_due_invitations(parts)
        assert [each.sent_at for each in await invitations(engine, email)] == [sent.sent_at]

    async def test_two_imports_at_once_make_one_account(self, engine: AsyncEngine, parts: Components) -> None:
        emails = [new_email() for _ in range(3)]
        file = roster(*((email, "Asha Rao", "2027-A") for email in emails))
        both = await asyncio.gather(
            *(import_roster(parts, operator(), file, RosterOptions()) for _ in range(2))
        )
        assert sorted((report.created, report.unchanged) for report in both) == [(0, 3), (3, 0)]
        for email in emails:
            assert len(await invitations(engine, email)) == 1

    async def test_an_import_that_stopped_half_way_goes_on(
        self, admin: httpx.AsyncClient, engine: AsyncEngine, parts: Components
    ) -> None:
        email = new_email()
        left = await parts.auth.admin_create(email, name="Asha", is_invited=True)
        assert (await bring(admin, roster((email, "Asha Rao", ""))))["created"] == 1
        [invitation] = await invitations(engine, email)
        assert invitation.user_id == left.id

    async def test_who_has_registered_and_never_come_is_not_invited(
        self, admin: httpx.AsyncClient, api: httpx.AsyncClient, engine: AsyncEngine, parts: Components
    ) -> None:
        email = new_email()
        await parts.auth.sign_up(email, PASSWORD, "Asha")
        assert (await bring(admin, roster((email, "Asha Rao", ""))))["created"] == 1
        assert await invitations(engine, email) == []
        assert (await api.post("/auth/login", json={"email": email, "password": PASSWORD})).status_code == 200

    async def test_a_dry_run_makes_no_account(self, admin: httpx.AsyncClient, parts: Components) -> None:
        email = new_email()
        assert (await bring(admin, roster((email, "Asha", "")), dry_run="true"))["created"] == 1
        assert await parts.auth.admin_find(email) is None

    async def test_the_auth_server_is_away(
        self, admin: httpx.AsyncClient, parts: Components, engine: AsyncEngine
    ) -> None:
        email = new_email()
        await bring(admin, roster((email, "Asha", "")))
        async with httpx.AsyncClient() as http:
            away = replace(parts, auth=SupabaseAuth("http://127.0.0.1:9", "anon", "service", http))
            await rosters.send_due_invitations(away)
        [waiting] = await invitations(engine, email)
        assert (waiting.tries, waiting.sent_at, waiting.error) == (1, None, None)
        assert waiting.due_at > parts.clock.now()


class TestKnownCandidates:
    async def test_filled_cells_replace_and_each_is_named(
        self, admin: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        email = body_of(await candidate.get("/auth/me"))["email"]
        header = "email,name,category,pwbd"
        report = await bring(admin, roster((email, "", "obc", "2"), header=header))
        assert report["updated"] == 1
        assert [each["field"] for each in report["warnings"]] == ["category", "pwbd"]
        profile = body_of(await candidate.get("/users/profile"))
        assert (profile["name"], profile["category"], profile["pwbd"]) == ("Asha Rao", "obc", 2)
        again = await bring(admin, roster((email, "", "obc", "2"), header=header))
        assert (again["unchanged"], again["warnings"]) == (1, [])

    async def test_batches_are_added_and_an_end_stays(
        self, admin: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        user = await user_id_of(candidate)
        email = body_of(await candidate.get("/auth/me"))["email"]
        body = {"enrolled": True, "valid_until": "2099-01-01T00:00:00Z", "batches": ["2027-A"]}
        body_of(await admin.put(f"/users/{user}/enrolment", json=body))
        await bring(admin, roster((email, "", "2027-B")))
        [listed] = body_of(await admin.get("/users", params={"query": email}))["items"]
        assert listed["enrolment"]["batches"] == ["2027-A", "2027-B"]
        assert listed["enrolment"]["valid_until"] == "2099-01-01T00:00:00Z"

    async def test_batches_are_limited(self, admin: httpx.AsyncClient, candidate: httpx.AsyncClient) -> None:
        email = body_of(await candidate.get("/auth/me"))["email"]
        body = {"enrolled": True, "batches": [str(number) for number in range(MAX_BATCHES)]}
        body_of(await admin.put(f"/users/{await user_id_of(candidate)}/enrolment", json=body))
        report = await bring(admin, roster((email, "", "another")))
        assert [(each["row"], each["field"]) for each in report["errors"]] == [(2, "batch")]
        assert (await bring(admin, roster((email, "", "0"))))["unchanged"] == 1

    async def test_without_enrolment(self, admin: httpx.AsyncClient, candidate: httpx.AsyncClient) -> None:
        email = body_of(await candidate.get("/auth/me"))["email"]
        report = await bring(admin, roster((email, "", "")), enrol="false")
        assert report["unchanged"] == 1

    async def test_passwords_and_sessions_stay(
        self, admin: httpx.AsyncClient, api: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        email = body_of(await candidate.get("/auth/me"))["email"]
        await bring(admin, roster((email, "Another Name", "")))
        assert body_of(await candidate.get("/auth/me"))["name"] == "Another Name"
        assert (await api.post("/auth/login", json={"email": email, "password": PASSWORD})).status_code == 200

    @pytest.mark.parametrize("role", ["author", "admin"])
    async def test_staff_are_an_error_and_nobody_is_imported(
        self, admin: httpx.AsyncClient, people: People, role: str, parts: Components
    ) -> None:
        staff = body_of(await (await people.member(role)).get("/auth/me"))["email"]
        email = new_email()
        report = await bring(admin, roster((email, "Asha", ""), (staff, "Taken Over", "")))
        assert [(each["row"], each["field"]) for each in report["errors"]] == [(3, "email")]
        assert report["created"] == 0
        assert await parts.auth.admin_find(email) is None

    async def test_a_banned_account_is_an_error(
        self, admin: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        email = body_of(await candidate.get("/auth/me"))["email"]
        await admin.put(f"/users/{await user_id_of(candidate)}/status", json={"active": False})
        assert [each["row"] for each in (await bring(admin, roster((email, "", ""))))["errors"]] == [2]


class TestExams:
    HEADER = "email,name,roll_number"

    async def test_roll_numbers_of_the_file_are_the_registrations(
        self,
        admin: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        engine: AsyncEngine,
        clock: TestClock,
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        held = await hold_exam(admin, made, starts_at=clock.now())
        email = body_of(await candidate.get("/auth/me"))["email"]
        number, claimed = uuid4().hex[:10], uuid4().hex[:10]
        async with unit_of_work(engine) as uow:
            await uow.session.execute(
                text(
                    "insert into ias.registrations (id, exam_id, roll_number, name, category)"
                    " values (gen_random_uuid(), :exam, :number, 'Bela', 'general')"
                ),
                {"exam": UUID(held.exam["id"]), "number": claimed},
            )
        bela, chitra = new_email(), new_email()
        file = roster(
            (email, "", number), (bela, "Bela", claimed), (chitra, "Chitra", ""), header=self.HEADER
        )
        report = await bring(admin, file, exam_id=held.exam["id"])
        assert (report["created"], report["updated"], report["errors"]) == (2, 1, [])
        listed = body_of(await admin.get(f"{held.path}/registrations"))["items"]
        assert {number, claimed} < {each["roll_number"] for each in listed}
        assert len(listed) == 3
        assert all(each["user_id"] for each in listed)
        again = await bring(admin, file, exam_id=held.exam["id"])
        assert (again["unchanged"], again["created"], again["updated"]) == (3, 0, 0)
        taken = roster((new_email(), "Dev", number), (email, "", "other"), header=self.HEADER)
        report = await bring(admin, taken, exam_id=held.exam["id"])
        assert [(each["row"], each["field"]) for each in report["errors"]] == [
            (2, "roll_number"),
            (3, "roll_number"),
        ]

    async def test_without_an_exam_they_are_left_out(self, admin: httpx.AsyncClient) -> None:
        report = await bring(admin, roster((new_email(), "Asha", "17"), header=self.HEADER), dry_run="true")
        assert [each["field"] for each in report["warnings"]] == ["roll_number"]

    async def test_a_draft_is_refused(
        self, admin: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        held = await hold_exam(admin, made, starts_at=clock.now(), publish=False)
        answer = await admin.post(
            "/users/import",
            files={"file": roster((new_email(), "Asha", ""))},
            data={"exam_id": held.exam["id"]},
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "not_possible")


class TestRemarks:
    async def test_a_dry_run_answers_with_a_copy(self, admin: httpx.AsyncClient) -> None:
        files = {"file": b"email,name\nnot an address,Asha\n"}
        answer = await admin.post("/users/import", files=files, data={"dry_run": "true", "report": "sheet"})
        assert answer.headers["content-disposition"] == 'attachment; filename="remarks.xlsx"'
        sheet = load_workbook(BytesIO(answer.content)).worksheets[0]
        assert sheet["C2"].value.startswith("A2: ")

    async def test_an_import_has_no_copy(self, admin: httpx.AsyncClient) -> None:
        files = {"file": b"email,name\n"}
        answer = await admin.post("/users/import", files=files, data={"report": "sheet"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "report")
