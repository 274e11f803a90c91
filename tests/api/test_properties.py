"""Property level: what a body may say and which properties an answer may have, by the OpenAPI document."""

import re
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from app.schemas.common import In
from app.schemas.questions import QuestionIn
from app.schemas.subjects import SubjectIn
from tests.api.access_table import OPERATIONS, Operation, Reach
from tests.api.body_fields import resolved
from tests.api.document import openapi_document
from tests.api.matrix import NO_SUCH_FIELD, Matrix
from tests.builders.exams import body_of
from tests.builders.people import People
from tests.builders.world import Identity

Json = dict[str, Any]

DOCUMENT = openapi_document()
JSON = "application/json"
UPLOAD = "multipart/form-data"

SESSIONS = {("POST", f"/v1/auth/{name}") for name in ("register", "login", "refresh")}
QUESTIONS = {
    ("GET", "/v1/questions"),
    ("POST", "/v1/questions"),
    ("POST", "/v1/questions/compile"),
    ("GET", "/v1/questions/{question_id}"),
    ("PATCH", "/v1/questions/{question_id}"),
    ("POST", "/v1/questions/{question_id}/retire"),
}
OWN_ACCOUNT = {("GET", "/v1/auth/me"), ("PUT", "/v1/auth/me")}
OWN_PROFILE = {
    ("GET", "/v1/users/home"),
    ("GET", "/v1/users/profile"),
    ("PUT", "/v1/users/profile"),
    ("PUT", "/v1/users/avatar"),
}
OF_ADMINS = {
    ("GET", "/v1/users"),
    ("POST", "/v1/users/import"),
    ("POST", "/v1/users/{user_id}/restore"),
    ("PUT", "/v1/users/{user_id}/enrolment"),
    ("PUT", "/v1/users/{user_id}/role"),
    ("PUT", "/v1/users/{user_id}/status"),
}
# Whether reminders go by mail, not an address.
CHANNELS = {("GET", "/v1/notifications/preferences"), ("PUT", "/v1/notifications/preferences")}
RESULT = ("GET", "/v1/tests/{test_id}/results")
REVISIONS = {
    operation for operation in OPERATIONS if "/key-revisions" in operation[1] and operation[0] != "DELETE"
}
OBJECTIONS = {
    operation for operation in OPERATIONS if "/objections" in operation[1] and operation[0] != "DELETE"
}
SIGNED_SHEETS = {
    ("GET", "/v1/tests/{test_id}/response-sheet"),
    ("GET", "/v1/exams/{exam_id}/papers/{paper_id}/response-sheet"),
}
KEY_OF_PAPER = ("GET", "/v1/exams/{exam_id}/papers/{paper_id}/key")
STARTS = {("POST", "/v1/tests/{test_id}/start"), ("POST", "/v1/exams/{exam_id}/papers/{paper_id}/start")}

OWN_RESULT = ("GET", "/v1/exams/{exam_id}/results")
RANKED = {OWN_RESULT, ("GET", "/v1/exams/{exam_id}/merit-list")}

SENSITIVE = re.compile(
    r"password|secret|hash|digest|token$|key|accepted|tolerance|explanation|email|phone|pwbd"
)
ALLOWED: dict[str, set[Operation]] = {
    "key": {*QUESTIONS, RESULT, *REVISIONS, *OBJECTIONS},
    # Versions of keys and numbers of questions, not the keys.
    "keys": {
        ("POST", "/v1/exams/{exam_id}/provisional-key"),
        ("POST", "/v1/exams/{exam_id}/final-key"),
    },
    "claimed_key": {*OBJECTIONS, KEY_OF_PAPER},
    "provisional_key": {KEY_OF_PAPER},
    "final_key": {KEY_OF_PAPER},
    "key_before": REVISIONS,
    "accepted": {
        *QUESTIONS,
        RESULT,
        *REVISIONS,
        *OBJECTIONS,
        KEY_OF_PAPER,
    },  # a part of a key, as is the next
    "tolerance": {*QUESTIONS, RESULT, *REVISIONS, *OBJECTIONS, KEY_OF_PAPER},
    "explanation": {*QUESTIONS, RESULT, *OBJECTIONS},
    "email": SESSIONS | OWN_ACCOUNT | OWN_PROFILE | OF_ADMINS | CHANNELS,
    # The number of a key, not the key.
    "key_version": {
        ("GET", "/v1/analytics/tests/{test_id}/items"),
        ("GET", "/v1/analytics/tests/{test_id}/summary"),
    },
    "access_token": SESSIONS,
    "refresh_token": SESSIONS,
    "attempt_token": STARTS,
    # What verifies a signature is public.
    "public_key": {("GET", "/v1/response-sheets/keys")},
    # The id of a public key, and the digest of a log of answers.
    "key_id": SIGNED_SHEETS,
    "log_digest": SIGNED_SHEETS,
    # A rank among those with a disability tells of it: one's own result, and the list of staff.
    "pwbd_rank": RANKED,
    "pwbd_percentile": {OWN_RESULT},
    "package_key": {("POST", "/v1/exams/{exam_id}/papers/{paper_id}/start")},
}
"""Which answers may have a sensitive property. No answer has a password or anything derived from one."""

