"""Four attackers post hostile bodies to every operation of a running system while a candidate saves.

No save may take 500 ms, none may fail, and the API may not grow by 100 MB. `--planted` puts a fault back that
the product once had; then this must fail.
"""

import argparse
import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.cli.demo_content import PASSWORD
from app.cli.local.servers import SHARED
from app.main import create_app
from devservers.network import LOOPBACK, free_port
from devservers.processes import wait_for
from tests.builders.world import PARAMETER
from tests.conftest import ROOT
from tests.faults import installation
from tests.faults.raw_requests import status_of
from tests.hostile_bodies import SHAPES, WORST, Frame, frame_of

MODULE = "tests.faults.hostile_bodies"
MAX_SAVE_MS = 500.0
MAX_GROWTH_MB = 100.0
ATTACKERS = 4
ATTACKER_NICENESS = 10
BETWEEN_SAVES = 0.1
BASELINE_SECONDS = 5.0
ANSWER_SECONDS = 20.0
NO_ANSWER_EXPECTED = "a length that is too large"
PATIENCE = 120.0
PLANTED_BYTES = 500_000
"""The planted fault walks no larger bodies: a megabyte took 3.7 GB, which would endanger the machine."""

PLANTED_REQUESTS = 40
"""With the fault, each of some shapes stops the API for seconds."""
ALL_REQUESTS = 100_000

Json = dict[str, Any]


def main(argv: list[str] | None = None) -> int:
    """Attack a system of its own; 0 if every bound held."""
    arguments = _arguments(argv or [])
    if arguments.attack:
        return _attack_by_plan(json.load(sys.stdin))
    with ExitStack() as stack:
        home = stack.enter_context(installation.own())
        run = home.read_run() or {}
        server = Server(run["api_url"], run["pids"]["api"])
        if arguments.planted:
            server = stack.enter_context(_planted(run, home.folder))
        return _measure(
            server,
            Seat.taken(server.url),
            PLANTED_REQUESTS if arguments.planted else ALL_REQUESTS,
            short=arguments.short or arguments.planted,
        )


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.hostile_bodies", description=__doc__)
    parser.add_argument("--planted", action="store_true", help="with the fault; must exit with 1")
    parser.add_argument("--short", action="store_true", help="the worst shapes alone")
    parser.add_argument("--attack", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


@dataclass(frozen=True)
class Server:
    """An API process."""

    url: str
    pid: int

    @property
    def megabytes(self) -> float:
        """Its resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise ProcessLookupError(self.pid)

    @property
    def waited(self) -> float:
        """Milliseconds that its main thread has waited for a processor which others had."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[1]) / 1e6


@contextmanager
def _planted(run: Json, folder: Path) -> Iterator[Server]:
    """A second API process on the same servers, with the fault in front of its routes."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", f"{MODULE}:create_planted_app"]
    shared = {name: run[name.lower()] for name in SHARED if run.get(name.lower())}
    with (folder / "planted.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--no-access-log"],
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env={**os.environ, **shared},
        )
    url = f"http://{LOOPBACK}:{port}"
    try:
        if not wait_for(lambda: _is_ready(url), PATIENCE):
            raise SystemExit((folder / "planted.log").read_text())
        yield Server(url, process.pid)
    finally:
        process.kill()  # It may be in the middle of a walk.
        process.wait(PATIENCE)


def _is_ready(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/v1/health/ready", trust_env=False).is_success
    return False


class WalksBeforePermission:
    """The fault: each body's JSON is walked before anybody is asked who they are, with a copied path each."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        with suppress(ValueError, RecursionError):
            _walk(json.loads(body) if len(body) < PLANTED_BYTES else None)

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        return await self.app(scope, again, send)


def _walk(document: Any) -> None:
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        items = (
            value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else [])
        )
        waiting.extend(((*path, key), item) for key, item in items)


def create_planted_app() -> FastAPI:
    """The application with the fault."""
    app = create_app()
    app.add_middleware(WalksBeforePermission)
    return app


@dataclass(frozen=True)
class Seat:
    """A candidate's attempt at the demo test."""

    test_id: str
    attempt: Json
    access_token: str

    @classmethod
    def taken(cls, url: str) -> "Seat":
        """Sign in, and start the first test of the list."""
        with httpx.Client(base_url=f"{url}/v1", trust_env=False, timeout=30) as client:
            login = {"email": "candidate1@example.com", "password": PASSWORD}
            token = client.post("/auth/login", json=login).raise_for_status().json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            test_id = client.get("/tests").raise_for_status().json()["items"][0]["id"]
            attempt = client.post(f"/tests/{test_id}/start").raise_for_status().json()
        return cls(test_id, attempt, token)

    def save(self, revision: int) -> bytes:
        """The body of a save."""
        order = self.attempt["question_order"]
        response = {"question_id": order[revision % len(order)], "revision": revision, "answer": None}
        save = {"attempt_id": self.attempt["id"], "lease": self.attempt["lease"], "responses": [response]}
        return json.dumps(save).encode()


