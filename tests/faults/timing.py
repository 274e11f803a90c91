"""Whether the time of an answer tells which addresses are known, measured on a running system.

    python -m tests.faults.timing [--calls 400] [--rounds 5]

takes the API at API_URL, the `ias up` that runs in IAS_HOME, or one of its own. It registers accounts and
asks each route in random order for known and unknown addresses. The AUC is the probability that a known
address takes longer than an unknown one: 0.5 tells nothing.

The rule stands before the first call. A call is compared with calls of its own round, since a machine is
slower at one time than at another. The AUC is the mean of all rounds, and no round is left out. Its interval
holds the true value in 99 of 100 cases. A route is measured for all its rounds. Where these do not decide, it
is measured for as many again, at most twice. Then

    holds       the whole interval lies within 0.45 to 0.55
    TELLS       the whole interval lies outside
    undecided   neither: the calls are too few to say

Each round is printed. The command fails unless every route holds.
"""

import argparse
import asyncio
import bisect
import math
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.faults import installation

MIN_AUC, MAX_AUC = 0.45, 0.55
NORMAL_99 = 2.576
"""So many standard errors to each side hold 99 % of a normal distribution."""
WARM_UP = 20
MAX_SERIES = 3
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
class Round:
    """One series of calls to a route, in seconds."""

    known: Sequence[float]
    unknown: Sequence[float]

    @property
    def auc(self) -> float:
        """The probability that a known address takes longer; ties count half."""
        return _mean(_placements(self.known, self.unknown))

    @property
    def variance(self) -> float:
        """Of the AUC, after DeLong: by how far each call stands among those of the other kind."""
        above, below = _placements(self.known, self.unknown), _placements(self.unknown, self.known)
        return _variance(above) / len(above) + _variance(below) / len(below)

    def __str__(self) -> str:
        times = f"median {median(self.known):7.1f} ms known, {median(self.unknown):7.1f} ms unknown"
        return f"AUC {self.auc:.3f}  {times}"


@dataclass(frozen=True)
class Measured:
    """How one route did, in all its rounds."""

    route: Route
    rounds: list[Round]

    @property
    def auc(self) -> float:
        """The mean of the rounds; each counts the same, for each has as many calls."""
        return _mean([each.auc for each in self.rounds])

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true AUC lies in 99 of 100 cases."""
        error = math.sqrt(sum(each.variance for each in self.rounds)) / len(self.rounds)
        return self.auc - NORMAL_99 * error, self.auc + NORMAL_99 * error

    @property
    def verdict(self) -> str:
        """By the rule that stands at the head of this file."""
        low, high = self.interval
        if low > MAX_AUC or high < MIN_AUC:
            return "TELLS"
        return "holds" if low >= MIN_AUC and high <= MAX_AUC else "undecided"

    def __str__(self) -> str:
        low, high = self.interval
        within = f"AUC {self.auc:.3f}, 99 % within {low:.3f} to {high:.3f}"
        calls = sum(len(each.known) + len(each.unknown) for each in self.rounds)
        return f"{self.route.name:28} {within}, {calls} calls: {self.verdict}"


def _placements(these: Sequence[float], those: Sequence[float]) -> list[float]:
    """For each of `these`, the share of `those` that it is above; ties count half."""
    ranked = sorted(those)
    return [
        (bisect.bisect_left(ranked, value) + bisect.bisect_right(ranked, value)) / (2 * len(ranked))
        for value in these
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    mean = _mean(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


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
    http: httpx.AsyncClient, route: Route, known: Sequence[str], dice: random.Random, rounds: int
) -> Measured:
    """So many rounds, and as many again, at most twice, while these do not decide."""
    measured = Measured(route, [])
    for _ in range(MAX_SERIES):
        for _ in range(rounds):
            measured.rounds.append(await measure_round(http, route, known, dice))
            print(f"{route.name:28} round {len(measured.rounds)}  {measured.rounds[-1]}", flush=True)
        if measured.verdict != "undecided":
            break
    return measured


async def measure_round(
    http: httpx.AsyncClient, route: Route, known: Sequence[str], dice: random.Random
) -> Round:
    """Known and unknown addresses in random order, one at a time, each address once."""
    for _ in range(WARM_UP):
        await timed(http, route, new_email())
    addresses = [(email, True) for email in known] + [(new_email(), False) for _ in known]
    dice.shuffle(addresses)
    times: dict[bool, list[float]] = {True: [], False: []}
    for email, is_known in addresses:
        times[is_known].append(await timed(http, route, email))
    return Round(times[True], times[False])


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

    def confirmation_again(email: str) -> dict[str, Any]:
        return {"email": email, "type": "signup"}

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
            Route("POST /auth/v1/resend", f"{own}/resend", confirmation_again, 200, headers),
            Route(
                "POST /auth/v1/token",
                f"{own}/token?grant_type=password",
                wrong_password,
                400,
                headers,
            ),
        ]
    return found


@contextmanager
def system() -> Iterator[tuple[str, tuple[str, str] | None]]:
    """The API's address, and the auth server's with its public key where it is a development server."""
    if url := os.environ.get("API_URL"):
        yield url.rstrip("/"), None
        return
    with installation.running_or_own() as home:
        run = home.read_run() or {}
        yield run["api_url"].rstrip("/"), (run["supabase_url"], run["supabase_anon_key"])


async def run(api_url: str, auth: tuple[str, str] | None, calls: int, rounds: int) -> list[Measured]:
    """Measure every route with `calls` calls a round, half of them for known addresses."""
    dice = random.Random(SEED)
    async with httpx.AsyncClient(timeout=60) as http:
        known, confirmed_first = await registered(http, api_url, calls // 2)
        measured = []
        for route in routes(api_url, auth, confirmed_first=confirmed_first):
            measured.append(await measure(http, route, known, dice, rounds))
            print(measured[-1], flush=True)
    return measured


def main(arguments: Sequence[str] | None = None) -> int:
    """Print each round and each route's verdict; 1 unless every route holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=400, help="calls to each route in a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds for each route")
    given = parser.parse_args(arguments)
    if given.calls < 4 or given.rounds < 1:
        parser.error("a round has at least 4 calls, and there is at least one")
    with system() as (api_url, auth):
        measured = asyncio.run(run(api_url, auth, given.calls, given.rounds))
    return 0 if all(each.verdict == "holds" for each in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
