"""Texts that could break whoever reads them as a search, number, time, zone, language or cursor: no 500."""

import base64
import json
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.document import openapi_document
from tests.builders.people import People
from tests.thorough import part

Json = dict[str, Any]
Sent = tuple[str, Json]
"""A path and a body."""

WINDOW = {"opens_at": "2030-01-01T00:00:00Z", "closes_at": "2030-01-02T00:00:00Z"}

TEXTS = (
    "-" * 33,
    "- " * 60,
    '-"' * 60,
    "-(" * 60,
    "!" * 100,
    '"' * 101,
    "a or " * 40,
    "\\" * 99,
    "%_" * 60,
    "'",
    ":*&|!<->",
    "$[*] ? (@ > 1)",
    "(" * 150,
    "[a-z",
    "x" * 10_000,
    "\u0300" * 200,
    "\u202e\ufeff\u0000",
    "🙂" * 60,
)
NUMBERS = (
    "1e999999999",
    "-1e999999999",
    "1e400",
    "9" * 4_000,
    "-" + "9" * 5_000,
    "1/0",
    "0/0",
    "nan",
    "-inf",
    "NaN123",
    "sNaN",
    "0x10",
    "1_000",
    "٣",
    "½",
    "²",
    "9223372036854775808",
    "2147483648",
    "-0",
    "+1",
    " 1",
    "1.",
    "." * 50,
    "",
)
TIMES = (
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59Z",
    "-0001-01-01T00:00:00Z",
    "292277026596-12-04T15:30:08Z",
    "1e400",
    "9" * 400,
    "2026-02-30T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:00:60Z",
    "2026-01-01T00:00:00+99:99",
)
ZONES = (
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/localtime",
    "Asia",
    "Asia/",
    "utc\0",
    "x" * 500,
    "right/UTC",
)
LANGUAGES = ("", "en-", "e", "en_US", "x" * 100, "en-" + "a-" * 50, "١", "En-uS", "__proto__")
CURSORS = (
    "[1e400]",
    "[1e400, 1e400]",
    "[NaN]",
    "[99999999999999999999999999]",
    "[-1, -1]",
    '["9999-12-31T23:59:59+00:00", "x"]',
    '["0001-01-01T00:00:00+14:00", "00000000-0000-0000-0000-000000000000"]',
    '["' + "9" * 300 + '"]',
    "[[[[[[]]]]]]",
    '[{"a": 1}, null]',
    "[null]",
    "[true, false]",
    '["\\u0000"]',
    '["\\ud800"]',
    "[]",
    "{}",
    "1",
    '["00000000-0000-0000-0000-000000000000"]',
    '["a", "00000000-0000-0000-0000-000000000000"]',
)


def written(cursor: str) -> str:
    return base64.urlsafe_b64encode(cursor.encode()).decode().rstrip("=")


def query_parameters() -> list[tuple[str, str]]:
    """Each query parameter that is text at every operation that reads; of others, one of each type.

    A number, id, time or word of a list is checked by its type before the operation is called.
    """
    paths = openapi_document()["paths"]
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for path, item in sorted(paths.items()):
        for parameter in item.get("get", {}).get("parameters", ()):
            if parameter["in"] == "query":
                name, schema = parameter["name"], parameter["schema"]
                checked = {key: value for key, value in schema.items() if key not in ("title", "description")}
                kind = (path, name) if is_text(schema) else (json.dumps(checked, sort_keys=True),)
                found.setdefault(kind, (path, name))
    return list(found.values())


def is_text(schema: Json) -> bool:
    """Whether any text may reach the operation."""
    kinds = schema.get("anyOf", [schema])
    return any(kind.get("type") == "string" and not {"format", "enum"} & kind.keys() for kind in kinds)


def at(path: str) -> str:
    """The address of an operation, with ids of nothing; the clients' addresses begin below /v1."""
    return re.sub(r"\{[^}]*\}", lambda _: str(uuid4()), path).removeprefix("/v1")


def broken(answer: httpx.Response) -> bool:
    return answer.status_code >= 500


