"""The AsyncAPI document of the sockets. It is generated from the classes that messages are built from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.api.socket_examples import CLIENT_EXAMPLES, EXAMPLES
from app.core.realtime.inbox import CLOSINGS
from app.core.realtime.payloads import HelloData, MessageData, ReconnectData, TimeData
from app.models.message_data import (
    AnnouncementData,
    AttemptChangedData,
    ExtendedData,
    ForceSubmittedData,
    LeaderboardData,
    MonitorData,
    NotificationData,
    PaperClosedData,
    PaperOpenedData,
    PausedData,
    ResultsReleasedData,
    ResumedData,
)
from app.schemas.realtime import Ack, Ping

Json = dict[str, Any]
MessageTypes = Sequence[type[MessageData]]

DESCRIPTION = """
A socket sends data that an app would otherwise poll for. Everything is also available over HTTP, and an app
must work without sockets. Ignore types and fields that you do not know.

**Opening.** `POST /v1/ws/ticket {"path": "/ws/exam/…"}` returns a ticket that opens one socket, once, within
30 seconds, at its path: `wss://…/v1/ws/exam/…?ticket=…`. An app that can set headers may send its access
token as a bearer token instead. Never put an access token into the address. The paths also work without
`/v1`. A browser's Origin must be allowed. A refused socket is opened and closed at once, so wait for `hello`.

**Reconnecting.** Keep the `id` of the last message of any type, and open the next socket with `?since=<id>`.
The missed messages follow `hello`, in order. If `gap` of `hello` is true, read the state over HTTP.

**Actions.** `send` and `receive` are from the server's point of view.
"""
ALWAYS: MessageTypes = (HelloData, TimeData, ReconnectData)
_REFS = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class _Channel:
    """A kind of socket and the messages that it sends besides those of every socket."""

    name: str
    path: str
    title: str
    description: str
    messages: MessageTypes
    parameter: str | None = None


CHANNELS = (
    _Channel(
        "exam",
        "/v1/ws/exam/{exam_id}",
        "An exam",
        "For candidates who are registered for the exam, and for staff.",
        (
            AnnouncementData,
            ExtendedData,
            PausedData,
            ResumedData,
            ForceSubmittedData,
            PaperOpenedData,
            PaperClosedData,
            ResultsReleasedData,
            AttemptChangedData,
            MonitorData,
        ),
        "exam_id",
    ),
    _Channel(
        "test",
        "/v1/ws/test/{test_id}",
        "A test",
        "For candidates who may start the test or have a running attempt at it, and for staff. Not while the"
        " test is hidden from the person.",
        (LeaderboardData,),
        "test_id",
    ),
    _Channel(
        "notifications", "/v1/ws/notifications", "Your notifications", "For everybody.", (NotificationData,)
    ),
)
SENT: MessageTypes = (*ALWAYS, *(each for channel in CHANNELS for each in channel.messages))
RECEIVED: Sequence[type[BaseModel]] = (Ping, Ack)


@cache
def document(api_url: str) -> Json:
    """The document for an API at this address."""
    address = urlsplit(api_url)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "IAS Test Series: sockets", "version": "1", "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {
            "api": {
                "host": address.netloc,
                "protocol": "wss" if address.scheme == "https" else "ws",
                "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY],
            }
        },
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {
            name: operation for channel in CHANNELS for name, operation in _operations(channel).items()
        },
        "components": {
            "messages": {each.type: _sent(each) for each in SENT}
            | {_client_type(each): _received(each) for each in RECEIVED},
            "schemas": _schemas(),
            "securitySchemes": _SECURITY,
        },
        "x-close-codes": [
            {"code": closing.code, "reason": closing.reason, "advice": closing.advice} for closing in CLOSINGS
        ],
    }


_SECURITY: dict[str, Json] = {
    "ticket": {
        "type": "httpApiKey",
        "in": "query",
        "name": "ticket",
        "description": "A ticket of `POST /v1/ws/ticket`, valid once, for 30 seconds, at its path",
    },
    "access_token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The access token, for apps that can set the `Authorization` header",
    },
}
_QUERY: Json = {
    "type": "object",
    "properties": {
        "ticket": {"type": "string", "description": "The ticket that opens this socket"},
        "since": {
            "type": "string",
            "description": "The `id` of the last message that was handled; later ones are sent again",
        },
    },
}


def _channel(channel: _Channel) -> Json:
    names = [each.type for each in (*ALWAYS, *channel.messages)] + [_client_type(each) for each in RECEIVED]
    shown: Json = {
        "address": channel.path,
        "title": channel.title,
        "description": channel.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "query": _QUERY}},
    }
    if channel.parameter:
        description = f"The id of the {channel.name}, a UUID"
        shown["parameters"] = {channel.parameter: {"description": description}}
    return shown


def _operations(channel: _Channel) -> Json:
    return {
        f"send_to_{channel.name}": _operation(
            channel, "send", [each.type for each in (*ALWAYS, *channel.messages)], "What the server sends"
        ),
        f"receive_from_{channel.name}": _operation(
            channel, "receive", [_client_type(each) for each in RECEIVED], "What a client may send"
        ),
    }


def _operation(channel: _Channel, action: str, names: Sequence[str], summary: str) -> Json:
    ref = f"#/channels/{channel.name}"
    return {
        "action": action,
        "channel": {"$ref": ref},
        "summary": summary,
        "messages": [{"$ref": f"{ref}/messages/{name}"} for name in names],
    }


def _sent(data: type[MessageData]) -> Json:
    """A message of the server, in its envelope."""
    properties: Json = {
        "id": {
            "type": "string",
            "description": "The message's id, for `since`. Compare ids for equality only",
        },
        "type": {"type": "string", "const": data.type, "description": "The message's type"},
        "at": {"type": "string", "format": "date-time", "description": "When the message was written"},
        "data": {"$ref": _REFS.format(model=data.__name__)},
    }
    example = {
        "id": "1795623503799-0",
        "type": data.type,
        "at": "2026-06-07T04:00:00Z",
        "data": EXAMPLES[data.type].document(),
    }
    payload = {"type": "object", "required": list(properties), "properties": properties}
    return _message(data.type, data, payload, example)


def _received(message: type[BaseModel]) -> Json:
    """A message of a client."""
    name = _client_type(message)
    return _message(name, message, {"$ref": _REFS.format(model=message.__name__)}, CLIENT_EXAMPLES[name])


def _message(name: str, described: type[BaseModel], payload: Json, example: Json) -> Json:
    return {
        "name": name,
        "title": name,
        "summary": " ".join((described.__doc__ or "").split()),
        "payload": payload,
        "examples": [{"name": name, "payload": example}],
    }


def _client_type(message: type[BaseModel]) -> str:
    return message.__name__.lower()


def _schemas() -> Json:
    _, generated = models_json_schema(
        [(each, "serialization") for each in (*SENT, *RECEIVED)], ref_template=_REFS
    )
    schemas: Json = generated["$defs"]
    return schemas
