"""Names and titles, by every way on which one comes in: bodies, access tokens, files, the command line."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.core.errors import Invalid
from app.core.names import MAX_NAME_LENGTH, problem_of
from app.models import Role
from app.services import accounts, exams
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import operator
from tests.builders.answer_sheets import send_sheets, sheet_file
from tests.builders.content import UPSC, PublishedTest, publish_test
from tests.builders.exams import HeldExam, body_of, hold_exam
from tests.builders.people import PASSWORD, new_email
from tests.conftest import ANON_KEY

REVERSED = "\u202eoaR ahsA"
NOT_NAMES = ["Asha\r\nBcc: all@example.org", "\u200b", REVERSED, "Asha\x1b[2J", "Asha\ufffe"]
SHEET = "external_id,subject,question,option_a,option_b,option_c,option_d,key,source,tags\n"


async def with_token_name(
    api: httpx.AsyncClient, auth_url: str, name: Any, email: str | None = None
) -> dict[str, Any]:
    """Who somebody is here who has made an account at the auth server, without our API."""
    body = {"email": email or new_email(), "password": PASSWORD, "data": {"name": name}}
    async with httpx.AsyncClient(base_url=f"{auth_url}/auth/v1", headers={"apikey": ANON_KEY}) as auth:
        session = (await auth.post("/signup", json=body)).json()
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    return body_of(await api.get("/auth/me", headers=headers))


class TestAccessTokens:
    @pytest.mark.parametrize("name", [*NOT_NAMES, "N" * 20_000, "N\r\n" * 5_000, "", 7, {"x": 1}])
    async def test_a_name_is_cleaned_and_nobody_is_kept_out(
        self, api: httpx.AsyncClient, auth_url: str, name: Any
    ) -> None:
        me = await with_token_name(api, auth_url, name)
        assert problem_of(me["name"], MAX_NAME_LENGTH) is None

    async def test_without_a_name_it_is_the_local_part_of_the_address(
        self, api: httpx.AsyncClient, auth_url: str
    ) -> None:
        local = f"{'long.' * 50}{uuid4().hex}"[:230]
        me = await with_token_name(api, auth_url, "\u200b", f"{local}@example.org")
        assert me["name"] == local[:MAX_NAME_LENGTH].rstrip()


class TestFiles:
    async def test_a_sheet_of_questions(self, author: httpx.AsyncClient) -> None:
        for column in ["external_id", "subject", "source", "tags"]:
            cells = {"external_id": uuid4().hex, "subject": "Polity", "source": "", "tags": ""}
            known, subject, source, tags = (cells | {column: REVERSED}).values()
            row = f"{known},{subject},Which?,A,B,C,D,a,{source},{tags}"
            answer = await author.post("/questions/import", files={"file": (SHEET + row).encode()})
            errors = body_of(answer)["errors"]
            assert [(error["row"], error["field"]) for error in errors] == [(2, column)], column

    async def test_answer_sheets(self, held: HeldExam) -> None:
        for column, value in [("name", REVERSED), ("email", "a\u202e@example.org"), ("email", "a@b@c")]:
            file = sheet_file(["A1", value, "a", "b", "c"], header=["roll_number", column, "Q1", "Q2", "Q3"])
            errors = body_of(await send_sheets(held.staff, held, file))["errors"]
            assert {(error["row"], error["field"]) for error in errors} == {(2, column)}, column

    @pytest.fixture
    async def held(self, author: httpx.AsyncClient, made: PublishedTest, clock: Any) -> HeldExam:
        return await hold_exam(author, made, starts_at=clock.now())


class TestOperators:
    @pytest.mark.parametrize(
        ("email", "name", "field"),
        [("nobody", "Asha", "email"), ("a@b\r\n.org", "Asha", "email"), (None, REVERSED, "name")],
    )
    async def test_accounts(
        self, uow: UnitOfWork, parts: Components, email: str | None, name: str, field: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            await accounts.create(uow, parts, email or new_email(), "a good password", name, Role.ADMIN)
        assert [error.field for error in refused.value.errors] == [field]

    async def test_an_account_without_a_name_is_called_by_its_address(
        self, uow: UnitOfWork, parts: Components
    ) -> None:
        email = new_email()
        member = await accounts.create(uow, parts, email.upper(), "a good password", "", Role.AUTHOR)
        assert (member.user.email, member.user.name) == (email, email.partition("@")[0])

    @pytest.mark.parametrize("field", ["title", "subject"])
    async def test_exams_on_paper(self, uow: UnitOfWork, parts: Components, field: str) -> None:
        values: dict[str, Any] = {"title": "Mock 1", "subject": "Polity"} | {field: REVERSED}
        draft = exams.PaperDraft(
            keys={"": b"key\na"},
            sheets=[b"Q1\na"],
            options=exams.FileOptions(),
            marking=UPSC,
            duration_seconds=600,
            **values,
        )
        with pytest.raises(Invalid) as refused:
            await exams.hold_on_paper(uow, operator(), draft, parts.clock.now())
        assert [error.field for error in refused.value.errors] == [field]


@pytest.fixture
async def made(engine: Any) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, (["a"], ["b"], ["c"]))


class TestLines:
    """Texts of several lines: line breaks are theirs, other control characters are not."""

    @pytest.mark.parametrize(
        ("text", "status"), [("One\nTwo\tthree", 201), ("\x1b[2J", 422), (REVERSED, 422)]
    )
    async def test_announcements(
        self, author: httpx.AsyncClient, made: PublishedTest, text: str, status: int
    ) -> None:
        held = await hold_exam(author, made, starts_at=datetime.now(UTC))
        answer = await author.post(f"{held.path}/announcements", json={"text": text})
        assert answer.status_code == status

    @pytest.mark.parametrize(("text", "status"), [("Fire\nin the hall", 200), ("\x1b[2J", 422)])
    async def test_reasons(
        self, author: httpx.AsyncClient, made: PublishedTest, text: str, status: int
    ) -> None:
        held = await hold_exam(author, made, starts_at=datetime.now(UTC))
        answer = await author.post(f"{held.path}/cancel", json={"reason": text})
        assert answer.status_code == status


class TestAddresses:
    async def test_a_display_name_is_no_part_of_an_address(self, api: httpx.AsyncClient) -> None:
        """Pydantic reads the address out of it, so that it would be stored and answered without a word."""
        for path in ["/auth/register", "/auth/forgot-password", "/auth/resend"]:
            body = {"email": f'"Doe, Jane" <{new_email()}>'}
            if path.endswith("register"):
                body |= {"password": PASSWORD, "name": "Jane Doe"}
            problem = body_of(await api.post(path, json=body), 422)
            assert [error["field"] for error in problem["errors"]] == ["email"], path


class TestDevices:
    async def test_a_device_is_cleaned_and_the_start_succeeds(
        self, candidate: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        started = await candidate.post(f"/tests/{made.id}/start", json={"device": f"Pixel\r\n{REVERSED}"})
        assert started.status_code == 201
