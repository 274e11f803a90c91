"""Whether the time of an answer tells which addresses are known, measured on a running system.

    python -m tests.faults.timing [--calls 400]

finds the `ias up` of IAS_HOME (or takes API_URL), registers accounts, and asks each route in random order for
known and unknown addresses. The AUC is the probability that a known address takes longer than an unknown one:
0.5 tells nothing. A route outside of 0.45 to 0.55 is measured again, since chance alone leads there now and
then; three times in a row is a failure.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

LOWEST, HIGHEST = 0.45, 0.55
TRIES = 3
WARM_UP = 20
PASSWORD = "testpassword"
SEED = 8

Body = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class Route:
    """A call that takes an address; `status` is what it answers for every address."""

    name: str
    url: str
    body: Body
    status: int
    headers: dict[str, str]


@dataclass(frozen=True)
class Measured:
    """How one route did."""

    route: Route
    auc: float
    known_ms: float
    unknown_ms: float
    tries: int

    @property
    def holds(self) -> bool:
        """Whether the times tell nothing."""
        return LOWEST <= self.auc <= HIGHEST

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "TELLS"
        times = f"median {self.known_ms:7.1f} ms known, {self.unknown_ms:7.1f} ms unknown"
        return f"{self.route.name:28} AUC {self.auc:.3f}  {times}  tries {self.tries}  {verdict}"


def auc(known: Sequence[float], unknown: Sequence[float]) -> float:
    """The probability that a value of `known` is above one of `unknown`; ties count half (Mann-Whitney)."""
    ranked = sorted([(value, 1) for value in known] + [(value, 0) for value in unknown])
    ranks, place = 0.0, 0
    while place < len(ranked):
        after = place
        while after < len(ranked) and ranked[after][0] == ranked[place][0]:
            after += 1
        middle = (place + 1 + after) / 2
        ranks += middle * sum(is_known for _, is_known in ranked[place:after])
        place = after
    above = ranks - len(known) * (len(known) + 1) / 2
    return above / (len(known) * len(unknown))


async def timed(http: httpx.AsyncClient, route: Route, email: str) -> float:
    """Seconds for one call. Where a limit is used up, waits until it is not."""
    while True:
        began = time.perf_counter()
        answer = await http.post(route.url, json=route.body(email), headers=route.headers)
        seconds = time.perf_counter() - began
        if int(answer.headers.get("RateLimit-Remaining", 1)) == 0:
            await asyncio.sleep(int(answer.headers["RateLimit-Reset"]))
        if answer.status_code == route.status:
            return seconds
        if answer.status_code != 429:
            raise RuntimeError(f"{route.name} answered {answer.status_code}: {answer.text[:200]}")


async def measure(
    http: httpx.AsyncClient, route: Route, known: Sequence[str], dice: random.Random
) -> Measured:
    """Known and unknown addresses in random order, one at a time, each address once."""
    result = None
    for attempt in range(1, TRIES + 1):
        for _ in range(WARM_UP):
            await timed(http, route, new_email())
        addresses = [(email, True) for email in known] + [(new_email(), False) for _ in known]
        dice.shuffle(addresses)
        times: dict[bool, list[float]] = {True: [], False: []}
        for email, is_known in addresses:
            times[is_known].append(await timed(http, route, email))
        result = Measured(
            route, auc(times[True], times[False]), median(times[True]), median(times[False]), attempt
        )
        if result.holds:
            break
    assert result is not None
    return result


def median(seconds: Sequence[float]) -> float:
    """In milliseconds."""
    return sorted(seconds)[len(seconds) // 2] * 1000


def new_email() -> str:
    """An address that nobody has."""
    return f"{uuid4().hex}@example.org"


async def registered(http: httpx.AsyncClient, api_url: str, count: int) -> tuple[list[str], bool]:
    """New accounts, and whether their addresses have to be confirmed first."""
    emails, confirmed_first = [], False
    route = Route("register", f"{api_url}/v1/auth/register", registration, 201, {})
    for _ in range(count):
        email = new_email()
        await timed(http, route, email)
        emails.append(email)
    answer = await http.post(route.url, json=registration(new_email()))
    confirmed_first = bool(answer.json().get("confirmation_required"))
    return emails, confirmed_first


def registration(email: str) -> dict[str, Any]:
    """The body of a registration."""
    return {"email": email, "password": PASSWORD, "name": "Timing"}


def routes(api_url: str, auth: tuple[str, str] | None, *, confirmed_first: bool) -> list[Route]:
    """What is measured. Registration tells known addresses by its status unless a mail confirms them."""

    def address_alone(email: str) -> dict[str, Any]:
        return {"email": email}

    def wrong_password(email: str) -> dict[str, Any]:
        return {"email": email, "password": "a wrong password"}

    v1 = f"{api_url}/v1/auth"
    found = [
        Route("POST /v1/auth/forgot-password", f"{v1}/forgot-password", address_alone, 202, {}),
        Route("POST /v1/auth/resend", f"{v1}/resend", address_alone, 202, {}),
        Route("POST /v1/auth/login", f"{v1}/login", wrong_password, 401, {}),
    ]
    if confirmed_first:
        found.append(Route("POST /v1/auth/register", f"{v1}/register", registration, 201, {}))
    if auth is not None:
        url, key = auth
        own = f"{url.rstrip('/')}/auth/v1"
        headers = {"apikey": key}
        found += [
            Route("POST /auth/v1/recover", f"{own}/recover", address_alone, 200, headers),
            Route(
                "POST /auth/v1/token",
                f"{own}/token?grant_type=password",
                wrong_password,
                400,
                headers,
            ),
        ]
    return found


def system() -> tuple[str, tuple[str, str] | None]:
    """The API's address, and the embedded auth server's with its public key where there is one."""
    if url := os.environ.get("API_URL"):
        return url.rstrip("/"), None
    home = Path(os.environ.get("IAS_HOME", ".ias"))
    addresses = json.loads((home / "run.json").read_text())
    return addresses["api_url"].rstrip("/"), (addresses["supabase_url"], addresses["supabase_anon_key"])


async def run(calls: int) -> list[Measured]:
    """Measure every route with `calls` calls, half of them for known addresses."""
    api_url, auth = system()
    dice = random.Random(SEED)
    async with httpx.AsyncClient(timeout=60) as http:
        known, confirmed_first = await registered(http, api_url, calls // 2)
        measured = []
        for route in routes(api_url, auth, confirmed_first=confirmed_first):
            measured.append(await measure(http, route, known, dice))
            print(measured[-1], flush=True)
    return measured


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each route; 1 if the time of any tells known addresses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=400, help="calls to each route")
    measured = asyncio.run(run(parser.parse_args(arguments).calls))
    return 0 if all(each.holds for each in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
