"""What tests of the API share."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from tests.sockets import serving


@pytest.fixture(scope="session")
async def sockets_url(app: FastAPI) -> AsyncIterator[str]:
    """Where the application's sockets are, behind a real server in this process."""
    async with serving(app) as url:
        yield url
