"""Mails that the auth server has written into a folder."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from tests.waiting import eventually


def mails_to(folder: Path, address: str) -> list[EmailMessage]:
    """What was sent to an address, the oldest first. Mails to others are not parsed, which takes long."""
    contents = [file.read_bytes() for file in sorted(folder.glob("*.eml"))]
    mails = [message_from_bytes(each, policy=policy.default) for each in contents if address.encode() in each]
    return [mail for mail in mails if mail["To"] == address]


async def mailed_token(folder: Path, email: str) -> str:
    """The token of the newest mail to an address, which the auth server sends behind its answer."""

    async def arrived() -> str | None:
        return _newest_token(folder, email)

    return await eventually(arrived) or ""


def _newest_token(folder: Path, email: str) -> str | None:
    for mail in reversed(mails_to(folder, email)):
        found = re.search(r"token_hash=([\w-]+)", mail.as_string().replace("=\n", "").replace("=3D", "="))
        if found:
            return found[1]
    return None