@dataclass
class Probe:
    """Saves an answer every 100 ms over a connection of its own, in a thread of its own."""

    server: Server
    seat: Seat
    milliseconds: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    """Of these, how many the API waited for a processor."""
    megabytes: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _revision: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _connection: http.client.HTTPConnection | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Save until the block ends."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def reset(self) -> None:
        """Forget what was measured."""
        for measured in (self.milliseconds, self.waited, self.megabytes, self.failures):
            measured.clear()

    def _run(self) -> None:
        while not self._over.wait(BETWEEN_SAVES):
            self._revision += 1
            began, waited = time.perf_counter(), self.server.waited
            try:
                self._save()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
                self._connection = None
            self.milliseconds.append((time.perf_counter() - began) * 1000)
            self.waited.append(self.server.waited - waited)
            self.megabytes.append(self.server.megabytes)

    def _save(self) -> None:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=60)
        token = self.seat.attempt["attempt_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = self.seat.save(self._revision)
        self._connection.request("POST", f"/v1/tests/{self.seat.test_id}/responses", body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            self.failures.append(f"{answer.status}: {content[:200].decode(errors='replace')}")


def _measure(server: Server, seat: Seat, most: int, *, short: bool) -> int:
    probe = Probe(server, seat)
    with probe.running():
        time.sleep(BASELINE_SECONDS)
        before, memory, began = max(probe.milliseconds), server.megabytes, time.monotonic()
        middle = sorted(probe.milliseconds)[len(probe.milliseconds) // 2]
        print(f"before: median {middle:.0f} ms, slowest {before:.0f} ms, load {os.getloadavg()[0]:.1f}")
        probe.reset()
        # Its first reader: the API must have made the document when it started.
        answer = httpx.get(f"{server.url}/openapi.json", trust_env=False, timeout=30)
        document = answer.raise_for_status().json()
        statuses = _attack(server, seat, document, most, short=short)
        time.sleep(2 * BETWEEN_SAVES)
    growth = max(probe.megabytes, default=memory) - memory
    slowest, waited = max(zip(probe.milliseconds, probe.waited, strict=True), default=(float("inf"), 0.0))
    rows = {
        "seconds, load": f"{time.monotonic() - began:.0f}, {os.getloadavg()[0]:.1f}",
        "requests": f"{statuses.total():,}",
        "answers": ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items())),
        "saves": f"{len(probe.milliseconds):,}",
        "saves that failed": f"{len(probe.failures)}",
        "slowest save before, ms": f"{before:.0f}",
        f"slowest save, ms (< {MAX_SAVE_MS:.0f})": f"{slowest:.0f}",
        "of which it waited for a processor, ms": f"{waited:.0f}",
        "saves over half of that": f"{sum(each > MAX_SAVE_MS / 2 for each in probe.milliseconds)}",
        f"growth of the API, MB (< {MAX_GROWTH_MB:.0f})": f"{growth:.0f}",
    }
    for name, value in rows.items():
        print(f"| {name} | {value} |")
    for failure in probe.failures[:5]:
        print(f"a save failed: {failure}")
    crashed = [status for status in statuses if status.startswith("5")]
    return int(slowest >= MAX_SAVE_MS or growth >= MAX_GROWTH_MB or bool(probe.failures or crashed))


def _attack(server: Server, seat: Seat, document: Json, most: int, *, short: bool) -> Counter[str]:
    """Let a process with a low priority send everything; how often it heard each status."""
    operations = [
        (method.upper(), _path(path, seat), frame_of(document, method, path).list_field)
        for path, item in document["paths"].items()
        for method in item
        if path != "/v1/auth/logout"  # An attacker who signs out attacks no longer.
    ]
    names = WORST if short else tuple(SHAPES)
    plan = {
        "url": server.url,
        "token": seat.access_token,
        "operations": operations,
        "shapes": names,
        "most": most,
    }
    finished = subprocess.run(
        [sys.executable, "-m", MODULE, "--attack"],
        input=json.dumps(plan).encode(),
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
    )
    return Counter(json.loads(finished.stdout))


def _path(template: str, seat: Seat) -> str:
    """The template with the candidate's own objects in it, and strangers' where they have none."""
    known = {
        "test_id": seat.test_id,
        "attempt_id": seat.attempt["id"],
        "version": "1",
        "number": "1",
        "verb": "pause",
    }
    return PARAMETER.sub(lambda match: quote(known.get(match[1], str(uuid4())), safe=""), template)


def _attack_by_plan(plan: Json) -> int:
    os.nice(ATTACKER_NICENESS)
    print(json.dumps(asyncio.run(_attack_together(plan))))
    return 0


async def _attack_together(plan: Json) -> Counter[str]:
    requests = [
        (operation, shape, token)
        for operation in plan["operations"]
        for shape in plan["shapes"]
        for token in (None, plan["token"])
    ]
    Random(1).shuffle(requests)
    del requests[plan["most"] :]
    waiting, statuses = iter(requests), Counter[str]()

    async def attacker() -> None:
        for (method, path, list_field), shape, token in waiting:
            seconds = 1.0 if shape == NO_ANSWER_EXPECTED else ANSWER_SECONDS
            status = await status_of(
                plan["url"], method, path, SHAPES[shape](Frame(list_field)), token, seconds
            )
            statuses[status] += 1

    await asyncio.gather(*(attacker() for _ in range(ATTACKERS)))
    return statuses


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # The system is stopped on the way out.
    sys.exit(main(sys.argv[1:]))
