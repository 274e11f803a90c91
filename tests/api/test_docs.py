"""`/docs`, `/openapi.json` and `/asyncapi.json`: read from this host alone, and absent in production."""

import re
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import FastAPI

from app.api.docs import FILES, TEXTS
from app.config import Settings
from app.main import create_app
from tests.api.document import create_documented_app
from tests.production_settings import PRODUCTION, settings_of

SERVED = (*FILES, *TEXTS)
PATHS = (
    "/docs",
    "/docs/sockets",
    "/openapi.json",
    "/asyncapi.json",
    "/redoc",
    *(f"/docs/{file}" for file in SERVED),
)
PAGES = {
    "/docs": {*FILES, "start.js", "sockets", "/openapi.json"},
    "/docs/sockets": {"sockets.css", "favicon.png", "/docs", "/asyncapi.json"},
}
"""The files and pages that a page loads or leads to; those with a slash are outside `/docs/`."""


@pytest.fixture(scope="module")
def development() -> FastAPI:
    """An application that is not started: its documentation needs no server."""
    return create_documented_app(Settings(environment="test"))


@pytest.fixture(scope="module")
def production() -> FastAPI:
    with pytest.MonkeyPatch.context() as environment:
        return create_app(settings_of(environment, **PRODUCTION))


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test")


class TestTheDocumentation:
    @pytest.mark.parametrize("path", PAGES)
    async def test_it_loads_nothing_from_anywhere_else(self, development: FastAPI, path: str) -> None:
        async with client_of(development) as client:
            page = await client.get(path)
            assert page.status_code == 200
            named = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
            loaded = {urljoin(f"http://api.test{path}", each) for each in named}
            assert loaded == {urljoin("http://api.test/docs/", each) for each in PAGES[path]}
            for url in loaded:
                file = await client.get(url)
                assert file.status_code == 200
                assert file.headers["X-Content-Type-Options"] == "nosniff"
                assert len(file.content) > 100

    async def test_its_policy_allows_no_inline_script(self, development: FastAPI) -> None:
        for path in PAGES:
            async with client_of(development) as client:
                page = await client.get(path)
            policy = page.headers["Content-Security-Policy"]
            assert "unsafe" not in policy, path
            assert "http" not in policy, path
            assert "script-src 'self'" in policy, path
            assert not re.search(r"<script>|<style|\sstyle=|<[^>]*\son\w+=", page.text), path

    async def test_no_other_file_is_served(self, development: FastAPI) -> None:
        for name in ["nothing.js", "../docs.py", "..%2f__init__.py", "redoc.standalone.js"]:
            async with client_of(development) as client:
                assert (await client.get(f"/docs/{name}")).status_code == 404, name


class TestProduction:
    async def test_nothing_is_shown(self, production: FastAPI) -> None:
        for path in PATHS:
            async with client_of(production) as client:
                answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path

    async def test_it_is_shown_where_that_is_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = settings_of(monkeypatch, **PRODUCTION, PUBLIC_DOCS="true")
        async with client_of(create_documented_app(settings)) as client:
            for path in PATHS:
                assert (await client.get(path)).status_code == (404 if path == "/redoc" else 200), path
