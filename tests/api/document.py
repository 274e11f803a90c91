"""The OpenAPI document of the application, which takes most of a second to build: once in each process."""

from functools import cache
from typing import Any

from app.config import Settings
from app.main import create_app


@cache
def openapi_document() -> dict[str, Any]:
    """The document as clients see it. It is known before any server runs, and must not be changed."""
    return create_app(Settings(environment="test")).openapi()
