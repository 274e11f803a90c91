"""Faults of connections: cut, reset, slow, hanging, and answers that are none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx

from tests.faults.faulty_rehearsal import Fault, Inject
from tests.faults.proxy import http_answer
from tests.faults.system import System

_WRONG = {
    "500": http_answer("500 Internal Server Error", b"<h1>Oops</h1>", "text/html"),
    "json": http_answer("200 OK", b'{"message": "welcome"}'),
    "html": http_answer("200 OK", b"<html>A captive portal</html>", "text/html"),
}


def cut(name: str, every: float) -> Inject:
    """All connections to it are reset, again and again."""

    @asynccontextmanager
    async def inject(system: System) -> AsyncIterator[None]:
        async def repeat() -> None:
            while True:
                system.proxies[name].cut_all()
                await asyncio.sleep(every)

        cutting = asyncio.create_task(repeat())
        try:
            yield
        finally:
            cutting.cancel()

    return inject


@asynccontextmanager
async def commits_cut(system: System) -> AsyncIterator[None]:
    """PostgreSQL hears COMMIT, and nobody hears its answer: one time in three."""
    proxy = system.proxies["postgres"]
    proxy.cut_after_request = lambda chunk: b"COMMIT" in chunk and proxy.rng.random() < 1 / 3
    try:
        yield
    finally:
        proxy.restore()
    if not proxy.cuts:
        raise AssertionError("no commit was cut")


@asynccontextmanager
async def answers_reset(system: System) -> AsyncIterator[None]:
    """Half of the API's answer arrives, then a TCP reset: one time in three."""
    proxy = system.proxies["api"]
    proxy.cut_in_answer = lambda _: proxy.rng.random() < 1 / 3
    try:
        yield
    finally:
        proxy.restore()
    if not proxy.cuts:
        raise AssertionError("no answer was cut")


def hanging(name: str) -> Inject:
    """Connections are accepted, and nothing passes."""

    @asynccontextmanager
    async def inject(system: System) -> AsyncIterator[None]:
        system.proxies[name].passes.clear()
        try:
            yield
        finally:
            system.proxies[name].restore()

    return inject


def gone(name: str) -> Inject:
    """Every connection is refused, and those that were open are reset."""

    @asynccontextmanager
    async def inject(system: System) -> AsyncIterator[None]:
        system.proxies[name].refuses = True
        system.proxies[name].cut_all()
        try:
            yield
        finally:
            system.proxies[name].restore()

    return inject


def slow(name: str, delay: float) -> Inject:
    @asynccontextmanager
    async def inject(system: System) -> AsyncIterator[None]:
        system.proxies[name].delay = delay
        try:
            yield
        finally:
            system.proxies[name].restore()

    return inject


def says(name: str, answer: bytes) -> Inject:
    """It answers everything with the same nonsense."""

    @asynccontextmanager
    async def inject(system: System) -> AsyncIterator[None]:
        system.proxies[name].answer = answer
        system.proxies[name].cut_all()
        try:
            yield
        finally:
            system.proxies[name].restore()

    return inject


def people_ask(*allowed: int) -> Callable[[System], Awaitable[list[str]]]:
    """Whoever signs in or up meanwhile gets one of these answers, a 503 with all that belongs to it."""

    async def ask(system: System) -> list[str]:
        account = {"email": f"{uuid4().hex}@example.org", "password": "testpassword", "name": "Asha Rao"}
        requests = {
            "register": account,
            "login": {name: account[name] for name in ("email", "password")},
            "refresh": {"refresh_token": "AAAAAAAAAAAAAAAAAAAAAA"},
            "forgot-password": {"email": account["email"]},
        }
        problems = []
        async with httpx.AsyncClient(trust_env=False, timeout=30, base_url=f"{system.api_url}/v1") as http:
            for path, body in requests.items():
                answer = await http.post(f"/auth/{path}", json=body)
                if answer.status_code not in allowed:
                    problems.append(f"{path} was answered with {answer.status_code}: {answer.text[:200]}")
                if answer.status_code == 503 and "Retry-After" not in answer.headers:
                    problems.append(f"{path} was answered with 503 without Retry-After")
        return problems

    return ask


_SIGNED_OUT = people_ask(503, 202, 204)

FAULTS = [
    Fault("database-cut", "Connections to PostgreSQL reset every 0.3 s for 6 s", cut("postgres", 0.3), 6),
    Fault("commit-cut", "PostgreSQL's answer to COMMIT lost, 1 in 3, for 8 s", commits_cut, 8),
    Fault("database-unreachable", "No packet to PostgreSQL passes for 12 s", hanging("postgres"), 12),
    Fault("database-slow", "Each packet of PostgreSQL takes 150 ms, for 6 s", slow("postgres", 0.15), 6),
    Fault(
        "database-wrong",
        "Something else answers at PostgreSQL's port for 4 s",
        says("postgres", _WRONG["500"]),
        4,
        expects="unavailable",
    ),
    Fault("redis-cut", "Connections to Redis reset every 0.3 s for 6 s", cut("valkey", 0.3), 6),
    Fault("redis-unreachable", "No packet to Redis passes for 8 s", hanging("valkey"), 8),
    Fault("redis-wrong", "Something else answers at Redis's port for 4 s", says("valkey", _WRONG["500"]), 4),
    Fault("answers-reset", "TCP reset in the middle of the API's answers, 1 in 3, for 8 s", answers_reset, 8),
    Fault("api-connections-cut", "Candidates' connections reset every 0.5 s for 6 s", cut("api", 0.5), 6),
    Fault("auth-gone", "Auth server refuses connections", gone("auth"), 5, during=_SIGNED_OUT),
    Fault(
        "auth-500", "Auth server answers 500 with HTML", says("auth", _WRONG["500"]), 5, during=_SIGNED_OUT
    ),
    Fault(
        "auth-wrong", "Auth server answers other JSON", says("auth", _WRONG["json"]), 5, during=_SIGNED_OUT
    ),
    Fault(
        "auth-html", "Auth server answers 200 with HTML", says("auth", _WRONG["html"]), 5, during=_SIGNED_OUT
    ),
    Fault("auth-hung", "Auth server accepts and says nothing", hanging("auth"), 12, during=_SIGNED_OUT),
    Fault(
        "auth-slow",
        "Auth server takes 2 s longer",
        slow("auth", 1.0),
        8,
        during=people_ask(201, 200, 400, 401, 202, 204, 422, 503),
    ),
]
