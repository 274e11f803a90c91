"""Rules of the OpenAPI document. Each yields what breaks it, as text."""

import keyword
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema import ValidationError as NotValid

Json = dict[str, Any]
Rule = Callable[[Json], Iterator[str]]

OF_TRANSPORT = {"accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"}
"""Headers that a client's HTTP library sets by itself."""
PROBLEM_JSON = "application/problem+json"
REF = "#/components/schemas/"
RESERVED = {*keyword.kwlist, "delete", "export", "new", "void"}
"""Words that a function cannot have as its name in Python, TypeScript or Dart."""
FUNCTION = re.compile(r"[a-z]+(_[a-z]+)*")
NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
DATA = {"const", "default", "enum", "example", "examples"}


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Every operation with its method and path."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def ids_are_names(document: Json) -> Iterator[str]:
    """Each `operationId` is a unique name that generated clients can use as it is."""
    counts = Counter(operation["operationId"] for _, operation in operations(document))
    for name, count in counts.items():
        if count > 1:
            yield f"{name}: {count} operations have this name"
        if not FUNCTION.fullmatch(name) or name in RESERVED:
            yield f"{name}: no name for a function"


def schemas_are_named(document: Json) -> Iterator[str]:
    """Bodies and answers refer to schemas by name, and the names are those of types."""
    names = document["components"]["schemas"]
    yield from (f"{name}: no name for a type" for name in names if not NAME.fullmatch(name))
    for operation, media_type, content in contents(document):
        target = content.get("schema", {}).get("$ref", "").removeprefix(REF)
        if target not in names:
            yield f"{operation}: {media_type} has no named schema"


def objects_are_named(document: Json) -> Iterator[str]:
    """No object with fields is written out within another schema."""
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Problem"):
            continue
        for place, part in parts(schema):
            if "properties" in part:
                yield f"{name}.{place}: an object without a name"


def unions_are_named(document: Json) -> Iterator[str]:
    """A union of several types is a schema of its own."""
    for place, part in parts(document["components"]["schemas"]):
        if place.count(".") > 1 and is_union(part):
            yield place


def is_union(schema: Json) -> bool:
    """Whether a value may be of several types, apart from null."""
    types = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return len([each for each in types if each != {"type": "null"}]) > 1


def references_lead_somewhere(document: Json) -> Iterator[str]:
    """Each reference names a schema."""
    schemas = document["components"]["schemas"]
    for place, part in parts({"paths": document["paths"], "schemas": schemas}):
        target = part.get("$ref")
        if isinstance(target, str) and target.removeprefix(REF) not in schemas:
            yield f"{place}: {target}"


def problems_list_their_codes(document: Json) -> Iterator[str]:
    """Each answer from 400 on is a problem whose codes are listed, or a document of a health check."""
    schemas = document["components"]["schemas"]
    for place, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) < 400 or (status == "503" and "/health/" in place):
                continue
            shape = response.get("content", {}).get(PROBLEM_JSON, {}).get("schema", {})
            listed = listed_codes(schemas.get(shape.get("$ref", "").removeprefix(REF), {}))
            described = set(re.findall(r"`([a-z_]+)`", response["description"]))
            if not described or not described <= set(listed):
                yield f"{place}: {status} lists no codes"


def listed_codes(schema: Json) -> list[str]:
    """The codes of a problem's schema."""
    narrowed = [each["properties"]["code"] for each in schema.get("allOf", ()) if "properties" in each]
    return narrowed[0]["enum"] if narrowed else []


def no_header_of_transport(document: Json) -> Iterator[str]:
    """No parameter is a header that HTTP libraries set by themselves."""
    for place, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "header" and parameter["name"].lower() in OF_TRANSPORT:
                yield f"{place}: {parameter['name']}"


