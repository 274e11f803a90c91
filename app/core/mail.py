"""Mail: by SMTP, or as files in a folder where there is no mail server."""

import asyncio
import os
import time
from dataclasses import dataclass
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

FRESH_SECONDS = 5.0
"""A connection that has rested longer may have been closed by its server; then a mail is lost in doubt."""


@dataclass(frozen=True, slots=True)
class Handling:
    """What a mail says to the servers and programs that handle it."""

    id: UUID | None = None
    """Its Message-ID is made of this, so that the same mail sent again can be known as the same."""
    unsubscribe_url: str | None = None
    """One click in the mail program is a POST to it (RFC 8058)."""


class Mailer(Protocol):
    """Whatever delivers mail. Raises ValueError for an address that is none, NotSent if it is not out."""

    async def send(
        self, to: str, subject: str, text: str, html: str | None = None, handling: Handling = Handling()
    ) -> None: ...

    async def close(self) -> None:
        """Nothing is to be sent for a while."""


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

        self._resting: list[tuple[float, SMTP]] = []

    async def send(
        self, to: str, subject: str, text: str, html: str | None = None, handling: Handling = Handling()
    ) -> None:
        """Hand the mail to the server. A connection is kept for the next one that comes soon."""
        message = compose(self._sender, to, subject, text, html, self._clock, handling)
        client = self._rested() or self._new()
        options = [] if to.isascii() else ["SMTPUTF8"]
        try:
            async with asyncio.timeout(2 * self._timeout):  # in all; aiosmtplib's own is for each word
                if not client.is_connected:
                    await client.connect()
                # As bytes: what aiosmtplib writes of a message follows its own policy of folding, not ours.
                sender = parseaddr(self._sender)[1]
                await client.sendmail(sender, [to], message.as_bytes(), mail_options=options)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise _fate(error) from error
        except BaseException:
            client.close()
            raise
        self._resting.append((time.monotonic(), client))

    async def close(self) -> None:
        """Part from the server."""
        resting, self._resting = self._resting, []
        for _, client in resting:
            try:
                await client.quit()
            except (aiosmtplib.SMTPException, OSError):
                client.close()

    def _rested(self) -> SMTP | None:
        while self._resting:
            since, client = self._resting.pop()
            if client.is_connected and time.monotonic() - since < FRESH_SECONDS:
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


def _fate(error: Exception) -> NotSent:
    """What an error of SMTP means to the mail and to its address.

    Only what the server says of the recipient condemns an address, and not if it is a matter of policy
    (5.7.x, as in "relaying denied"): a mistake in our own set-up would else condemn everybody's.
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return NotNow(type(error).__name__)
    why = f"{type(error).__name__} {error.code}"
    about_this_mail = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
    if error.code < 500 or not about_this_mail:
        return NotNow(why)
    if isinstance(error, aiosmtplib.SMTPRecipientRefused) and not error.message.startswith("5.7."):
        return DeadTarget(why)
    return MessageRejected(why)


class FolderMailer:
    """Writes each mail as an `.eml` file that its owner alone may read; the names sort by time."""

    def __init__(self, folder: Path, sender: str, clock: Clock | None = None) -> None:
        self._folder = folder
        self._sender = sender
        self._clock = clock or SystemClock()

    async def send(
        self, to: str, subject: str, text: str, html: str | None = None, handling: Handling = Handling()
    ) -> None:
        """Write the mail; the file appears complete or not at all."""
        message = compose(self._sender, to, subject, text, html, self._clock, handling)
        try:
            await asyncio.to_thread(self._write, message.as_bytes())
        except OSError as error:
            raise NotNow(f"{type(error).__name__} {error.errno}") from error

    async def close(self) -> None:
        """A folder needs no parting."""

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
            unfinished.unlink(missing_ok=True)  # A full disk must not be filled with unfinished files.
            raise


class _Policy(EmailPolicy):
    """Python would write a long address in List-Unsubscribe as encoded words, which no mail program reads."""

    def fold(self, name: str, value: Any) -> str:
        if name == "List-Unsubscribe":
            return f"{name}: {value}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name == "List-Unsubscribe":
            return self.fold(name, value).encode("ascii")
        return super().fold_binary(name, value)


# Bodies as ASCII: they pass servers of any age, and need no promise of the next one.
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
    """A message to exactly one address. A line break in the subject becomes a space: never a header."""
    name, address = parseaddr(sender)
    origin = Address(name, addr_spec=address)
    message = EmailMessage(policy=_POLICY if to.isascii() else _POLICY.clone(utf8=True))
    message["From"] = origin
    message["To"] = Address(addr_spec=_one_address(to))
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = (
        f"<{handling.id}@{origin.domain}>" if handling.id else make_msgid(domain=origin.domain)
    )
    if handling.unsubscribe_url is not None:
        message["List-Unsubscribe"] = f"<{handling.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    # Nobody answers a machine with "I am on vacation".
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def _one_address(to: str) -> str:
    if not to.isprintable() or any(sign in to for sign in ' ,;:<>"()[]') or to.count("@") != 1:
        raise ValueError("not one plain e-mail address")
    return to
