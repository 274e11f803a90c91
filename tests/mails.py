"""Mails that the auth server has written into a folder."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


def mails_to(folder: Path, address: str) -> list[EmailMessage]:
    """What was sent to an address, the oldest first. Mails to others are not parsed, which takes long."""
    contents = [file.read_bytes() for file in sorted(folder.glob("*.eml"))]
    mails = [message_from_bytes(each, policy=policy.default) for each in contents if address.encode() in each]
    return [mail for mail in mails if mail["To"] == address]
