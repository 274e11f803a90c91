"""An HTTP client that repeats requests that failed, waits when it is asked to, and measures each request."""

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

Observer = Callable[[str, bytes], None]
"""Called with the kind of each request and the body of its response, whatever the status."""

_REQUEST_TIMEOUT = httpx.Timeout(30)
_RETRY_SECONDS = 90.0
_FIRST_PAUSE, _MAX_PAUSE = 0.2, 3.0
_ASKED_TO_WAIT = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)

# Making a context takes about 20 ms, so that all clients share one.
_TLS = ssl.create_default_context()


class UnexpectedResponse(Exception):
    """The server answered against the API's contract, or did not answer for too long."""


@dataclass
class Metrics:
    """Counts and latencies in seconds of all clients of a rehearsal together."""

    counts: Counter[str] = field(default_factory=Counter)
    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class ApiResponse:
    """The final response. `maybe_processed` says that an earlier, unanswered try may have been processed."""

    status: int
    content: bytes
    headers: Mapping[str, str]
    maybe_processed: bool

    @cached_property
    def body(self) -> Any:
        """The JSON document, parsed at the first access because papers are large."""
        return orjson.loads(self.content) if self.content else None

    @property
    def code(self) -> str:
        """The code of a problem document."""
        return str(self.body.get("code", ""))


class Client:
    """One device's connections to the API."""

    def __init__(self, api_url: str, metrics: Metrics, rng: Random, observe: Observer | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{api_url}/v1", timeout=_REQUEST_TIMEOUT, verify=_TLS, trust_env=False
        )
        self.socket_url = f"{api_url}/v1".replace("http", "ws", 1)
        self._metrics = metrics
        self._rng = rng
        self._observe = observe

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def call(
        self, kind: str, method: str, path: str, token: str | None = None, *statuses: int, **request: Any
    ) -> ApiResponse:
        """Repeat a request until its response has one of `statuses`. Raises UnexpectedResponse."""
        give_up_at = time.monotonic() + _RETRY_SECONDS
        pause, maybe_processed = _FIRST_PAUSE, False
        while True:
            response = await self._try(kind, method, path, token, request)
            if response is not None and response.status_code in statuses:
                return ApiResponse(response.status_code, response.content, response.headers, maybe_processed)
            if response is not None and response.status_code not in _ASKED_TO_WAIT:
                raise UnexpectedResponse(f"{kind}: {response.status_code} {response.text[:300]}")
            if time.monotonic() > give_up_at:
                raise UnexpectedResponse(f"{kind}: no response in {_RETRY_SECONDS:.0f} s")
            # A 429 is sent before anything is done; a 503 may be sent after the commit.
            maybe_processed |= response is None or response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            self._metrics.counts["retries"] += 1
            await asyncio.sleep(_retry_after(response) or self._rng.uniform(pause / 2, pause))
            pause = min(2 * pause, _MAX_PAUSE)

    async def try_once(
        self, kind: str, method: str, path: str, token: str | None = None, **request: Any
    ) -> ApiResponse | None:
        """Send a request once. Returns None if it is unknown whether it was processed."""
        response = await self._try(kind, method, path, token, request)
        if response is None or response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            return None
        return ApiResponse(response.status_code, response.content, response.headers, maybe_processed=False)

    async def _try(
        self, kind: str, method: str, path: str, token: str | None, request: Mapping[str, Any]
    ) -> httpx.Response | None:
        """Send one request. Returns None if the connection failed."""
        headers = {**request.get("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        began = time.perf_counter()
        self._metrics.counts["requests"] += 1
        try:
            response = await self._http.request(method, path, **{**request, "headers": headers})
        except httpx.TransportError:
            self._metrics.counts["connections lost"] += 1
            return None
        if self._observe is not None:
            self._observe(kind, response.content)
        self._measure(kind, response, time.perf_counter() - began)
        return response

    def _measure(self, kind: str, response: httpx.Response, seconds: float) -> None:
        if response.is_success:
            self._metrics.latencies[kind].append(seconds)
        elif response.status_code in _ASKED_TO_WAIT:
            self._metrics.counts[f"responses {response.status_code}"] += 1
            self._metrics.counts[f"{kind} refused"] += 1
            self._metrics.latencies[f"responses {response.status_code}"].append(seconds)
            self._metrics.counts["malformed refusals"] += not _is_well_formed_refusal(response)


def _is_well_formed_refusal(response: httpx.Response) -> bool:
    """Whether a response that asks to wait says for how long, in a problem document."""
    is_problem = response.headers.get("content-type", "").startswith("application/problem+json")
    return is_problem and "Retry-After" in response.headers


def _retry_after(response: httpx.Response | None) -> float:
    """The seconds of Retry-After; 0 without that header."""
    return float(response.headers.get("Retry-After", 0)) if response is not None else 0
