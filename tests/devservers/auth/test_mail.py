"""How mails leave: files in a folder, or SMTP."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlencode

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.devservers.auth.conftest import MakeServer, Server

pytestmark = pytest.mark.anyio


async def recovery_mail(server: Server, email: str, redirect_to: str | None = None) -> EmailMessage:
    await server.sign_up(email)
    query = f"?{urlencode({'redirect_to': redirect_to})}" if redirect_to else ""
    await server.call("POST", f"/recover{query}", {"email": email})
    (mail,) = server.mails(email)
    return mail


class TestFolder:
    async def test_holds_whole_files_for_their_owner_alone(self, server: Server, email: str) -> None:
        await recovery_mail(server, email)
        files = list(server.mail_folder.iterdir())
        assert {file.suffix for file in files} == {".eml"}
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
        assert server.mail_folder.stat().st_mode & 0o777 == 0o700

    async def test_shows_the_link_in_one_piece(self, server: Server, email: str) -> None:
        """A developer reads the file as it is, and copies the link from it."""
        mail = await recovery_mail(server, email)
        token = server.token_of(mail)
        link = f"https://app.example.org/reset-password?token_hash={token}&type=recovery"
        files = [file.read_text() for file in server.mail_folder.iterdir()]
        assert any(f"\n{link}\n" in file for file in files)

    async def test_has_text_and_html(self, server: Server, email: str) -> None:
        mail = await recovery_mail(server, email)
        html = mail.get_body(("html",))
        assert html is not None
        assert f"token_hash={server.token_of(mail)}&amp;type=recovery" in html.get_content()
        assert (mail["From"], mail["Subject"]) == ("IAS <no-reply@example.org>", "Reset your password")

    async def test_that_cannot_be_written_does_not_tell_who_is_known(
        self, make_server: MakeServer, email: str
    ) -> None:
        server = await make_server(mail_folder=Path("/dev/null/mails"))
        await server.sign_up(email)
        for address in (email, f"un{email}"):
            answer = await server.call("POST", "/recover", {"email": address})
            assert (answer.status_code, answer.json()) == (200, {})


class TestLink:
    @pytest.mark.parametrize(
        ("redirect_to", "start", "end"),
        [
            ("https://app.example.org/new", "https://app.example.org/new?token_hash=", "&type=recovery\n"),
            ("https://app.example.org/?a=%20b", "https://app.example.org/?a=%20b&token_hash=", "=recovery\n"),
            ("https://app.example.org/#top", "https://app.example.org/?token_hash=", "=recovery#top\n"),
            ("https://app.example.org/नया", "https://app.example.org/%E0%A4%A8", "=recovery\n"),
        ],
    )
    async def test_goes_where_our_own_site_asks(
        self, server: Server, email: str, redirect_to: str, start: str, end: str
    ) -> None:
        text = (await recovery_mail(server, email, redirect_to)).as_string()
        assert start in text
        assert end in text

    @pytest.mark.parametrize(
        "redirect_to",
        [
            "https://evil.example.org/",
            "https://app.example.org.evil.org/",
            "https://app.example.org@evil.org/",
            "//evil.org",
            "javascript:alert(1)",
            "https://[",
            "https://app.example.org/" + "x" * 500,
        ],
    )
    async def test_never_goes_to_a_stranger(self, server: Server, email: str, redirect_to: str) -> None:
        mail = await recovery_mail(server, email, redirect_to)
        assert "https://app.example.org/reset-password?token_hash=" in mail.as_string()
        assert "evil" not in mail.as_string()


@dataclass
class Mailbox:
    """What an SMTP server has accepted."""

    arrived: "Queue[EmailMessage]" = field(default_factory=Queue)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self.arrived.put(message_from_bytes(content, policy=policy.default))
        return "250 accepted"


@pytest.fixture
def smtp(unused_port: int) -> Iterator[tuple[Mailbox, str]]:
    mailbox = Mailbox()
    controller: Any = Controller(mailbox, hostname="127.0.0.1", port=unused_port)
    controller.start()
    yield mailbox, f"smtp://127.0.0.1:{unused_port}"
    controller.stop()


class TestSmtp:
    async def test_takes_the_mail(
        self, make_server: MakeServer, smtp: tuple[Mailbox, str], email: str
    ) -> None:
        mailbox, url = smtp
        server = await make_server(smtp_url=url, mail_folder=None)
        await server.sign_up(email)
        await server.call("POST", "/recover", {"email": email})
        mail = await asyncio.to_thread(mailbox.arrived.get, timeout=10)
        assert mail["To"] == email
        body = {"type": "recovery", "token_hash": server.token_of(mail)}
        assert (await server.call("POST", "/verify", body)).status_code == 200

    async def test_that_is_down_does_not_tell_who_is_known(
        self, make_server: MakeServer, unused_port: int, email: str
    ) -> None:
        server = await make_server(smtp_url=f"smtp://127.0.0.1:{unused_port}", mail_folder=None)
        await server.sign_up(email)
        for address in (email, f"un{email}"):
            answer = await server.call("POST", "/recover", {"email": address})
            assert (answer.status_code, answer.json()) == (200, {})

    async def test_that_is_down_does_not_stop_a_registration(
        self, make_server: MakeServer, unused_port: int, email: str
    ) -> None:
        server = await make_server(
            smtp_url=f"smtp://127.0.0.1:{unused_port}", mail_folder=None, confirm_email=True
        )
        assert (await server.sign_up(email))["email"] == email
