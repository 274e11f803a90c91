"""Mails with names and titles of every kind, sent to a real SMTP server and read as mail programs do."""

from email.message import EmailMessage
from typing import Any

import pytest

from app.core.mail import SmtpMailer
from app.models import Kind
from app.services.components import Components
from app.services.notifications.wording import greeting_name
from tests.servers.mail import Inbox, serving
from tests.services.notifications.composed_mails import DATA, Reader, composed, user

pytestmark = pytest.mark.anyio

SENDER = "IAS Test Series <no-reply@ias.example>"
NAMES = {
    "an address": '"Doe, Jane" <x@y.org>',
    "a formula": '=HYPERLINK("http://evil.example","win")',
    "a header": "Asha\r\nBcc: eve@example.org",
    "a list": "eve@example.org, asha@example.org;",
    "an encoded word": "=?utf-8?b?QmNjOiBldmVAZXhhbXBsZS5vcmc=?=",
    "long": "परीक्षा " * 37,
    "one long word": "न" * 300,
    "right to left": "محمد علی بن سعید",
    "emoji": "👩🏽‍🎓 Asha 🇮🇳",
    "combining marks": "A" + "\u0301" * 150,
    "markup": "<b>Asha</b> & {{ name }} %s",
}


@pytest.mark.parametrize("kind", [Kind.REGISTERED, Kind.RESULTS_RELEASED, Kind.CANCELLED, Kind.WELCOME])
async def test_a_mail_has_one_recipient_and_says_the_title(parts: Components, kind: Kind) -> None:
    inbox = Inbox()
    async with serving(inbox) as address:
        mailer = SmtpMailer(f"smtp://{address}", SENDER)
        for name in NAMES.values():
            inbox.envelopes.clear()
            data: dict[str, Any] = DATA[kind] | ({"exam_title": {"en": name}} if DATA[kind] else {})
            mail = composed(parts, kind, user(name=name), data)
            await mailer.send("asha@example.org", mail.subject, mail.text, mail.html, mail.handling)
            assert inbox.envelopes[0].rcpt_tos == ["asha@example.org"], name
            check(inbox.only(), name, data)
        await mailer.close()


def check(message: EmailMessage, name: str, data: dict[str, Any]) -> None:
    """The message is for one recipient, and says the title as its text."""
    assert (message["To"], message["From"], message["Bcc"], message["Cc"]) == (
        "asha@example.org",
        SENDER,
        None,
        None,
    )
    shown = " ".join(name.split())
    if data:
        assert shown in " ".join(message["Subject"].split())
        plain, html = (part.get_content() for part in message.iter_parts())
        assert shown in " ".join((plain + message["Subject"]).split())
        assert "<b>" not in html
        assert shown in Reader(html).text or shown in message["Subject"]


def test_only_a_plain_name_is_greeted() -> None:
    """Anybody can register an address of somebody else under a name that is a message."""
    greeted = {name for name, written in NAMES.items() if greeting_name(written) == written}
    silent = {name for name, written in NAMES.items() if greeting_name(written) is None}
    assert greeted == {"right to left"}
    assert silent == NAMES.keys() - greeted
