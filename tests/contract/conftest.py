"""An auth server to hold to the contract: ours, as a process of its own, or a real Supabase project.

To run the suite against a project set SUPABASE_CONTRACT_URL, SUPABASE_CONTRACT_ANON_KEY and
SUPABASE_CONTRACT_SERVICE_KEY; with symmetric keys SUPABASE_CONTRACT_JWT_SECRET, too. It removes its accounts.
"""

import os
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from app.core.clock import SystemClock
from app.core.supabase_auth import AuthUser, SupabaseAuth
from app.core.tokens import AccessTokenVerifier
from tests.conftest import ANON_KEY, SERVICE_KEY
from tests.mails import mails_to
from tests.waiting import eventually

PASSWORD = "testpassword"


@dataclass(frozen=True)
class Project:
    """Where the server is, and its keys. A real project has no mail folder to look into."""

    url: str
    anon_key: str
    service_key: str
    jwt_secret: str | None = None
    mail_folder: Path | None = None

    async def answer(self, path: str, email: str, **more: str) -> tuple[int, str]:
        """The status and the body of the project's own answer to a request about this address."""
        async with httpx.AsyncClient(headers={"apikey": self.anon_key}) as http:
            answer = await http.post(f"{self.url}/auth/v1/{path}", json={"email": email, **more})
        return answer.status_code, answer.text

    def mails(self, email: str) -> int:
        """How many mails have arrived at this address. A real project does not show them."""
        if self.mail_folder is None:
            pytest.skip("the mails of this project are not seen")
        return len(mails_to(self.mail_folder, email))

    async def recovery_token(self, email: str) -> str:
        """The token that the newest recovery mail to this address carries."""
        if self.mail_folder is None:
            return await self._generated_token(email)

        async def sent() -> str | None:
            return self._mailed_token(email)

        return await eventually(sent) or ""

    def _mailed_token(self, email: str) -> str | None:
        assert self.mail_folder is not None
        for mail in reversed(mails_to(self.mail_folder, email)):
            found = re.search(r"token_hash=([\w-]+)&type=recovery", mail.as_string())
            if found:
                return found[1]
        return None

    async def _generated_token(self, email: str) -> str:
        headers = {"apikey": self.service_key, "Authorization": f"Bearer {self.service_key}"}
        body = {"type": "recovery", "email": email}
        async with httpx.AsyncClient(headers=headers) as http:
            answer = await http.post(f"{self.url}/auth/v1/admin/generate_link", json=body)
        return str(answer.raise_for_status().json()["hashed_token"])


@pytest.fixture(scope="session")
def project(request: pytest.FixtureRequest, mail_folder: Path) -> Project:
    if url := os.environ.get("SUPABASE_CONTRACT_URL"):
        return Project(
            url.rstrip("/"),
            os.environ["SUPABASE_CONTRACT_ANON_KEY"],
            os.environ["SUPABASE_CONTRACT_SERVICE_KEY"],
            os.environ.get("SUPABASE_CONTRACT_JWT_SECRET"),
        )
    # Asked for here, so that a run against a project starts no server of ours.
    return Project(request.getfixturevalue("auth_url"), ANON_KEY, SERVICE_KEY, mail_folder=mail_folder)


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture(scope="session")
def auth(project: Project, http: httpx.AsyncClient) -> SupabaseAuth:
    return SupabaseAuth(project.url, project.anon_key, project.service_key, http)


@pytest.fixture(scope="session")
def verifier(project: Project, http: httpx.AsyncClient) -> AccessTokenVerifier:
    return AccessTokenVerifier(
        issuer=f"{project.url}/auth/v1",
        jwks_url=f"{project.url}/auth/v1/.well-known/jwks.json",
        hs256_secret=project.jwt_secret,
        http=http,
        clock=SystemClock(),
    )


@pytest.fixture
async def forget(auth: SupabaseAuth) -> AsyncIterator[Callable[[UUID], None]]:
    """Remove an account when the test is over."""
    accounts: list[UUID] = []
    yield accounts.append
    for account in accounts:
        await auth.admin_delete(account)


@pytest.fixture
def email() -> str:
    """An address that nobody else uses."""
    return f"contract-{uuid4().hex}@example.com"


@pytest.fixture
async def account(auth: SupabaseAuth, email: str, forget: Callable[[UUID], None]) -> AuthUser:
    """Somebody who has confirmed their address and whose password is PASSWORD."""
    user = await auth.admin_create(email, password=PASSWORD, name="Asha")
    forget(user.id)
    return user
