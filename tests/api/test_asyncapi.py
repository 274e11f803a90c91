"""The AsyncAPI document is valid and complete, and its examples match it.

`tests/sockets.py` compares the messages that are sent with it.

`asyncapi-3.0.0.schema.json` is the schema of the package @asyncapi/specs 6.11.1 (Apache-2.0), without
descriptions and without the bindings of protocols other than WebSocket.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, ValidationError

from app.api.asyncapi import SENT, document
from app.api.socket_examples import CLIENT_EXAMPLES, EXAMPLES
from app.core.realtime import inbox
from app.core.realtime.inbox import CLOSINGS, Closing
from app.schemas.realtime import CLIENT_MESSAGE
from tests.socket_schemas import check_message, object_schemas

DOCUMENT = document("https://api.example.org")
MESSAGES = DOCUMENT["components"]["messages"]
SERVER_MESSAGE_TYPES = {
    "hello", "time", "announcement", "extended", "paused", "resumed", "force_submitted", "paper_opened",
    "paper_closed", "results_released", "leaderboard", "attempt_changed", "notification", "monitor",
    "reconnect",
}  # fmt: skip


class TestDocument:
    def test_is_valid(self) -> None:
        schema = json.loads((Path(__file__).parent / "asyncapi-3.0.0.schema.json").read_text())
        Draft7Validator(schema).validate(DOCUMENT)

    def test_an_invalid_one_is_refused(self) -> None:
        schema = json.loads((Path(__file__).parent / "asyncapi-3.0.0.schema.json").read_text())
        with pytest.raises(ValidationError):
            Draft7Validator(schema).validate(DOCUMENT | {"channels": {"exam": {"misspelled": "/v1"}}})

    def test_names_the_host_of_the_api(self) -> None:
        server = DOCUMENT["servers"]["api"]
        assert (server["protocol"], server["host"]) == ("wss", "api.example.org")
        assert document("http://127.0.0.1:8000")["servers"]["api"]["protocol"] == "ws"

    def test_has_every_message(self) -> None:
        assert MESSAGES.keys() == SERVER_MESSAGE_TYPES | {"ping", "ack"}
        assert {data.type for data in SENT} == SERVER_MESSAGE_TYPES

    def test_fields_of_data_and_queries_are_described(self) -> None:
        schemas = [
            *object_schemas(DOCUMENT["components"]["schemas"]),
            *object_schemas(DOCUMENT["channels"]),
        ]
        bare = [
            f"{schema.get('title')}.{name}"
            for schema in schemas
            for name, part in schema["properties"].items()
            if not part.get("description")
        ]
        assert bare == []

    def test_examples_of_the_server_match_their_schemas(self) -> None:
        for name in EXAMPLES:
            (example,) = MESSAGES[name]["examples"]
            check_message(example["payload"])

    def test_examples_of_clients_are_read(self) -> None:
        for name in CLIENT_EXAMPLES:
            (example,) = MESSAGES[name]["examples"]
            assert CLIENT_MESSAGE.validate_python(example["payload"]).type == name, name
            check_message(example["payload"])

    def test_has_every_close_code(self) -> None:
        defined = {each for each in vars(inbox).values() if isinstance(each, Closing)}
        assert defined == set(CLOSINGS)
        assert len(DOCUMENT["x-close-codes"]) == len(defined)


class TestTheCheckOfMessages:
    """`check_message`, which the sockets of the tests call for each message, finds wrong ones."""

    def test_finds_a_wrong_message(self) -> None:
        changes: list[dict[str, Any]] = [
            {"data": {}},
            {"data": {"server_time": "2026-06-07T04:00:00Z", "secret": 1}},
            {"data": {"server_time": 7}},
            {"at": None},
            {"more": 1},
        ]
        for change in changes:
            message = MESSAGES["time"]["examples"][0]["payload"]
            check_message(message)
            with pytest.raises(ValidationError):
                check_message(message | change)

    def test_finds_an_unknown_type(self) -> None:
        with pytest.raises(KeyError):
            check_message({"id": "1-1", "type": "gossip", "at": "2026-06-07T04:00:00Z", "data": {}})
