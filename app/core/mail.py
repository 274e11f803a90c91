"""Mail: by SMTP, or as files in a folder where there is no mail server."""

import asyncio
import os
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from app.core.clock import Clock, SystemClock
from app.core.ids import uuid7


class Mailer(Protocol):
    """Whatever delivers mail. Raises ValueError for an address that is none."""

    async def send(self, to: str, subject: str, text: str, html: str | None = None) -> None: ...


class SmtpMailer:
    """Delivers to the server of an address like `smtp://user:password@host:587?starttls`, or `smtps://…`.

    `?starttls` insists on encryption; without it, it is used where the server offers it.
    """

    def __init__(self, url: str, sender: str, clock: Clock | None = None, timeout: float = 10) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("the SMTP address must look like smtp://host:port or smtps://host:port")
        encrypted = parts.scheme == "smtps"
        insist = "starttls" in parse_qs(parts.query, keep_blank_values=True)
        self._host = parts.hostname
        self._port = parts.port or (465 if encrypted else 587 if insist else 25)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._use_tls = encrypted
        self._start_tls = False if encrypted else True if insist else None
        self._timeout = timeout
        self._sender = sender
        self._clock = clock or SystemClock()

    async def send(self, to: str, subject: str, text: str, html: str | None = None) -> None:
        """Hand the mail to the server; aiosmtplib.SMTPException or OSError if it does not take it."""
        await aiosmtplib.send(
            compose(self._sender, to, subject, text, html, self._clock),
            sender=parseaddr(self._sender)[1],
            recipients=[to],
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._use_tls,
            start_tls=self._start_tls,
            timeout=self._timeout,
        )


class FolderMailer:
    """Writes each mail as an `.eml` file that its owner alone may read; the names sort by time."""

    def __init__(self, folder: Path, sender: str, clock: Clock | None = None) -> None:
        self._folder = folder
        self._sender = sender
        self._clock = clock or SystemClock()

    async def send(self, to: str, subject: str, text: str, html: str | None = None) -> None:
        """Write the mail; the file appears complete or not at all."""
        message = compose(self._sender, to, subject, text, html, self._clock)
        await asyncio.to_thread(self._write, message.as_bytes())

    def _write(self, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{uuid7(self._clock.now())}.eml"
        unfinished = path.with_suffix(".part")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        unfinished.replace(path)


def compose(sender: str, to: str, subject: str, text: str, html: str | None, clock: Clock) -> EmailMessage:
    """A message to exactly one address. A line break in the subject becomes a space: never a header."""
    name, address = parseaddr(sender)
    origin = Address(name, addr_spec=address)
    message = EmailMessage(policy=SMTP)
    message["From"] = origin
    message["To"] = Address(addr_spec=_one_address(to))
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = make_msgid(domain=origin.domain)
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def _one_address(to: str) -> str:
    if not to.isprintable() or any(sign in to for sign in ' ,;:<>"()[]') or to.count("@") != 1:
        raise ValueError("not one plain e-mail address")
    return to
