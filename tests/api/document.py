"""The OpenAPI document of the application, and applications that take it over.

Building the document takes more than a second of a processor, so that each process builds it once.
"""

from collections.abc import Callable
from functools import cache
from time import monotonic as system_monotonic
from typing import Any

from fastapi import FastAPI

from app.config import Settings
from app.core.clock import Clock
from app.main import create_app


@cache
def openapi_document() -> dict[str, Any]:
    """The document as clients see it. It is known before any server runs, and must not be changed."""
    return create_app(Settings(environment="test", log_level="ERROR")).openapi()


def create_documented_app(
    settings: Settings, *, clock: Clock | None = None, monotonic: Callable[[], float] = system_monotonic
) -> FastAPI:
    """An application whose lifespan does not build the document again."""
    document = openapi_document()  # First, because each application configures the logging of its process.
    app = create_app(settings, clock=clock, monotonic=monotonic)
    app.openapi_schema = document
    return app
