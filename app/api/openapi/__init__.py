"""The OpenAPI document (docs/decisions/0058). Clients are generated from it.

FastAPI writes it from the routes and the schemas. What FastAPI cannot know is added here, for every
operation by the same rules: names of schemas, codes of problems, examples, servers.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.api.openapi import examples, problem_codes, schemas


def operation_id(route: APIRoute) -> str:
    """The name of the route's function."""
    return route.name


def install(app: FastAPI) -> None:
    """Complete the document that FastAPI generates."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = completed(generate())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it.


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with names, problems and examples."""
    problem_codes.describe(document)
    schemas.prepare_schemas(document)
    examples.add_all(document)
    return document
