"""The OpenAPI document keeps its rules, and each rule finds a planted violation."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, TypeAdapter
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api.openapi.bodies import EXAMPLES
from app.api.openapi.examples import NoExample, example_of
from app.schemas.common import In
from app.schemas.papers import Paper
from app.schemas.question_formats import FormatIn
from tests.api import openapi_rules
from tests.api.document import openapi_document
from tests.api.openapi_rules import REF, RULES, Json, Rule, operations
from tests.builders.attempts import start
from tests.builders.content import publish_for

DOCUMENT = openapi_document()
START = "/v1/tests/{test_id}/start"
PAPER = "/v1/tests/{test_id}/questions"


def start_of(document: Json) -> Json:
    operation: Json = document["paths"][START]["post"]
    return operation


def change(key: str, value: Any) -> Callable[[Json], None]:
    return lambda document: start_of(document).update({key: value})


def add_parameter(**parameter: Any) -> Callable[[Json], None]:
    given = {"in": "query", "name": "x", "description": "A letter", "schema": {"type": "string"}} | parameter
    return lambda document: start_of(document)["parameters"].append(given)


def add_schema(name: str, schema: Json) -> Callable[[Json], None]:
    return lambda document: document["components"]["schemas"].update({name: schema})


def without_codes(document: Json) -> None:
    start_of(document)["responses"]["409"]["content"]["application/problem+json"]["schema"] = {
        "$ref": f"{REF}Problem"
    }


def bytes_without_schema(document: Json) -> None:
    document["paths"][PAPER]["get"]["responses"]["200"]["content"]["application/json"] = {}


def list_without_pages(document: Json) -> None:
    content = {"schema": {"$ref": f"{REF}TestPage"}}
    document["paths"][PAPER]["get"]["responses"]["200"]["content"]["application/json"] = content


def with_wrong_example(document: Json) -> None:
    start_of(document)["requestBody"]["content"]["application/json"]["example"] = {"devise": 1}


PLANTED: list[tuple[Rule, Callable[[Json], Any]]] = [
    (openapi_rules.ids_are_names, change("operationId", "submit_test")),
    (openapi_rules.ids_are_names, change("operationId", "start_test_v1_tests__start_post")),
    (openapi_rules.ids_are_names, change("operationId", "void")),
    (openapi_rules.schemas_are_named, add_schema("PageOut_TestOut_", {})),
    (openapi_rules.schemas_are_named, bytes_without_schema),
    (openapi_rules.objects_are_named, add_schema("Outer", {"items": {"properties": {"a": {}}}})),
    (
        openapi_rules.unions_are_named,
        add_schema("Outer", {"items": {"anyOf": [{"type": "string"}, {"type": "array"}, {"type": "null"}]}}),
    ),
    (openapi_rules.references_lead_somewhere, add_schema("Outer", {"items": {"$ref": f"{REF}Nothing"}})),
    (openapi_rules.problems_list_their_codes, without_codes),
    (openapi_rules.no_header_of_transport, add_parameter(**{"in": "header", "name": "Accept-Encoding"})),
    (openapi_rules.parameters_are_described, add_parameter(description="")),
    (openapi_rules.parameters_are_described, add_parameter(schema={"anyOf": [{}, {"type": "null"}]})),
    (openapi_rules.bodies_have_valid_examples, with_wrong_example),
    (openapi_rules.bodies_have_valid_examples, change("requestBody", {"content": {"application/json": {}}})),
    (
        openapi_rules.fields_have_no_defaults,
        add_schema("StartIn", {"properties": {"device": {"default": "phone"}}}),
    ),
    (openapi_rules.lists_have_pages, list_without_pages),
    (openapi_rules.servers_are_filled, lambda document: document.pop("servers")),
    (openapi_rules.security_is_declared, change("security", [])),
    (openapi_rules.security_is_declared, change("security", [{"HTTPBearer": []}])),
]


def test_the_document_keeps_it() -> None:
    for rule in RULES:
        assert list(rule(DOCUMENT)) == [], rule


def copied() -> Json:
    """A document whose parts that violations change are copies."""
    paths = DOCUMENT["paths"] | {path: deepcopy(DOCUMENT["paths"][path]) for path in (START, PAPER)}
    components = DOCUMENT["components"] | {"schemas": dict(DOCUMENT["components"]["schemas"])}
    return DOCUMENT | {"paths": paths, "components": components}


def test_a_violation_is_found() -> None:
    for rule, plant in PLANTED:
        document = copied()
        plant(document)
        assert len(list(rule(document))) == 1, rule


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, _ in PLANTED} == set(RULES)


def models() -> Iterator[type[BaseModel]]:
    waiting: list[type[BaseModel]] = [In]
    while waiting:
        model = waiting.pop()
        yield model
        waiting += model.__subclasses__()


BODIES: dict[str, Any] = {model.__name__: model for model in models()} | {"CompileQuestionIn": FormatIn}
JSON_BODIES = [
    (content["schema"]["$ref"].removeprefix(REF), content["example"])
    for _, operation in operations(DOCUMENT)
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items()
    if media_type == "application/json"
]


def test_the_models_accept_the_examples() -> None:
    for name, example in JSON_BODIES:
        TypeAdapter(BODIES[name]).validate_python(example)


def test_examples_are_of_bodies_that_exist() -> None:
    assert set(EXAMPLES) <= set(DOCUMENT["components"]["schemas"])


def test_a_text_without_an_example_is_named() -> None:
    field = {"type": "object", "properties": {"inner": {"type": "string"}}, "required": ["inner"]}
    with pytest.raises(NoExample, match="outer: inner: write `examples`"):
        example_of({"type": "object", "properties": {"outer": field}, "required": ["outer"]}, {})


def test_the_types_of_the_contract_have_their_names() -> None:
    names = {"LocalizedText", "Answer", "Paper", "Key", "Problem"}
    assert names <= DOCUMENT["components"]["schemas"].keys()


@pytest.mark.anyio
async def test_the_model_of_the_paper_describes_what_is_served(
    engine: AsyncEngine, candidate: httpx.AsyncClient
) -> None:
    made = await publish_for(engine)
    await start(candidate, made)
    served = (await candidate.get(f"/tests/{made.id}/questions")).json()
    assert Paper.model_validate(served).model_dump(mode="json") == served
