"""Pydantic's errors get sentences of our own: all types, and all that requests can cause."""

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import core_schema

from app.api.validation_messages import FORMS, NOT_VALID, SENTENCES, message_of
from app.core.translations import in_language
from tests.api.access_table import OPERATIONS, Operation
from tests.api.body_fields import DOCUMENT, document_with, fields_of_bodies
from tests.api.document import openapi_document
from tests.api.matrix import Matrix
from tests.builders.exams import body_of
from tests.builders.world import Identity
from tests.thorough import part

pytestmark = pytest.mark.anyio

IN_HINDI = {"Accept-Language": "hi-IN,hi;q=0.9,en;q=0.5"}

NEVER = {
    *("arguments_type", "multiple_argument_values", "unexpected_keyword_argument"),
    *("missing_argument", "missing_keyword_only_argument", "missing_positional_only_argument"),
    *("unexpected_positional_argument", "callable_type", "default_factory_not_called", "ellipsis_error"),
    *("frozen_field", "frozen_instance", "frozen_dict_type", "get_attribute_error", "no_such_attribute"),
    *("is_subclass_of", "iteration_error", "missing_sentinel_error", "needs_python_object"),
    *("recursion_depth_exceeded", "recursion_loop", "set_item_not_hashable", "bytes_invalid_encoding"),
    *("complex_str_parsing", "complex_type", "counter_type", "deque_type", "named_tuple_type"),
    *("dataclass_exact_type", "ordered_dict_type", "fraction_parsing", "fraction_type"),
}
"""Types that only code causes, or a Python type that no request has. They get the general sentence."""

PYDANTIC = re.compile(
    r"Input should|Value error|Field required|should have|not permitted|Extra inputs|Unable to"
)


class Values(BaseModel):
    """One field for each kind of limit."""

    number: Annotated[int, Field(ge=3, le=5)] = 3
    text: Annotated[str, Field(min_length=1, max_length=2)] = "x"
    code: Annotated[str, Field(min_length=2)] = "xx"
    names: Annotated[list[str], Field(min_length=1, max_length=1)] = ["x"]
    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")] = "x"
    kind: Literal["full", "practice"] = "full"


def test_each_type_has_a_sentence() -> None:
    kinds = set(get_args(core_schema.ErrorType))
    assert kinds - SENTENCES.keys() == NEVER
    assert SENTENCES.keys() - kinds == set()


def test_of_a_value() -> None:
    values: list[tuple[str, Any, str]] = [
        ("number", 2, "Send a number of at least 3."),
        ("number", 6, "Send a number of at most 5."),
        ("number", "x", "Send a whole number."),
        ("number", 3.5, "Send a whole number."),
        ("text", "", "This text must not be empty."),
        ("text", "xyz", "Send at most 2 characters."),
        ("text", 1, "Send a string."),
        ("code", "x", "Send at least 2 characters."),
        ("names", [], "Send at least one entry."),
        ("names", ["x", "y"], "Send at most one entry."),
        ("names", {}, "Send a list."),
        ("slug", "Not a slug", FORMS[r"^[a-z0-9]+(-[a-z0-9]+)*$"]),
        ("kind", "other", "Send one of: full, practice."),
    ]
    for field, value, sentence in values:
        with pytest.raises(ValidationError) as refused:
            Values.model_validate({field: value})
        (error,) = refused.value.errors()
        assert message_of(error) == sentence, field
        assert has_hindi(in_language(message_of(error), "hi")), field


def test_another_type_gets_the_general_sentence() -> None:
    for kind in NEVER:
        error = {"type": kind, "loc": ("x",), "msg": "Input should be a fish"}
        assert message_of(error) == NOT_VALID, kind


def test_each_pattern_of_the_document_has_its_own_sentence() -> None:
    assert set(patterns_in(openapi_document())) - FORMS.keys() == set()


def patterns_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from patterns_in(each)


WRONG: tuple[Any, ...] = (None, True, -1, 10**9, "", "x" * 15_000, "\x1b", [[]], {"x": 1})
"""Values of all JSON types, too small and too large."""