# A place in an exam has the disability as it was then: shown to its owner, and to staff who run the exam.
PLACES = {
    operation for operation in OPERATIONS if operation[1].startswith("/v1/exams") and operation != RESULT
}


def objects(schema: Any, seen: set[str]) -> Iterator[tuple[str, Json]]:
    """Every object schema that a schema leads to, with its name."""
    if isinstance(schema, list):
        for each in schema:
            yield from objects(each, seen)
    if not isinstance(schema, dict):
        return
    if (reference := schema.get("$ref")) is not None:
        name = str(reference).rpartition("/")[2]
        if name not in seen:
            yield from objects(DOCUMENT["components"]["schemas"][name] | {"title": name}, seen | {name})
        return
    if "properties" in schema:
        yield str(schema.get("title")), schema
    for name, below in schema.items():
        yield from objects(list(below.values()) if name == "properties" else below, seen)


def described(operation: Operation) -> Json:
    method, path = operation
    return dict(DOCUMENT["paths"][path][method.lower()])


def body_schema(operation: Operation, kind: str = JSON) -> Json | None:
    content = described(operation).get("requestBody", {}).get("content", {})
    return content[kind]["schema"] if kind in content else None


def properties(operation: Operation) -> set[str]:
    """The names of all properties that an answer may have."""
    names: set[str] = set()
    for answer in described(operation)["responses"].values():
        for content in answer.get("content", {}).values():
            for _, schema in objects(content.get("schema"), set()):
                names |= schema["properties"].keys()
    return names


WITH_BODY = [operation for operation in OPERATIONS if body_schema(operation)]


class TestBodies:
    def test_every_object_in_it_is_closed(self) -> None:
        for operation in WITH_BODY:
            found = list(objects(body_schema(operation), set()))
            opened = [name for name, schema in found if schema.get("additionalProperties") is not False]
            assert (bool(found), opened) == (True, []), operation

    async def test_a_field_that_is_not_there_is_named(self, matrix: Matrix) -> None:
        for operation in WITH_BODY:
            owned = OPERATIONS[operation].reach in (Reach.OWNER, Reach.ATTEMPT, Reach.PAPER_ATTEMPT)
            identity = Identity.OWNER if owned else Identity.ADMIN
            kinds = resolved(body_schema(operation) or {}).get("discriminator")
            body = NO_SUCH_FIELD | ({kinds["propertyName"]: next(iter(kinds["mapping"]))} if kinds else {})
            path = matrix.world.path(operation[1])
            errors = body_of(await matrix.send(identity, operation, path, json=body), 422)["errors"]
            assert "no_such_field" in {error["field"].rpartition(".")[2] for error in errors}, operation

    def test_uploads_alone_have_another_body(self) -> None:
        """A form has no closed list of fields: what is not declared is not read."""
        uploads = {operation for operation in OPERATIONS if body_schema(operation, UPLOAD)}
        assert uploads == {
            ("POST", "/v1/media"),
            ("POST", "/v1/questions/import"),
            ("POST", "/v1/exams/{exam_id}/papers/{paper_id}/responses/import"),
            ("POST", "/v1/users/import"),
            ("PUT", "/v1/users/avatar"),
        }


