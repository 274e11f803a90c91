"""Mails with one-time tokens, written to a folder or sent by SMTP."""

import asyncio
import logging
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from html import escape
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

import aiosmtplib

from devservers.auth.settings import Settings

log = logging.getLogger(__name__)

_SMTP_TIMEOUT = 20.0
_CLOSE_PATIENCE = 5.0
_MAX_REDIRECT = 500
_URL_CHARACTERS = "%:/?#[]@!$&'()*+,;=~"


@dataclass(frozen=True, slots=True)
class _Template:
    subject: str
    path: str
    reason: str
    action: str


_TEMPLATES = {
    "signup": _Template(
        "Confirm your e-mail address",
        "/confirm",
        "Somebody, hopefully you, registered with this e-mail address.",
        "Confirm your e-mail address",
    ),
    "recovery": _Template(
        "Reset your password",
        "/reset-password",
        "Somebody, hopefully you, asked to reset the password of this account.",
        "Choose a new password",
    ),
}


class Mailer:
    """Sends one-time tokens. Errors do not reach the caller, because they would show which accounts exist."""

    def __init__(self, settings: Settings) -> None:
        self._site_url = settings.site_url
        self._sender = settings.mail_from
        self._folder = settings.mail_folder
        self._smtp_url = settings.smtp_url
        self._sending: set[asyncio.Task[None]] = set()

    async def send(self, kind: str, to: str, token: str, redirect_to: str | None) -> None:
        """Write the mail to the folder, or send it by SMTP in the background, so that its time is hidden."""
        template = _TEMPLATES[kind]
        link = self._link(template, kind, token, redirect_to)
        message = _compose(template, self._sender, to, link, token)
        if self._smtp_url is None:
            await self._write(kind, message)
            return
        task = asyncio.create_task(self._submit(kind, message, self._smtp_url))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        """Wait a few seconds for mails that are being sent."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=_CLOSE_PATIENCE)

    def _link(self, template: _Template, kind: str, token: str, redirect_to: str | None) -> str:
        """A URL on our own site; a redirect to another site would give it the token."""
        base = self._site_url + template.path
        if redirect_to and len(redirect_to) <= _MAX_REDIRECT and _origin(redirect_to) == _origin(base):
            base = quote(redirect_to, safe=_URL_CHARACTERS)
        parts = urlsplit(base)
        query = urlencode({"token_hash": token, "type": kind})
        return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))

    async def _write(self, kind: str, message: EmailMessage) -> None:
        if self._folder is None:
            return
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{kind}-{secrets.token_hex(4)}.eml"
        try:
            await asyncio.to_thread(_write_file, self._folder, name, bytes(message))
        except OSError:
            log.exception("could not write a %s mail", kind)

    async def _submit(self, kind: str, message: EmailMessage, url: str) -> None:
        address = urlsplit(url)
        try:
            await aiosmtplib.send(
                message,
                hostname=address.hostname,
                port=address.port,
                username=unquote(address.username) if address.username else None,
                password=unquote(address.password) if address.password else None,
                use_tls=address.scheme == "smtps",
                timeout=_SMTP_TIMEOUT,
            )
        except (aiosmtplib.SMTPException, OSError):
            log.exception("could not send a %s mail", kind)


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc


def _compose(template: _Template, sender: str, to: str, link: str, token: str) -> EmailMessage:
    message = EmailMessage(policy.SMTP)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = template.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain="localhost")
    hint = "The link works once, for one hour. If it was not you, ignore this mail."
    # ASCII in short lines is sent without encoding, so that the link can be copied from the file.
    message.set_content(
        f"{template.reason}\n\n{template.action}:\n{link}\n\n"
        f"Or give this code to the app:\n{token}\n\n{hint}\n",
        cte="7bit",
    )
    message.add_alternative(
        f"<p>{escape(template.reason)}</p>\n"
        f'<p><a href="{escape(link)}">{escape(template.action)}</a></p>\n'
        f"<p>Or give this code to the app:<br><code>{escape(token)}</code></p>\n"
        f"<p>{escape(hint)}</p>\n",
        subtype="html",
        cte="7bit",
    )
    return message


def _write_file(folder: Path, name: str, content: bytes) -> None:
    """Write the file atomically and readable only by its owner, because it has a token."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    hidden = folder / f".{name}.part"
    try:
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        hidden.rename(folder / name)
    except OSError:
        hidden.unlink(missing_ok=True)  # Unfinished files must not fill a full disk.
        raise
