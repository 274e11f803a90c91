"""Bodies of requests that are answered directly, or left to the documented route."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar

import orjson
from pydantic import BaseModel
from starlette.types import Message, Receive

Body = TypeVar("Body", bound=BaseModel)


def plain_body(model: type[Body], content: bytes) -> Body | None:
    """The body if the documented model accepts it, and no text has an escape.

    Escapes can hide characters that cannot be stored (`api/json_bodies.py`).
    """
    if b"\\" in content:
        return None
    try:
        return model.model_validate(orjson.loads(content))
    except ValueError:
        return None


async def read_body(
    receive: Receive, messages: list[Message], ends_at: float, most_bytes: int
) -> bytes | None:
    """The body, or None if it is large, slow or incomplete. What was read is added to `messages`."""
    content, is_complete = b"", False
    with suppress(TimeoutError):
        async with asyncio.timeout_at(ends_at):
            while not is_complete and len(content) <= most_bytes:
                message = await receive()
                messages.append(message)
                if message["type"] != "http.request":
                    return None
                content += message.get("body", b"")
                is_complete = not message.get("more_body", False)
    return content if is_complete and len(content) <= most_bytes else None


def replaying(messages: Iterable[Message], receive: Receive) -> Receive:
    """A `receive` that first gives the messages which were read already."""
    waiting = list(messages)

    async def receive_again() -> Message:
        return waiting.pop(0) if waiting else await receive()

    return receive_again