def models(base: type[BaseModel] = In) -> Iterator[type[BaseModel]]:
    """Every shape of a body, those within others too."""
    for model in base.__subclasses__():
        yield model
        yield from models(model)


def unbounded(schema: Json, path: str) -> Iterator[str]:
    """Where a schema lets texts, lists or objects be as large as the body may be."""
    kind, values = schema.get("type"), schema.get("additionalProperties", False)
    if kind == "string" and not {"maxLength", "enum", "format", "const", "pattern"} & schema.keys():
        yield path
    if kind == "array" and "maxItems" not in schema:
        yield f"{path}[]"
    if values is not False and not {"maxProperties", "propertyNames"} & schema.keys():
        yield f"{path}{{}}"
    if values is True:
        yield f"{path}{{any}}"
    below = [schema.get("items"), values, *schema.get("anyOf", []), *schema.get("oneOf", [])]
    for each in below:
        if isinstance(each, dict):
            yield from unbounded(each, path)


MODELS: list[type[BaseModel]] = sorted(set(models()), key=attrgetter("__name__"))


class TestBounds:
    BOUNDED_OTHERWISE = frozenset({"ProfileIn.preferences{any}"})  # by the test below

    def test_each_text_and_list_of_a_body_has_one(self) -> None:
        found = set()
        for model in MODELS:
            # As it is kept: a localized text may be sent as a plain string, and is bounded as an object.
            described = model.model_json_schema(mode="serialization")
            types = described.get("$defs", {})
            found |= {
                where
                for name, schema in described.get("properties", {}).items()
                for named in [types.get(schema.get("$ref", "").rpartition("/")[2], schema)]
                for where in unbounded(named, f"{model.__name__}.{name}")
            }
        assert found == self.BOUNDED_OTHERWISE

    def test_what_is_too_long_is_refused_before_all_of_it_is_looked_at(self) -> None:
        wrong: list[tuple[type[BaseModel], str, object]] = [
            (QuestionIn, "media", ["x"] * 500),  # images
            (QuestionIn, "tags", [""] * 500),  # tags
            (QuestionIn, "text", {f"k{number}": None for number in range(500)}),  # a text
            (SubjectIn, "name", {f"k{number}": None for number in range(500)}),  # a name
        ]
        for model, field, value in wrong:
            with pytest.raises(ValidationError) as refused:
                model.model_validate({field: value})
            assert sum(error["loc"][0] == field for error in refused.value.errors()) <= 25, model

    async def test_preferences_do_too(self, people: People) -> None:
        """They are read with the profile, at every request of the person."""
        candidate = await people.candidate()
        allowed = await candidate.put("/users/profile", json={"preferences": {"theme": "x" * 19_000}})
        assert allowed.status_code == 200
        for value in ("x" * 20_001, ["x" * 1000] * 20, "\u0939" * 7_000, {"a": list(range(5_500))}):
            answer = await candidate.put("/users/profile", json={"preferences": {"theme": value}})
            assert answer.status_code == 422
            assert [error["field"] for error in answer.json()["errors"]] == ["preferences"]

    def test_the_search_can_fail(self) -> None:
        class Open(BaseModel):
            text: str
            items: list[int]
            more: dict[str, Any]

        properties = Open.model_json_schema()["properties"]
        found = [where for name, schema in properties.items() for where in unbounded(schema, name)]
        assert found == ["text", "items[]", "more{}", "more{any}"]


class TestAnswers:
    def test_a_sensitive_property_is_where_it_may_be(self) -> None:
        for operation in OPERATIONS:
            found = {name for name in properties(operation) if SENSITIVE.search(name)}
            allowed = {name for name, operations in ALLOWED.items() if operation in operations}
            if operation in PLACES | OWN_PROFILE:
                allowed.add("pwbd")
            assert found <= allowed, operation

    def test_the_search_can_fail(self) -> None:
        assert {"key", "explanation"} <= properties(RESULT)
        assert "access_token" in properties(("POST", "/v1/auth/login"))
