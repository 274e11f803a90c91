"""A real SMTP server that keeps what it is given, and refuses whom it is told to refuse."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope


class Inbox:
    """What the server was given; `refusals` are its answers to recipients, `answer` that to a message.

    While `go_on` is cleared it takes its time.
    """

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.refusals: dict[str, str] = {}
        self.answer = "250 OK"
        self.connections = 0
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if (refusal := self.refusals.get(address)) is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        self.begun.set()
        await self.go_on.wait()
        if self.answer.startswith("250"):
            self.envelopes.append(envelope)
        return self.answer

    def only(self) -> EmailMessage:
        """The one message that has come."""
        (envelope,) = self.envelopes
        assert isinstance(envelope.content, bytes)
        return parsed(envelope.content)

    def to(self, *addresses: str) -> list[EmailMessage]:
        """What has come for these."""
        return [
            parsed(envelope.content)
            for envelope in self.envelopes
            if isinstance(envelope.content, bytes) and set(envelope.rcpt_tos) & set(addresses)
        ]


def parsed(content: bytes) -> EmailMessage:
    """A message as a mail program reads it."""
    return email.message_from_bytes(content, policy=email.policy.default)


@asynccontextmanager
async def serving(inbox: Inbox, **options: Any) -> AsyncIterator[str]:
    """The server's host and port."""
    loop = asyncio.get_running_loop()
    connections: list[SMTP] = []

    def connection() -> SMTP:
        inbox.connections += 1
        connections.append(SMTP(inbox, loop=loop, **options))
        return connections[-1]

    server = await loop.create_server(connection, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for opened in connections:
        if opened.transport:
            opened.transport.close()
    await asyncio.sleep(0)  # The sockets are closed by the loop.
