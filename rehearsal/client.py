"""HTTP as a patient client does it: it retries what failed and waits when told to; all of it is timed."""

import asyncio
import ssl
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from random import Random
from typing import Any, Self

import httpx
import orjson

Watch = Callable[[str, bytes], None]
"""Looks at every answer, whatever its status: the kind of the request, and the body."""

_TIMEOUT = httpx.Timeout(30)
_PATIENCE = 90.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 3.0
_ASKED_TO_WAIT = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)

# A context costs some 20 ms to make; a thousand clients share one.
_TLS = ssl.create_default_context()


class Unexpected(Exception):
    """The server answered what the contract does not foresee, or nothing for too long."""


@dataclass
class Tally:
    """What all clients of a rehearsal have seen together."""

    counts: Counter[str] = field(default_factory=Counter)
    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class Answer:
    """The final answer to a request; `unsure` if an earlier try may have been processed unheard."""

    status: int
    content: bytes
    headers: Mapping[str, str]
    unsure: bool

    @cached_property
    def body(self) -> Any:
        """The JSON, parsed when somebody asks for it: a paper has thousands of parts."""
        return orjson.loads(self.content) if self.content else None

    @property
    def code(self) -> str:
        """The code of a problem document."""
        return str(self.body.get("code", ""))


class Client:
    """One device's connections to the API."""

    def __init__(self, api_url: str, tally: Tally, rng: Random, watch: Watch | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{api_url}/v1", timeout=_TIMEOUT, verify=_TLS, trust_env=False
        )
        self.socket_url = f"{api_url}/v1".replace("http", "ws", 1)
        self._tally = tally
        self._rng = rng
        self._watch = watch

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def call(
        self, kind: str, method: str, path: str, token: str | None = None, *statuses: int, **request: Any
    ) -> Answer:
        """Ask until there is an answer with one of these statuses. Raises Unexpected."""
        give_up_at = time.monotonic() + _PATIENCE
        pause, unsure = _FIRST_PAUSE, False
        while True:
            response = await self._try(kind, method, path, token, request)
            if response is not None and response.status_code in statuses:
                return Answer(response.status_code, response.content, response.headers, unsure)
            if response is not None and response.status_code not in _ASKED_TO_WAIT:
                raise Unexpected(f"{kind}: {response.status_code} {response.text[:300]}")
            if time.monotonic() > give_up_at:
                raise Unexpected(f"{kind}: no answer in {_PATIENCE:.0f} s")
            # A 429 comes before anything is done; after a 503 even the commit may have happened.
            unsure |= response is None or response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            self._tally.counts["retries"] += 1
            await asyncio.sleep(_wait(response) or self._rng.uniform(pause / 2, pause))
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def try_once(
        self, kind: str, method: str, path: str, token: str | None = None, **request: Any
    ) -> Answer | None:
        """Ask without a second try; None where nobody can say what became of it."""
        response = await self._try(kind, method, path, token, request)
        if response is None or response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            return None
        return Answer(response.status_code, response.content, response.headers, unsure=False)

    async def _try(
        self, kind: str, method: str, path: str, token: str | None, request: Mapping[str, Any]
    ) -> httpx.Response | None:
        """One request; None where the connection failed."""
        headers = {**request.get("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        began = time.perf_counter()
        self._tally.counts["requests"] += 1
        try:
            response = await self._http.request(method, path, **{**request, "headers": headers})
        except httpx.TransportError:
            self._tally.counts["connections lost"] += 1
            return None
        if self._watch is not None:
            self._watch(kind, response.content)
        if response.is_success:
            self._tally.latencies[kind].append(time.perf_counter() - began)
        elif response.status_code in _ASKED_TO_WAIT:
            self._tally.counts[f"answers {response.status_code}"] += 1
            self._tally.latencies[f"answers {response.status_code}"].append(time.perf_counter() - began)
            self._tally.counts["malformed refusals"] += not _says_when(response)
        return response


def _says_when(response: httpx.Response) -> bool:
    """Whether who is asked to wait is told for how long, and why."""
    is_problem = response.headers.get("content-type", "").startswith("application/problem+json")
    return is_problem and "Retry-After" in response.headers


def _wait(response: httpx.Response | None) -> float:
    """How long the server asks us to wait."""
    return float(response.headers.get("Retry-After", 0)) if response is not None else 0
