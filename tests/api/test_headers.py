"""What every answer carries, and that none is built from what the client says about itself."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from app.main import create_app
from tests.api.access_table import OPERATIONS, OUTSIDE_THE_DOCUMENT, Level
from tests.api.document import openapi_document
from tests.api.matrix import Matrix
from tests.builders.world import Identity
from tests.conftest import ROOT
from tests.production_settings import PRODUCTION, settings_of
from tests.thorough import part

HEADER = re.compile(r"`(ETag|[A-Z][A-Za-z]*(?:-[A-Z][A-Za-z]*)+)(?::[^`]*)?`")
OF_REQUESTS = {"Accept-Language", "Idempotency-Key", "If-None-Match"}
ALWAYS_READABLE = {"Cache-Control", "Content-Language", "Content-Length", "Content-Type"}
"""Pages of other origins may read these without being told so."""
FOR_THE_BROWSER = {
    *("Content-Security-Policy", "Referrer-Policy", "Strict-Transport-Security", "Vary"),
    *("X-Content-Type-Options", "X-Frame-Options"),
}
"""What tells the browser itself what to do."""
OTHER_HOST = "attacker.example"
GETS = [operation for operation in OPERATIONS if operation[0] == "GET"]
REFUSED: dict[str, tuple[str, str, dict[str, object]]] = {
    "401": ("GET", "/v1/auth/me", {}),
    "404, no such route": ("GET", "/v1/nothing", {}),
    "404, outside /v1": ("GET", "/nothing", {}),
    "405": ("PUT", "/v1/tests", {}),
    "413": (
        "POST",
        "/v1/auth/login",
        {"content": b" " * 1_000_001, "headers": {"Content-Type": "application/json"}},
    ),
    "422, not JSON": (
        "POST",
        "/v1/auth/login",
        {"content": b"{", "headers": {"Content-Type": "application/json"}},
    ),
    "422": ("POST", "/v1/auth/login", {"json": {}}),
    "400, preflight": (
        "OPTIONS",
        "/v1/tests",
        {"headers": {"Origin": f"https://{OTHER_HOST}", "Access-Control-Request-Method": "GET"}},
    ),
}

ASK = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "Authorization"}


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application in production that one website may call; no server stands behind it."""
    with pytest.MonkeyPatch.context() as environment:
        settings = settings_of(environment, **PRODUCTION, CORS_ORIGINS="https://app.example.org")
    transport = httpx.ASGITransport(create_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="https://api.example.org") as client:
        yield client


def wrong_headers(answer: httpx.Response) -> dict[str, str | None]:
    """The headers of an answer that are not as they should be. None sets a cookie, none is cached."""
    headers = answer.headers
    cached = headers.get("Cache-Control", "")
    found = {
        "X-Content-Type-Options": headers.get("X-Content-Type-Options") == "nosniff",
        "X-Frame-Options": headers.get("X-Frame-Options") == "DENY",
        "Referrer-Policy": headers.get("Referrer-Policy") == "no-referrer",
        "Content-Security-Policy": "frame-ancestors 'none'" in headers.get("Content-Security-Policy", ""),
        "X-Request-ID": "X-Request-ID" in headers,
        "Server": "Server" not in headers,
        "Set-Cookie": "Set-Cookie" not in headers,
        "Cache-Control": cached == "no-store" or cached.startswith("private, "),
    }
    return {name: headers.get(name) for name, fine in found.items() if not fine}


class TestEveryAnswer:
    async def test_it_carries_the_security_headers_and_is_not_cached(self, matrix: Matrix) -> None:
        found = []
        for operation in [*GETS, ("GET", "/health"), ("GET", "/docs")]:
            for identity in part((Identity.OWNER, Identity.ADMIN, Identity.ANONYMOUS), operation[1], 3):
                answer = await matrix.send(identity, operation, matrix.world.path(operation[1]))
                if wrong := wrong_headers(answer):
                    found.append((operation, identity, wrong))
        assert found == []

    async def test_a_refusal_does_too(self, matrix: Matrix) -> None:
        for case, (method, path, request) in REFUSED.items():
            answer = await matrix.client.request(method, path, **request)  # type: ignore[arg-type]
            assert case.startswith(str(answer.status_code)), case
            assert wrong_headers(answer) == {}, case
            assert answer.headers["Cache-Control"] == "no-store", case

    async def test_other_methods_are_not_answered(self, matrix: Matrix) -> None:
        for method in ["TRACE", "CONNECT", "BREW"]:
            assert (await matrix.client.request(method, "/v1/tests")).status_code == 405, method

    async def test_in_production_https_is_for_good(self, browser: httpx.AsyncClient) -> None:
        for path in ("/nothing", "/health"):
            policy = (await browser.get(path)).headers["Strict-Transport-Security"]
            assert policy == "max-age=31536000; includeSubDomains"


