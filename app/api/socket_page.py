"""The page at `/docs/sockets`: the AsyncAPI document as tables, readable without any other host."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt

from app.api import asyncapi

Json = dict[str, Any]

STYLE = """body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; }
table { border-collapse: collapse; margin: .5rem 0 1rem; width: 100%; }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: left; vertical-align: top; }
code, pre { background: #f4f4f4; font-size: .9em; }
pre { overflow: auto; padding: .6rem; }
h2 { border-top: 2px solid #ccc; margin-top: 2.5rem; padding-top: 1rem; }
"""

_templates = Environment(
    loader=PackageLoader("app.api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_markdown = MarkdownIt("commonmark", {"html": False})


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a message: its path, its type in words, and what it means."""

    path: str
    type: str
    description: str
    is_optional: bool


@cache
def page(api_url: str) -> str:
    """The page for an API at this address."""
    document = asyncapi.document(api_url)
    messages = document["components"]["messages"]
    return _templates.get_template("sockets.html").render(
        title=document["info"]["title"],
        introduction=_markdown.render(document["info"]["description"]),
        channels=document["channels"].values(),
        messages=[_shown(message, document["components"]["schemas"]) for message in messages.values()],
        close_codes=document["x-close-codes"],
    )


def _shown(message: Json, schemas: Json) -> Json:
    return {
        "name": message["name"],
        "summary": _markdown.renderInline(message["summary"]),
        "fields": list(_fields(message["payload"], schemas)),
        "example": json.dumps(message["examples"][0]["payload"], indent=2, ensure_ascii=False),
    }


def _fields(schema: Json, schemas: Json, prefix: str = "") -> Iterator[_Field]:
    schema = _resolved(schema, schemas)
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        resolved = _resolved(part, schemas)
        if "properties" not in resolved:
            is_optional = name not in schema.get("required", ())
            description = _markdown.renderInline(part.get("description", ""))
            yield _Field(path, _type(part, schemas), description, is_optional)
        yield from _fields(resolved, schemas, f"{path}.")
        yield from _fields(resolved.get("items", {}), schemas, f"{path}[].")


def _resolved(schema: Json, schemas: Json) -> Json:
    if "$ref" not in schema:
        return schema
    named: Json = schemas[schema["$ref"].rpartition("/")[2]]
    return named


def _type(schema: Json, schemas: Json) -> str:
    """The type in words, such as `integer or null`."""
    schema = _resolved(schema, schemas)
    if "anyOf" in schema:
        return " or ".join(_type(each, schemas) for each in schema["anyOf"])
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "enum" in schema:
        return " or ".join(f'"{each}"' for each in schema["enum"])
    if schema["type"] == "object":
        return "object of texts by language"
    return schema.get("format") or str(schema["type"])
