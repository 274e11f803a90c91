"""The OpenAPI document of the application, and applications that take it over.

Building the document takes more than two seconds of a processor, so that a run builds it once.
"""

import fcntl
import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import monotonic as system_monotonic
from typing import Any

from fastapi import FastAPI

from app.config import Settings
from app.core.clock import Clock
from app.main import create_app
from tests.xdist_controller import SHARED_FOLDER


@cache
def openapi_document() -> dict[str, Any]:
    """The document as clients see it. It is known before any server runs, and must not be changed."""
    folder = os.environ.get(SHARED_FOLDER)
    return _shared(Path(folder) / "openapi.json") if folder else _built()


def _built() -> dict[str, Any]:
    return create_app(Settings(environment="test", log_level="ERROR")).openapi()


def _shared(path: Path) -> dict[str, Any]:
    """What the first worker of the run writes, and the others wait for."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        if not text:
            text = json.dumps(_built())
            file.write(text)
    document: dict[str, Any] = json.loads(text)
    return document


def create_documented_app(
    settings: Settings, *, clock: Clock | None = None, monotonic: Callable[[], float] = system_monotonic
) -> FastAPI:
    """An application whose lifespan does not build the document again."""
    document = openapi_document()  # First, because each application configures the logging of its process.
    app = create_app(settings, clock=clock, monotonic=monotonic)
    app.openapi_schema = document
    return app