def parameters_are_described(document: Json) -> Iterator[str]:
    """Each parameter beside those of the path has a description, and none may be null."""
    for place, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] != "path" and not parameter.get("description"):
                yield f"{place}: {parameter['name']} has no description"
            if {"type": "null"} in parameter["schema"].get("anyOf", ()):
                yield f"{place}: {parameter['name']} may be null"


def bodies_have_valid_examples(document: Json) -> Iterator[str]:
    """Each body has an example that its schema allows."""
    for place, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if "example" not in content:
                yield f"{place}: no example. Write one in app/api/openapi/bodies.py"
                continue
            schema = {**content["schema"], "components": document["components"]}
            try:
                Draft202012Validator(schema).validate(content["example"])
            except NotValid as error:
                yield f"{place}: {error.message}"


def fields_have_no_defaults(document: Json) -> Iterator[str]:
    """No field has a `default`: openapi-typescript would require the field in requests."""
    for name, schema in document["components"]["schemas"].items():
        for field, about in schema.get("properties", {}).items():
            if "default" in about:
                yield f"{name}.{field}"


NO_LISTS = {
    "get_leaderboard": "the best places or those around one's own, as many as `limit` says",
    "get_item_analysis": "the statistics of one paper, with each of its questions",
    "get_similarity": "one comparison, with the pairs that it flags",
    "read_performance": "a series of one part for each day, week or month",
    "list_signing_keys": "a key set, which a verifier needs whole",
}
"""Operations whose `items` are no list of the conventions, and what they are."""


def lists_have_pages(document: Json) -> Iterator[str]:
    """Each list takes `limit` and `cursor`, and answers `next_cursor`."""
    for name, operation in operations(document):
        if not name.startswith("GET ") or operation["operationId"] in NO_LISTS:
            continue
        target = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        reference = target.get("schema", {}).get("$ref", "").removeprefix(REF)
        fields = document["components"]["schemas"].get(reference, {}).get("properties", {})
        if "items" in fields:
            taken = {parameter["name"] for parameter in operation.get("parameters", ())}
            missing = {"limit", "cursor"} - taken | {"next_cursor"} - fields.keys()
            yield from [f"{name}: no {', '.join(sorted(missing))}"] if missing else []


def servers_are_filled(document: Json) -> Iterator[str]:
    """The document says where the API is."""
    if not [server for server in document.get("servers", ()) if server.get("url")]:
        yield "no servers"


def security_is_declared(document: Json) -> Iterator[str]:
    """Each operation with a 401 for a missing token names its schemes, and these are declared."""
    declared = document["components"]["securitySchemes"]
    if set(declared) != {"AccessToken", "AttemptToken"}:
        yield f"the schemes are {sorted(declared)}"
    for place, operation in operations(document):
        named = {name for scheme in operation.get("security", ()) for name in scheme}
        needs = "`unauthenticated`" in operation["responses"].get("401", {}).get("description", "")
        if needs != bool(named) or not named <= set(declared):
            yield f"{place}: security {sorted(named)}"


RULES: tuple[Rule, ...] = (
    ids_are_names,
    schemas_are_named,
    objects_are_named,
    unions_are_named,
    references_lead_somewhere,
    problems_list_their_codes,
    no_header_of_transport,
    parameters_are_described,
    bodies_have_valid_examples,
    fields_have_no_defaults,
    lists_have_pages,
    servers_are_filled,
    security_is_declared,
)


def contents(document: Json) -> Iterator[tuple[str, str, Json]]:
    """The contents of all bodies and answers."""
    for place, operation in operations(document):
        for holder in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media_type, content in holder.get("content", {}).items():
                yield place, media_type, content


def parts(schema: Any, place: str = "") -> Iterator[tuple[str, Json]]:
    """All schemas below this one, with their places. Examples are not schemas."""
    inside = schema.items() if isinstance(schema, dict) else enumerate(schema)
    for name, part in inside:
        if isinstance(part, dict | list) and name not in DATA:
            if isinstance(part, dict):
                yield f"{place}.{name}", part
            yield from parts(part, f"{place}.{name}")
