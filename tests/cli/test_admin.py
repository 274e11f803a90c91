"""`ias admin`, as an operator types it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.config import Settings
from tests.builders.people import PASSWORD, new_email
from tests.fork_server import ForkServer, Program
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """Where the test's servers are."""
    return os.environ | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis,
        "SUPABASE_URL": settings.supabase_url,
        "SUPABASE_ANON_KEY": settings.supabase_anon_key.get_secret_value(),
        "SUPABASE_SERVICE_KEY": settings.supabase_service_key.get_secret_value(),
    }


@dataclass(frozen=True)
class Ended:
    """What a command has left."""

    returncode: int
    stdout: str
    stderr: str


Create = Callable[..., Ended]


@pytest.fixture
def admin(environment: dict[str, str], fork_server: ForkServer, tmp_path: Path) -> Callable[..., Ended]:
    """Run a command of `ias admin`."""

    def run(*arguments: str) -> Ended:
        stdout, stderr = tmp_path / "stdout", tmp_path / "stderr"
        command = fork_server.start(Program("app.cli", ["admin", *arguments], environment, stdout, stderr))
        return Ended(command.wait(PATIENCE), stdout.read_text(), stderr.read_text())

    return run


@pytest.fixture
def create(admin: Callable[..., Ended]) -> Create:
    """Run `ias admin create`."""
    return lambda email, *more: admin("create", "--email", email, *more)


async def role(api: httpx.AsyncClient, email: str, password: str) -> str:
    answer = await api.post("/auth/login", json={"email": email, "password": password})
    return str(answer.json()["user"]["role"])


class TestCreate:
    async def test_a_new_account_signs_in_as_admin(self, create: Create, api: httpx.AsyncClient) -> None:
        email = new_email()
        made = create(email, "--password", "chalk and talk", "--name", "Meera")
        assert (made.returncode, made.stdout) == (0, f"{email} is a new account with the role admin.\n")
        assert await role(api, email, "chalk and talk") == "admin"

    async def test_an_account_is_promoted_by_its_own_password(
        self, create: Create, api: httpx.AsyncClient
    ) -> None:
        email = new_email()
        await api.post("/auth/register", json={"email": email, "password": PASSWORD, "name": "Ravi"})
        assert create(email, "--password", PASSWORD, "--role", "author").returncode == 0
        assert await role(api, email, PASSWORD) == "author"

    async def test_another_password_changes_nothing(self, create: Create, api: httpx.AsyncClient) -> None:
        email = new_email()
        await api.post("/auth/register", json={"email": email, "password": PASSWORD, "name": "Ravi"})
        refused = create(email, "--password", "not my password")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == "The account exists with another password. Use that password.\n"
        assert await role(api, email, PASSWORD) == "student"

    async def test_a_weak_password_is_refused_with_a_sentence(self, create: Create) -> None:
        refused = create(new_email(), "--password", "12345678")
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr
        assert refused.stderr.strip()

    async def test_a_program_may_write_the_password(
        self, environment: dict[str, str], fork_server: ForkServer, tmp_path: Path, api: httpx.AsyncClient
    ) -> None:
        email, errors = new_email(), tmp_path / "stderr"
        arguments = ["admin", "create", "--email", email]
        program = Program("app.cli", arguments, environment, tmp_path / "stdout", errors, is_piped=True)
        command = fork_server.start(program)
        assert command.stdin is not None
        assert command.stdout is not None
        with command.stdin as written, command.stdout as printed:
            written.write(b"chalk and talk\n")
            written.close()
            assert printed.read().decode() == f"{email} is a new account with the role admin.\n"
        assert command.wait(PATIENCE) == 0, errors.read_text()
        assert await role(api, email, "chalk and talk") == "admin"

    async def test_a_password_is_needed_where_there_is_no_terminal(self, create: Create) -> None:
        refused = create(new_email())
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "Invalid value for --password: There is no terminal to ask for it." in refused.stderr


class TestOfStaff:
    async def test_the_list_has_staff_alone(
        self, create: Create, admin: Callable[..., Ended], api: httpx.AsyncClient
    ) -> None:
        email, other = new_email(), new_email()
        create(email, "--password", "chalk and talk", "--name", "Meera", "--role", "author")
        await api.post("/auth/register", json={"email": other, "password": PASSWORD, "name": "Ravi"})
        listed = admin("list")
        assert f"author\t{email}\tMeera\n" in listed.stdout
        assert other not in listed.stdout

    async def test_a_reset_prints_a_link_and_ends_sessions(
        self, admin: Callable[..., Ended], api: httpx.AsyncClient
    ) -> None:
        email = new_email()
        body = {"email": email, "password": PASSWORD, "name": "Ravi"}
        made = (await api.post("/auth/register", json=body)).json()
        printed = admin("reset-password", "--email", email)
        assert printed.returncode == 0, printed.stderr
        token = printed.stdout.partition("token_hash=")[2].partition("&")[0]
        refreshed = await api.post("/auth/refresh", json={"refresh_token": made["refresh_token"]})
        assert refreshed.status_code == 401
        reset = await api.post("/auth/reset-password", json={"token": token, "password": "chalk and talk"})
        assert reset.status_code == 204
        assert await role(api, email, "chalk and talk") == "student"

    async def test_a_reset_of_nobody_is_refused(self, admin: Callable[..., Ended]) -> None:
        refused = admin("reset-password", "--email", new_email())
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "Traceback" not in refused.stderr
