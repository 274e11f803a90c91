"""Mail to a real SMTP server and into a folder."""

import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from app.core.channels import DeadTarget, MessageRejected, NotNow, NotSent
from app.core.mail import FolderMailer, Handling, SmtpMailer
from tests.full_disk import small_disk
from tests.servers.mail import Inbox, parsed, serving

pytestmark = pytest.mark.anyio

SENDER = "IAS Test Series <no-reply@ias.example>"
NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)


@dataclass
class Stopped:
    """A clock that stands."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


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
        with pytest.raises(NotNow, match="SMTPAuthenticationError 535"):
            await SmtpMailer(f"smtp://mailer:wrong@{smtp_with_login}", SENDER).send("a@b.org", "S", "text")
        assert inbox.envelopes == []

    async def test_starttls_is_insisted_on(self, smtp: str, inbox: Inbox) -> None:
        with pytest.raises(NotNow):
            await SmtpMailer(f"smtp://{smtp}?starttls", SENDER).send("a@b.org", "S", "text")
        assert inbox.envelopes == []

    async def test_a_connection_serves_several_mails(self, smtp: str, inbox: Inbox) -> None:
        mailer = SmtpMailer(f"smtp://{smtp}", SENDER)
        for number in range(3):
            await mailer.send("asha@example.org", str(number), "text")
        await mailer.close()
        assert [message["Subject"] for message in inbox.to("asha@example.org")] == ["0", "1", "2"]
        assert inbox.connections == 1

    async def test_a_refused_mail_costs_the_next_one_nothing(self, smtp: str, inbox: Inbox) -> None:
        inbox.refusals["gone@example.org"] = "550 5.1.1 No such user"
        mailer = SmtpMailer(f"smtp://{smtp}", SENDER)
        with pytest.raises(DeadTarget):
            await mailer.send("gone@example.org", "S", "text")
        await mailer.send("asha@example.org", "S", "text")
        await mailer.close()
        assert inbox.only()["To"] == "asha@example.org"

    @pytest.mark.parametrize(
        ("refusal", "fate"),
        [
            ("550 5.1.1 No such user here", DeadTarget),
            ("550 5.2.1 Mailbox disabled", DeadTarget),
            ("550 unknown", DeadTarget),
            ("553 5.1.3 Bad address", DeadTarget),
            ("554 5.7.1 Relaying denied", MessageRejected),
            ("550 5.7.26 Unauthenticated mail is not accepted", MessageRejected),
            ("450 4.2.1 Mailbox busy", NotNow),
            ("451 4.7.1 Greylisted, come back later", NotNow),
            ("452 4.2.2 Mailbox full", NotNow),
            ("421 4.3.2 Going down", NotNow),
        ],
    )
    async def test_what_a_refused_recipient_means(
        self, smtp: str, inbox: Inbox, refusal: str, fate: type[NotSent]
    ) -> None:
        inbox.refusals["asha@example.org"] = refusal
        with pytest.raises(NotSent) as raised:
            await SmtpMailer(f"smtp://{smtp}", SENDER).send("asha@example.org", "S", "text")
        assert type(raised.value) is fate
        assert "asha" not in str(raised.value)

    @pytest.mark.parametrize(
        ("answer", "fate"), [("554 5.6.0 Spam", MessageRejected), ("451 4.3.0 Disk full", NotNow)]
    )
    async def test_what_a_refused_message_means(
        self, smtp: str, inbox: Inbox, answer: str, fate: type[NotSent]
    ) -> None:
        inbox.answer = answer
        with pytest.raises(NotSent) as raised:
            await SmtpMailer(f"smtp://{smtp}", SENDER).send("asha@example.org", "S", "text")
        assert type(raised.value) is fate

    async def test_a_server_that_is_not_there_is_asked_again(self) -> None:
        with pytest.raises(NotNow):
            await SmtpMailer("smtp://127.0.0.1:1", SENDER).send("asha@example.org", "S", "text")

    async def test_its_id_and_its_way_out_are_in_the_headers(self, smtp: str, inbox: Inbox) -> None:
        url = "https://api.example.org/v1/notifications/unsubscribe?token=" + "eyJ0eXAi.-_" * 25
        mailer = SmtpMailer(f"smtp://{smtp}", SENDER)
        await mailer.send("asha@example.org", "S", "text", handling=Handling(UUID(int=7), url))
        await mailer.close()
        content = inbox.envelopes[0].content
        assert isinstance(content, bytes)
        # Word for word: mail programs do not decode this header.
        assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in content
        assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in content
        assert inbox.only()["Message-ID"] == f"<{UUID(int=7)}@ias.example>"

    async def test_what_nobody_can_unsubscribe_from_says_nothing_of_it(self, smtp: str, inbox: Inbox) -> None:
        mailer = SmtpMailer(f"smtp://{smtp}", SENDER)
        await mailer.send("asha@example.org", "S", "नमस्ते")
        await mailer.close()
        assert inbox.only()["List-Unsubscribe"] is None
        assert inbox.envelopes[0].content.isascii()  # type: ignore[union-attr]

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

    async def test_a_full_disk_is_an_outage_and_leaves_nothing_behind(self, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk", megabytes=1) as disk:
            if disk is None:
                pytest.skip("This user may not mount a file system.")
            mailer = FolderMailer(disk.folder / "mails", SENDER, Stopped())
            await mailer.send("asha@example.org", "first", "text")
            disk.fill()
            with pytest.raises(NotNow):
                await mailer.send("asha@example.org", "second", "text" * 5000)
            assert [file.suffix for file in (disk.folder / "mails").iterdir()] == [".eml"]

    async def test_the_names_sort_by_time(self, tmp_path: Path) -> None:
        for number in (2, 0, 1):
            clock = Stopped(NOON + timedelta(seconds=number))
            await FolderMailer(tmp_path, SENDER, clock).send("asha@example.org", str(number), "text")
        assert [parsed(content)["Subject"] for content in in_order(tmp_path)] == ["0", "1", "2"]


def in_order(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(folder.glob("*.eml"))]
