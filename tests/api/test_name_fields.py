"""Every text of every body is a name, a text of several lines, or has a form of its own."""

from typing import Any

import pytest

from tests.api.access_table import Operation
from tests.api.body_fields import document_with, fields_of_bodies
from tests.api.matrix import Matrix
from tests.builders.exams import body_of
from tests.builders.world import Identity
from tests.thorough import part

pytestmark = pytest.mark.anyio

NOT_NAMES = [
    "\u200b",
    "Asha\r\nBcc: all@example.org",
    "\u202eoaR",
    "Asha\x1b[2J",
    "a\ufffe",
    "a\ufffb",
    "a\u206f",
]
NOT_LINES = ["\u200b", "\u202eoaR", "\x1b[2J"]
SEVERAL_LINES = {
    ("POST", "/v1/exams/{exam_id}/announcements"): {"text"},
    ("PUT", "/v1/users/bookmarks/{question_id}"): {"note"},
}
CONTENT = {
    "text",
    "explanation",
    "description",
    "options",
    "statements",
    "intro",
    "pairs",
    "heads",
    "assertion",
}
"""Markdown of authors, which clients render. The same names hold short texts nowhere else."""
LOGIN = ("POST", "/v1/auth/login")
"""Stores nothing: an address that is none has no account."""
OTHERS = {
    "responses",  # ids, answers and a language
    "answer",  # compared with the key, and refused there
    "device",  # cleaned, so that a start never fails for it
    "key",  # the question's type says what it may be
    "claimed_key",
    "changes",
    "only",  # compared with what is stored
    "password",
    "current_password",
    "token",
    "refresh_token",
    "query",  # searched for, and not stored
    "preferences",
}
"""Texts that are no names, for the reason given or because they are secrets."""


def kind_of(schema: dict[str, Any]) -> str | None:
    is_text = schema.get("type") == "string" and not {"format", "enum", "const"} & schema.keys()
    return "text" if is_text else None


def is_name(operation: Operation, steps: tuple[str | int, ...]) -> bool:
    first = steps[0]
    if (
        operation == LOGIN
        or first == "responses"
        or first in OTHERS
        or first in SEVERAL_LINES.get(operation, ())
    ):
        return False
    return first not in CONTENT and steps[-1] not in ("reason", "text") and "reason" not in steps


FIELDS = fields_of_bodies(kind_of)


async def test_names(matrix: Matrix) -> None:
    wanted = [each for each in FIELDS if is_name(*each[:2])]
    assert await taken(matrix, wanted, NOT_NAMES) == []


async def test_reasons_and_announcements(matrix: Matrix) -> None:
    """They have several lines, and a reader must see something."""
    wanted = [
        (operation, steps, kind, around)
        for operation, steps, kind, around in FIELDS
        if steps[-1] == "reason" or steps[0] in SEVERAL_LINES.get(operation, ())
    ]
    assert await taken(matrix, wanted, NOT_LINES) == []


async def taken(matrix: Matrix, fields: list[Any], values: list[str]) -> list[Any]:
    """The fields that take one of these values."""
    found = []
    for operation, steps, _, around in fields:
        field, path = ".".join(map(str, steps)), matrix.world.path(operation[1])
        for value in part(values, f"{operation} {field}", 3):
            body = document_with(steps, value, around)
            answer = await matrix.send(Identity.ADMIN, operation, path, json=body)
            errors = body_of(answer, 422).get("errors", [])
            place = str(steps[0]) if steps[0] in SEVERAL_LINES.get(operation, ()) else field
            if place not in {error["field"] for error in errors}:
                found.append((operation, field, value, [error["field"] for error in errors]))
    return found
