"""Mail to a real SMTP server and into a folder."""

import asyncio
import email
import email.policy
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from app.core.mail import FolderMailer, SmtpMailer

pytestmark = pytest.mark.anyio

SENDER = "IAS Test Series <no-reply@ias.example>"
NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)


@dataclass
class Stopped:
    """A clock that stands."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


class Inbox:
    """What the server was given."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        self.envelopes.append(envelope)
        return "250 OK"

    def only(self) -> EmailMessage:
        (envelope,) = self.envelopes
        assert isinstance(envelope.content, bytes)
        return parsed(envelope.content)


def parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


def knows_the_password(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"mailer", b"p@ss:word")
    return AuthResult(success=known, handled=False)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def smtp(inbox: Inbox) -> AsyncIterator[str]:
    async with serving(inbox) as address:
        yield address


@pytest.fixture
async def smtp_with_login(inbox: Inbox) -> AsyncIterator[str]:
    login = {"authenticator": knows_the_password, "auth_required": True, "auth_require_tls": False}
    async with serving(inbox, **login) as address:
        yield address


@asynccontextmanager
async def serving(inbox: Inbox, **options: Any) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    connections: list[SMTP] = []

    def connection() -> SMTP:
        connections.append(SMTP(inbox, loop=loop, **options))
        return connections[-1]

    server = await loop.create_server(connection, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for opened in connections:
        if opened.transport:
            opened.transport.close()
    await asyncio.sleep(0)  # The sockets are closed by the loop.


class TestSmtpMailer:
    async def test_delivers_text_and_html(self, smtp: str, inbox: Inbox) -> None:
        mailer = SmtpMailer(f"smtp://{smtp}", SENDER, Stopped())
        await mailer.send("asha@example.org", "Your result · परिणाम", "Rank 7", "<b>Rank 7</b>")
        message = inbox.only()
        assert message["To"] == "asha@example.org"
        assert message["From"] == SENDER
        assert message["Subject"] == "Your result · परिणाम"
        assert message["Date"].datetime == NOON
        assert message["Message-ID"].endswith("@ias.example>")
        assert [part.get_content().strip() for part in message.iter_parts()] == ["Rank 7", "<b>Rank 7</b>"]
        assert inbox.envelopes[0].mail_from == "no-reply@ias.example"
        assert inbox.envelopes[0].rcpt_tos == ["asha@example.org"]

    async def test_a_line_break_in_the_subject_makes_no_header(self, smtp: str, inbox: Inbox) -> None:
        mailer = SmtpMailer(f"smtp://{smtp}", SENDER)
        await mailer.send("asha@example.org", "Hello\r\nBcc: eve@example.org\r\n\r\nEvil", "text")
        assert inbox.only()["Bcc"] is None
        assert inbox.only()["Subject"] == "Hello Bcc: eve@example.org Evil"
        assert inbox.envelopes[0].rcpt_tos == ["asha@example.org"]

    @pytest.mark.parametrize(
        "to",
        [
            "asha@example.org, eve@example.org",
            "asha@example.org\r\nBcc: eve@example.org",
            "Asha <asha@example.org>",
            "asha",
            "",
            "asha@example.org\0",
        ],
    )
    async def test_takes_one_plain_address(self, smtp: str, inbox: Inbox, to: str) -> None:
        with pytest.raises(ValueError, match="address"):
            await SmtpMailer(f"smtp://{smtp}", SENDER).send(to, "Subject", "text")
        assert inbox.envelopes == []

    @pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
    async def test_logs_in_with_an_escaped_password(self, smtp_with_login: str, inbox: Inbox) -> None:
        await SmtpMailer(f"smtp://mailer:p%40ss%3Aword@{smtp_with_login}", SENDER).send(
            "a@b.org", "S", "text"
        )
        assert inbox.only()["Subject"] == "S"

    @pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
    async def test_a_wrong_password_is_an_error(self, smtp_with_login: str, inbox: Inbox) -> None:
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await SmtpMailer(f"smtp://mailer:wrong@{smtp_with_login}", SENDER).send("a@b.org", "S", "text")
        assert inbox.envelopes == []

    async def test_starttls_is_insisted_on(self, smtp: str, inbox: Inbox) -> None:
        with pytest.raises(aiosmtplib.SMTPException):
            await SmtpMailer(f"smtp://{smtp}?starttls", SENDER).send("a@b.org", "S", "text")
        assert inbox.envelopes == []

    @pytest.mark.parametrize("url", ["http://mail", "smtp://", "mail.example.org:25"])
    def test_an_address_that_is_none_is_refused_at_start(self, url: str) -> None:
        with pytest.raises(ValueError, match="SMTP address"):
            SmtpMailer(url, SENDER)


class TestFolderMailer:
    async def test_writes_a_file_for_its_owner_alone(self, tmp_path: Path) -> None:
        folder = tmp_path / "mails"
        await FolderMailer(folder, SENDER, Stopped()).send("asha@example.org", "नमस्ते", "Text with ü")
        (file,) = folder.iterdir()
        assert file.suffix == ".eml"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        message = parsed(file.read_bytes())
        assert message["Subject"] == "नमस्ते"
        assert message.get_content().strip() == "Text with ü"

    async def test_the_names_sort_by_time(self, tmp_path: Path) -> None:
        for number in (2, 0, 1):
            clock = Stopped(NOON + timedelta(seconds=number))
            await FolderMailer(tmp_path, SENDER, clock).send("asha@example.org", str(number), "text")
        assert [parsed(content)["Subject"] for content in in_order(tmp_path)] == ["0", "1", "2"]


def in_order(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(folder.glob("*.eml"))]
