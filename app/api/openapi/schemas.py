"""Schemas for generators of clients: every body, response and form has a name, so that types are readable."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.api.openapi.operations import REF, Json, components, operations, ref, type_name

BYTES = {
    "application/octet-stream": "BinaryFile",
    "application/pdf": "PdfFile",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XlsxFile",
    "application/zip": "ZipFile",
    "image/jpeg": "ImageFile",
    "image/png": "ImageFile",
    "image/webp": "ImageFile",
}
"""The schemas of responses that are bytes, by media type."""
TEXTS = {"text/csv": "CsvFile", "text/html": "HtmlDocument"}
"""The schemas of responses that are texts but not JSON, by media type."""

_PAGE = re.compile(r"PageOut_(\w+?)(?:Out)?_")
_DATA = frozenset({"const", "default", "enum", "example", "examples"})
"""Parts of a schema that hold values, not schemas."""


def prepare_schemas(document: Json) -> None:
    """Change the schemas so that client generators make readable types: names, pages, titles, defaults."""
    schemas = components(document)
    for operation in operations(document):
        for parameter in operation.get("parameters", ()):
            _leave_out_null(parameter)
        _name_body(operation, schemas)
        _name_responses(operation, schemas)
    for name in list(schemas):
        _name_members(schemas[name], schemas)
        _name_unions(name, schemas)
    _rename(document, {name: _page_of(name) for name in schemas if _PAGE.fullmatch(name)})
    _remove_titles(document["paths"])
    for schema in schemas.values():
        _describe_defaults(schema)
        _remove_titles(schema)


def _page_of(name: str) -> str:
    """The name of a page: `TestPage` for pages of `TestOut`."""
    return _PAGE.sub(r"\1Page", name)


def _rename(document: Json, names: Mapping[str, str]) -> None:
    schemas = components(document)
    for old, new in names.items():
        schemas[new] = schemas.pop(old)
    for parent, place in [*_places(document["paths"]), *_places(schemas)]:
        if (name := parent[place].get("$ref", "").removeprefix(REF)) in names:
            parent[place]["$ref"] = REF + names[name]


def _without_null(schema: Json) -> list[Json]:
    """The types of a union, without null."""
    return [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]


def _leave_out_null(parameter: Json) -> None:
    """A query parameter cannot be null in a URL; an optional one is left out."""
    schema = parameter["schema"]
    types = _without_null(schema)
    if len(types) == 1:
        del schema["anyOf"]
        parameter["schema"] = types[0] | schema
    elif types:
        schema["anyOf"] = types


def _name_body(operation: Json, schemas: Json) -> None:
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = content["schema"]
        types = _without_null(schema)
        if len(types) == 1:  # The body may be left out.
            content["schema"] = types[0]
        elif media_type != "application/json":
            name = schema["$ref"].removeprefix(REF)
            form = schemas.pop(name)
            _mark_files(form)
            schemas[type_name(operation, "Form")] = form
            content["schema"] = ref(type_name(operation, "Form"))
        elif "$ref" not in schema:
            schemas[type_name(operation, "In")] = schema
            content["schema"] = ref(type_name(operation, "In"))


def _mark_files(form: Json) -> None:
    """Describe files as bytes.

    FastAPI declares files as strings with a media type, which client generators treat as plain text.
    """
    for name, field in form["properties"].items():
        if field.pop("contentMediaType", None):
            field["format"] = "binary"
        elif any("contentMediaType" in each for each in field.get("anyOf", ())):
            form["properties"][name] = {**field, "type": "string", "format": "binary"}
            del form["properties"][name]["anyOf"]


def _name_responses(operation: Json, schemas: Json) -> None:
    for response in operation["responses"].values():
        for media_type, content in response.get("content", {}).items():
            plain = media_type.partition(";")[0]
            schema = content.get("schema", {})
            if plain in BYTES:
                schemas[BYTES[plain]] = {"type": "string", "format": "binary"}
                content["schema"] = ref(BYTES[plain])
            elif plain in TEXTS:
                schemas[TEXTS[plain]] = {"type": "string"}
                content["schema"] = ref(TEXTS[plain])
            elif schema and "$ref" not in schema:
                schemas[type_name(operation, "Out")] = schema
                content["schema"] = ref(type_name(operation, "Out"))


def _name_members(schema: Json, schemas: Json) -> None:
    """Give objects that are written out within another schema the name that their title says."""
    for parent, place in list(_places(schema)):
        member = parent[place]
        if "title" in member and "properties" in member:
            schemas[member["title"]] = member
            parent[place] = ref(member["title"])
            _name_members(member, schemas)


def _name_unions(name: str, schemas: Json) -> None:
    """Give a field's union of several types a name, since a language without unions needs a type for it."""
    for field, schema in schemas[name].get("properties", {}).items():
        types = _without_null(schema)
        if len(types) > 1:
            named = name + "".join(word.capitalize() for word in field.split("_"))
            schemas[named] = schema
            schemas[name]["properties"][field] = ref(named)


def _places(schema: Any) -> Iterator[tuple[Any, Any]]:
    """The places of all schemas below this one, the innermost last."""
    inside = schema.items() if isinstance(schema, dict) else enumerate(schema)
    for place, part in inside:
        if place in _DATA:
            continue
        if isinstance(part, dict):
            yield schema, place
        if isinstance(part, dict | list):
            yield from _places(part)


def _describe_defaults(schema: Json) -> None:
    """Write the default into the description, and remove `default`.

    openapi-typescript treats a field with `default` as required.
    """
    for name, field in schema.get("properties", {}).items():
        value = field.pop("default", None)
        if value is not None and name not in schema.get("required", ()):
            said = f"{field['description'].rstrip('.')}. " if "description" in field else ""
            field["description"] = f"{said}By default `{json.dumps(value)}`."


def _remove_titles(node: Any) -> None:
    """Remove every title. Pydantic's repeat names of fields, and some generators make types of them."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        for name, part in node.items():
            if name not in _DATA:
                _remove_titles(part)
    elif isinstance(node, list):
        for part in node:
            _remove_titles(part)