FIELDS = fields_of_bodies(lambda _: "any")
QUERIES = [
    ((method, template), each["name"])
    for method, template in OPERATIONS
    for each in DOCUMENT["paths"][template][method.lower()].get("parameters", [])
    if each["in"] == "query"
]


def bodies_of(operation: Operation) -> Iterator[Any]:
    """For each depth and value, a body with this value in all fields of this depth: a sixth in `make test`.

    The unknown field makes sure that none is accepted.
    """
    yield from ([], "x")
    fields = [(steps, around) for found, steps, _, around in FIELDS if found == operation and steps]
    for depth in sorted({len(steps) for steps, _ in fields}):
        for value in part(WRONG, f"{operation} {depth}", 6):
            body: Any = {"no_such_field": 1}
            for steps, around in fields:
                if len(steps) == depth:
                    body = merged(body, document_with(steps, value, around))
            yield body


def merged(one: Any, other: Any) -> Any:
    """Both documents in one. Lists are merged by their places."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {name: merged(one.get(name), value) for name, value in other.items()}
    if isinstance(one, list) and isinstance(other, list):
        return [merged(*pair) for pair in zip_longest(one, other)]
    return one if other is None else other


async def test_of_bodies(matrix: Matrix) -> None:
    """Every field of every body, with values of all types: in Hindi, and with a place that was sent."""
    found = []
    for operation in sorted({each[0] for each in FIELDS}):
        path = matrix.world.path(operation[1])
        identity = Identity.OWNER if operation[1].endswith("/responses") else Identity.ADMIN
        for body in bodies_of(operation):
            answer = await matrix.send(identity, operation, path, json=body, headers=IN_HINDI)
            if wrong := complaints(body_of(answer, 422), body):
                found.append((operation, wrong))
    assert found == []


async def test_of_queries(matrix: Matrix) -> None:
    """Every query parameter, with values that most of them refuse: in Hindi, under its own name.

    In `make test` with two of the four.
    """
    found = []
    for operation, name in QUERIES:
        for value in part(("", "x" * 600, "-1", "\x1b"), f"{operation} {name}", 2):
            path, sent = matrix.world.path(operation[1]), {name: value, "nothing": 1}
            answer = await matrix.send(Identity.ADMIN, operation, path, params=sent, headers=IN_HINDI)
            if answer.status_code == 422 and (wrong := complaints(answer.json(), sent)):
                found.append((operation, sent, wrong))
    assert found == []


IDS = [(operation, name) for operation in OPERATIONS for name in re.findall(r"\{(\w+_id)\}", operation[1])]


async def test_of_paths(matrix: Matrix) -> None:
    """Every id of every path: in Hindi, under its own name."""
    for operation, name in IDS:
        path = matrix.world.path(operation[1], **{name: "not-an-id"})
        problem = body_of(await matrix.send(Identity.ADMIN, operation, path, headers=IN_HINDI), 422)
        assert [each["field"] for each in problem["errors"]] == [name], operation
        assert complaints(problem, {name: "not-an-id"}) == [], operation


def complaints(problem: dict[str, Any], body: Any) -> list[Any]:
    """The sentences of a problem that are not Hindi, and the fields that are not in the body."""
    sentences = [
        problem["title"],
        problem["detail"],
        *(each["message"] for each in problem.get("errors", [])),
    ]
    places = [each["field"] for each in problem.get("errors", [])]
    return [each for each in sentences if not has_hindi(each) or PYDANTIC.search(each)] + [
        each for each in places if each != "body" and not is_place_in(body, each.split("."))
    ]


def is_place_in(body: Any, steps: list[str]) -> bool:
    """Whether the path exists in the body. The last step may be missing."""
    if len(steps) == 1:
        return isinstance(body, dict) or (isinstance(body, list) and steps[0].isdigit())
    if isinstance(body, dict):
        return steps[0] in body and is_place_in(body[steps[0]], steps[1:])
    return isinstance(body, list) and steps[0].isdigit() and is_place_in(body[int(steps[0])], steps[1:])


def has_hindi(text: str) -> bool:
    return re.search(r"[\u0900-\u097f]", text) is not None
