"""Sends mail by SMTP, or writes it to files in a folder if there is no mail server."""

import asyncio
import os
import time
from dataclasses import dataclass
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import aiosmtplib
from aiosmtplib import SMTP

from app.core.channels import DeadTarget, MessageRejected, NotNow, NotSent
from app.core.clock import Clock, SystemClock
from app.core.ids import uuid7

IDLE_SECONDS = 5.0
"""A connection that was idle for longer is not used again. The server may have closed it, and then it would
be unknown whether the mail was sent."""


@dataclass(frozen=True, slots=True)
class Handling:
    """Headers of a mail for mail servers and mail programs."""

    id: UUID | None = None
    """The Message-ID is built from it, so that a mail that is sent twice can be recognized."""
    unsubscribe_url: str | None = None
    """Mail programs send a POST request to it (one-click unsubscribe, RFC 8058)."""


class Mailer(Protocol):
    """Sends mail. `send` raises ValueError for an invalid address and NotSent if the mail was not sent."""

    async def send(
        self, to: str, subject: str, text: str, html: str | None = None, handling: Handling = Handling()
    ) -> None: ...

    async def close(self) -> None:
        """Close idle connections."""


class SmtpMailer:
    """Sends mail to an SMTP server such as `smtp://user:password@host:587?starttls` or `smtps://host`.

    `?starttls` requires encryption. Without it, the connection is encrypted if the server supports it.
    """

    def __init__(self, url: str, sender: str, clock: Clock | None = None, timeout: float = 10) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("the SMTP address must have the form smtp://host:port or smtps://host:port")
        encrypted = parts.scheme == "smtps"
        starttls_required = "starttls" in parse_qs(parts.query, keep_blank_values=True)
        self._host = parts.hostname
        self._port = parts.port or (465 if encrypted else 587 if starttls_required else 25)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._use_tls = encrypted
        self._start_tls = False if encrypted else True if starttls_required else None
        self._timeout = timeout
        self._sender = sender
        self._clock = clock or SystemClock()
        self._idle: list[tuple[float, SMTP]] = []

    async def send(
        self, to: str, subject: str, text: str, html: str | None = None, handling: Handling = Handling()
    ) -> None:
        """Send the mail. The connection is kept open for a while and used for the next mail."""
        message = compose(self._sender, to, subject, text, html, self._clock, handling)
        client = self._take_idle() or self._new()
        options = [] if to.isascii() else ["SMTPUTF8"]
        try:
            # This timeout is for the whole mail. The one of aiosmtplib is for each command.
            async with asyncio.timeout(2 * self._timeout):
                if not client.is_connected:
                    await client.connect()
                # Sent as bytes, because aiosmtplib would fold the headers of a message by its own policy.
                sender = parseaddr(self._sender)[1]
                await client.sendmail(sender, [to], message.as_bytes(), mail_options=options)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise _not_sent(error) from error
        except BaseException:
            client.close()
            raise
        self._idle.append((time.monotonic(), client))

    async def close(self) -> None:
        """Close idle connections."""
        idle, self._idle = self._idle, []
        for _, client in idle:
            try:
                await client.quit()
            except (aiosmtplib.SMTPException, OSError):
                client.close()

    def _take_idle(self) -> SMTP | None:
        while self._idle:
            since, client = self._idle.pop()
            if client.is_connected and time.monotonic() - since < IDLE_SECONDS:
                return client
            client.close()
        return None

    def _new(self) -> SMTP:
        return SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._use_tls,
            start_tls=self._start_tls,
            timeout=self._timeout,
        )


def _not_sent(error: Exception) -> NotSent:
    """The NotSent error for an error of aiosmtplib.

    An address is treated as dead only if the server rejects the recipient permanently, and not for reasons of
    policy (5.7.x, such as "relaying denied"). Otherwise a mistake in our configuration would mark all
    addresses as dead.
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return NotNow(type(error).__name__)
    reason = f"{type(error).__name__} {error.code}"
    concerns_this_mail = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
    if error.code < 500 or not concerns_this_mail:
        return NotNow(reason)
    if isinstance(error, aiosmtplib.SMTPRecipientRefused) and not error.message.startswith("5.7."):
        return DeadTarget(reason)
    return MessageRejected(reason)


class FolderMailer:
    """Writes each mail to an `.eml` file that only the owner can read. The file names sort by time."""

    def __init__(self, folder: Path, sender: str, clock: Clock | None = None) -> None:
        self._folder = folder
        self._sender = sender
        self._clock = clock or SystemClock()

    async def send(
        self, to: str, subject: str, text: str, html: str | None = None, handling: Handling = Handling()
    ) -> None:
        """Write the mail to a temporary file and rename it, so that no incomplete file is visible."""
        message = compose(self._sender, to, subject, text, html, self._clock, handling)
        try:
            await asyncio.to_thread(self._write, message.as_bytes())
        except OSError as error:
            raise NotNow(f"{type(error).__name__} {error.errno}") from error

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    def _write(self, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{uuid7(self._clock.now())}.eml"
        unfinished = path.with_suffix(".part")
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise


class _Policy(EmailPolicy):
    """Does not fold List-Unsubscribe. Python would write a long URL as encoded words, which breaks it."""

    def fold(self, name: str, value: Any) -> str:
        if name == "List-Unsubscribe":
            return f"{name}: {value}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name == "List-Unsubscribe":
            return self.fold(name, value).encode("ascii")
        return super().fold_binary(name, value)


# Bodies are encoded as ASCII, which all mail servers accept.
_POLICY = _Policy(linesep="\r\n", cte_type="7bit")


def compose(
    sender: str,
    to: str,
    subject: str,
    text: str,
    html: str | None,
    clock: Clock,
    handling: Handling = Handling(),
) -> EmailMessage:
    """Build a message to one address. Line breaks in the subject are replaced to prevent header injection."""
    name, address = parseaddr(sender)
    origin = Address(name, addr_spec=address)
    message = EmailMessage(policy=_POLICY if to.isascii() else _POLICY.clone(utf8=True))
    message["From"] = origin
    message["To"] = Address(addr_spec=_one_address(to))
    _set_subject(message, " ".join(subject.split()))
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = (
        f"<{handling.id}@{origin.domain}>" if handling.id else make_msgid(domain=origin.domain)
    )
    if handling.unsubscribe_url is not None:
        message["List-Unsubscribe"] = f"<{handling.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    # Asks mail servers not to send automatic replies (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def _set_subject(message: EmailMessage, subject: str) -> None:
    """Set the subject as it is. A title such as `=?utf-8?b?…?=` looks like an encoded header.

    Python would decode it, and so would mail programs, which could hide line breaks and reversed text in it.
    """
    if "=?" in subject:
        message.set_raw("Subject", Header(subject, "utf-8", header_name="Subject").encode())
    else:
        message["Subject"] = subject


def _one_address(to: str) -> str:
    if not to.isprintable() or any(sign in to for sign in ' ,;:<>"()[]') or to.count("@") != 1:
        raise ValueError("not a single plain e-mail address")
    return to