class TestOtherOrigins:
    async def test_a_named_one_may_ask(self, browser: httpx.AsyncClient) -> None:
        answer = await browser.options("/v1/tests", headers={"Origin": "https://app.example.org", **ASK})
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
        # Tokens go into a header that the page sets; no cookie is ever used.
        assert "Access-Control-Allow-Credentials" not in answer.headers

    async def test_another_may_not(self, browser: httpx.AsyncClient) -> None:
        for origin in [
            f"https://{OTHER_HOST}",
            "http://app.example.org",
            "https://app.example.org.attacker.example",
            "https://app.example.org:8443",
            "null",
        ]:
            preflight = await browser.options("/v1/tests", headers={"Origin": origin, **ASK})
            assert preflight.status_code == 400, origin
            for answer in (preflight, await browser.get("/health", headers={"Origin": origin})):
                assert "Access-Control-Allow-Origin" not in answer.headers, origin

    async def test_it_can_read_every_documented_header(self, browser: httpx.AsyncClient) -> None:
        documented = documented_headers() - OF_REQUESTS - ALWAYS_READABLE
        assert documented - await exposed_headers(browser) == set()
        assert {"ETag", "Retry-After", "X-Request-ID", "X-Questions-Left-Out"} <= documented

    async def test_it_can_read_every_header_that_an_answer_has(
        self, browser: httpx.AsyncClient, matrix: Matrix
    ) -> None:
        exposed = await exposed_headers(browser)
        found: set[str] = set()
        for operation in [*GETS, ("PUT", "/v1/tests"), ("POST", "/v1/questions/export")]:
            answer = await matrix.send(Identity.ADMIN, operation, matrix.world.path(operation[1]))
            found |= {name.lower() for name in answer.headers}
        readable = {name.lower() for name in exposed | ALWAYS_READABLE | FOR_THE_BROWSER}
        assert found - readable == set()


async def exposed_headers(browser: httpx.AsyncClient) -> set[str]:
    """The headers that a page of an allowed origin can read."""
    answer = await browser.get("/health", headers={"Origin": "https://app.example.org"})
    return set(answer.headers["Access-Control-Expose-Headers"].split(", "))


def documented_headers() -> set[str]:
    """The headers of answers that the OpenAPI document declares, and all that it or docs/api.md names."""
    document = openapi_document()
    text = str(document) + (ROOT / "docs/api.md").read_text()
    operations = [each for path in document["paths"].values() for each in path.values()]
    responses = [each for operation in operations for each in operation["responses"].values()]
    declared = {name for response in responses for name in response.get("headers", {})}
    return declared | set(HEADER.findall(text))


class TestNothingIsBuiltFromTheHost:
    async def test_no_answer_repeats_it(self, matrix: Matrix) -> None:
        token = str(matrix.world.headers[Identity.ADMIN])
        hosts = dict.fromkeys(("Host", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"), OTHER_HOST)
        for operation in GETS:
            path = matrix.world.path(operation[1])
            for address in part((path, f"{path}/"), operation[1], 2):
                answer = await matrix.client.get(address, headers={**hosts, "Authorization": token})
                assert OTHER_HOST not in answer.text + repr(answer.headers.raw), address

    async def test_nothing_redirects(self, matrix: Matrix) -> None:
        for method, template in OPERATIONS | OUTSIDE_THE_DOCUMENT:
            path = matrix.world.path(template, file="start.js")
            addresses = f"{path}/", f"/{path}", f"{path}?next=https://{OTHER_HOST}"
            for address in part(addresses, f"{method} {template}", 3):
                answer = await matrix.client.request(method, address)
                assert "Location" not in answer.headers, (method, address)
                assert not 300 <= answer.status_code < 400, (method, address)

    def test_only_public_routes_take_no_token(self) -> None:
        """A link in a mail carries its own: these routes are the ones that a browser opens by itself."""
        links = {each for each, rule in OPERATIONS.items() if rule.level is Level.PUBLIC and each[0] == "GET"}
        assert links == {
            ("GET", "/v1/health"),
            ("GET", "/v1/health/db"),
            ("GET", "/v1/health/ready"),
            ("GET", "/v1/notifications/unsubscribe"),
            ("GET", "/v1/response-sheets/keys"),
            ("GET", "/v1/time"),
        }
