"""`ias demo`: what it refuses, and the content that it loads."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from app.cli import app as ias
from app.cli import demo_content
from app.cli.local.home import Home
from app.config import Settings
from app.core.supabase_errors import EmailExists
from app.repositories import tests as listings
from app.repositories.base import PageRequest
from app.services import auth, tests
from app.services.components import Components
from app.services.unit_of_work import reading
from app.services.users import operator
from app.startup import open_components
from tests.conftest import cloned_database


@pytest.fixture
def empty_database_url(superuser_url: str, template: str) -> Iterator[str]:
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture
async def development(settings: Settings, empty_database_url: str) -> AsyncIterator[Components]:
    """A development machine at its first start. The auth server is the one of all tests."""
    changes = {"environment": "development", "database_url": SecretStr(empty_database_url)}
    async with open_components(settings.model_copy(update=changes), application_name="ias-demo") as parts:
        yield parts


class TestLoad:
    async def test_accounts_sign_in_with_their_roles(self, development: Components) -> None:
        assert await demo_content.load(development)

        for email, (name, role) in demo_content.ACCOUNTS.items():
            signed_in = await auth.login(development, email, "testpassword", None)
            assert (signed_in.member.user.name, signed_in.member.role) == (name, role)

    async def test_tests_are_published_for_everybody(self, development: Components) -> None:
        assert await demo_content.load(development)

        async with reading(development.engine) as reads:
            now = development.clock.now()
            listed = (await tests.page(reads, operator(), now, listings.TestFilter(), PageRequest())).items
        assert {(each.test.status, each.test.access) for each in listed} == {("published", "free")}
        papers = [each.paper for each in listed if each.paper is not None]
        assert [(paper.question_count, paper.max_marks, paper.languages) for paper in papers] == [
            (12, "24", ["en", "hi"]),
            (5, "10", ["en"]),
            (40, "100", ["en", "hi"]),
            (100, "200", ["en", "hi"]),
        ]

    async def test_a_second_load_does_nothing(self, development: Components) -> None:
        assert await demo_content.load(development)
        assert not await demo_content.load(development)

    async def test_it_is_for_development_alone(self, development: Components, settings: Settings) -> None:
        async with open_components(settings, application_name="ias-demo") as not_for_development:
            assert not await demo_content.load(not_for_development)

    async def test_a_killed_load_is_made_good(self, development: Components) -> None:
        """Its accounts are on the auth server; its transaction was never committed."""
        email, (name, role) = next(iter(demo_content.ACCOUNTS.items()))
        with suppress(EmailExists):
            await development.auth.admin_create(email, password=demo_content.PASSWORD, name=name)

        assert await demo_content.load(development)

        signed_in = await auth.login(development, email, demo_content.PASSWORD, None)
        assert signed_in.member.role == role


class TestTest:
    def test_without_an_api_it_says_what_to_do(self, home: Home) -> None:
        result = CliRunner().invoke(ias, ["demo", "test"])

        assert result.exit_code == 2
        assert "Start `ias up` first" in _flat(result.output)

    def test_an_api_elsewhere_needs_its_database(self, home: Home) -> None:
        result = CliRunner().invoke(ias, ["demo", "test", "--api", "http://127.0.0.1:1"])

        assert result.exit_code == 2
        assert "Set DATABASE_URL" in _flat(result.output)

    @pytest.mark.parametrize(
        ("name", "sentence"), [("auth", "There is no auth to kill"), ("api", "that runs here are killed")]
    )
    def test_only_what_may_be_killed_is(self, home: Home, name: str, sentence: str) -> None:
        result = CliRunner().invoke(ias, ["demo", "test", "--api", "http://127.0.0.1:1", "--kill", name])

        assert result.exit_code == 2
        assert sentence in _flat(result.output)


class TestExam:
    def test_without_an_api_it_says_what_to_do(self, home: Home) -> None:
        result = CliRunner().invoke(ias, ["demo", "exam"])

        assert result.exit_code == 2
        assert "Start `ias up` first" in _flat(result.output)

    def test_valkey_may_be_killed_in_an_exam_alone(self, home: Home) -> None:
        of_test = CliRunner().invoke(ias, ["demo", "test", "--kill", "valkey"])
        of_exam = CliRunner().invoke(ias, ["demo", "exam", "--kill", "valkey"])

        assert "There is no valkey to kill" in _flat(of_test.output)
        assert "Start `ias up` first" in _flat(of_exam.output)


def _flat(output: str) -> str:
    return " ".join(output.replace("│", " ").split())