async def breaking(staff: httpx.AsyncClient, sent: list[Sent]) -> list[Sent]:
    """The bodies that break the operation to which they are posted."""
    return [(path, body) for path, body in sent if broken(await staff.post(path, json=body))]


@pytest.fixture(scope="module")
async def staff(people: People) -> httpx.AsyncClient:
    return await people.member("admin")


class TestQueries:
    async def test_any_text_in_any_parameter(self, staff: httpx.AsyncClient) -> None:
        texts: tuple[str, ...] = (*TEXTS, *NUMBERS, *TIMES, *ZONES, *LANGUAGES)
        cursors = tuple(written(cursor) for cursor in CURSORS)
        bad = []
        for path, name in query_parameters():
            wanted = texts + cursors if name == "cursor" else texts
            bad += [
                (path, name, text)
                for text in part(wanted, f"{path} {name}", 40)
                if broken(await staff.get(at(path), params={name: text}))
            ]
        assert bad == []


class TestBodies:
    async def test_numbers(self, staff: httpx.AsyncClient) -> None:
        numeric = {"type": "numeric", "text": {"en": "How many?"}, "subject_id": str(uuid4())}
        marking = {"correct": "2", "incorrect": "-2/3", "dropped": "prorate", "rounding": "upsc"}
        sent: list[Sent] = []
        for number in NUMBERS:
            sent += [
                ("/questions", numeric | {"key": {"value": number}}),
                ("/questions", numeric | {"key": {"value": "1", "tolerance": number}}),
                ("/exams", {"title": "Mock", **WINDOW, "cutoffs": {"general": number}}),
            ]
            for name in ("correct", "incorrect", "unattempted"):
                sent.append(("/tests", a_test(marking=marking | {name: number})))
        assert await breaking(staff, sent) == []

    async def test_whole_numbers(self, staff: httpx.AsyncClient) -> None:
        section = {"name": "A", "question_ids": [str(uuid4())]}
        sent: list[Sent] = []
        for number in (10**6, 2**31, 2**63 - 1, 2**63, -(2**63), 10**400, 1.5, -0.0):
            limited = section | {"choose": number, "duration_seconds": number}
            sent += [
                ("/tests", a_test(duration_seconds=number)),
                ("/tests", a_test(attempts_allowed=number)),
                ("/tests", a_test(sections=[limited])),
            ]
        assert await breaking(staff, sent) == []

    async def test_times(self, staff: httpx.AsyncClient) -> None:
        sent: list[Sent] = []
        for time in TIMES:
            sent += [("/exams", {"title": "Mock", **WINDOW, name: time}) for name in WINDOW]
            sent += [("/exams", {"title": "Mock", "opens_at": time, "closes_at": time})]
            for name in ("available_from", "available_until", "opens_at"):
                sent.append(("/tests", a_test(**{name: time})))
        assert await breaking(staff, sent) == []

    async def test_zones(self, staff: httpx.AsyncClient) -> None:
        for zone in ZONES:
            quiet = {"from": "22:00", "until": "07:00", "timezone": zone}
            for body in ({"timezone": zone}, {"quiet_hours": quiet}, {"quiet_hours": quiet | {"from": zone}}):
                for path in ("/notifications/preferences", "/users/me"):
                    for method in ("PATCH", "PUT"):
                        assert not broken(await staff.request(method, path, json=body)), body

    async def test_languages(self, staff: httpx.AsyncClient) -> None:
        sent: list[Sent] = []
        for language in LANGUAGES:
            texts = {language: "Which?"}
            sent += [
                ("/tests", a_test(title=texts)),
                ("/subjects", {"name": texts}),
                ("/passages", {"name": "P", "text": texts}),
            ]
        assert await breaking(staff, sent) == []


def a_test(**changes: Any) -> Json:
    """A draft of a test."""
    marking = {"correct": "2", "incorrect": "-2/3", "dropped": "prorate", "rounding": "upsc"}
    return {"title": "Mock", "kind": "full", "duration_seconds": 600, "marking": marking} | changes
