"""Hostile files from an author while a candidate answers: `python -m tests.faults.files`.

It starts an `ias up` of its own, or with `IAS_HOME` uses the one that runs there. No probe may take longer
than 500 ms, the API may not grow by more than 100 MB, and no answer may be a 500.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from app.cli.local.home import Home
from app.cli.local.servers import SHARED
from app.config import get_settings
from rehearsal.account import Account
from rehearsal.author import Author
from rehearsal.questions import generate_questions
from tests.faults import hostile_files as hostile
from tests.faults import installation

MAX_PROBE_SECONDS = 0.5
MAX_GROWTH_MB = 100
EVERY = 0.1
_PATIENCE = 600

Http = httpx.AsyncClient
Attack = Callable[[Http], Awaitable[httpx.Response]]


@dataclass
class Probe:
    """A candidate who saves an answer every tenth of a second, and somebody who asks for the time."""

    http: Http
    path: str
    attempt: dict[str, Any]
    question_id: str
    revision: int = 0
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            began = time.monotonic()
            await asyncio.gather(self._measure(self.http.get("/time")), self._measure(self._save()))
            await asyncio.sleep(max(0, EVERY - (time.monotonic() - began)))

    async def _save(self) -> httpx.Response:
        self.revision += 1
        answer = {
            "question_id": self.question_id,
            "revision": self.revision,
            "answer": ["ab"[self.revision % 2]],
        }
        body = {"attempt_id": self.attempt["id"], "lease": self.attempt["lease"], "responses": [answer]}
        token = {"Authorization": f"Bearer {self.attempt['attempt_token']}"}
        return await self.http.post(f"{self.path}/responses", json=body, headers=token)

    async def _measure(self, request: Awaitable[httpx.Response]) -> None:
        began = time.monotonic()
        answer = await request
        self.seconds.append(time.monotonic() - began)
        if not answer.is_success:
            self.failures.append(f"{answer.status_code} {answer.text[:200]}")


@dataclass(frozen=True)
class Seen:
    """What one attack did."""

    name: str
    status: int
    code: str
    seconds: float
    slowest: float
    grown: float

    @property
    def holds(self) -> bool:
        """Whether everything was as it must be."""
        return self.status < 500 and self.slowest <= MAX_PROBE_SECONDS and self.grown <= MAX_GROWTH_MB


def attacks(printed: dict[str, str]) -> dict[str, Attack]:
    """All of them, by what they send; `printed` has the tests that are printed."""
    sheet, images = hostile.large_images()

    def sheet_of(content: bytes, images: bytes | None = None, **form: str) -> Attack:
        files = {"file": ("sheet", content)} | ({"images": ("images.zip", images)} if images else {})
        data = {"subject": "Hostile", "dry_run": "true"} | form
        return lambda http: http.post("/questions/import", data=data, files=files)

    def image_of(content: bytes) -> Attack:
        return lambda http: http.post("/media", files={"file": ("image", content)})

    def print_of(path: str) -> Attack:
        return lambda http: http.get(f"{path}/print", params={"version": "draft"})

    return {
        "CSV, 100,000 unknown columns": sheet_of(hostile.unknown_columns()),
        "CSV, 24 million empty rows": sheet_of(hostile.empty_rows()),
        "CSV, a row of 20 million cells": sheet_of(hostile.wide_row()),
        "workbook of a million rows": sheet_of(hostile.million_rows()),
        "workbook, one text in 3 million cells": sheet_of(hostile.one_text_everywhere()),
        "ZIP of 250,000 files": sheet_of(sheet, hostile.large_directory()),
        "12 zipped images of 40 megapixels": sheet_of(sheet, images),
        "WebP of 256 megapixels": image_of(hostile.webp_that_is_too_large()),
        "WebP of 40 megapixels": image_of(hostile.large_webp()),
        **{f"print, {name}": print_of(path) for name, path in printed.items()},
        "search of 33 dashes": lambda http: http.get("/questions", params={"query": "-" * 33}),
        "20,000 questions, imported": sheet_of(hostile.full_sheet(), dry_run="false"),
        "20,000 questions, exported as XLSX": lambda http: http.post(
            "/questions/export", json={"format": "xlsx"}
        ),
        "duplicates among them": lambda http: http.get("/questions/duplicates", params={"limit": 100}),
    }


async def attack(home: Home, api_url: str) -> bool:
    """Everything, one after the other, and a line for each."""
    staff = Author(api_url, f"files-{uuid4().hex[:8]}")
    await staff.make_account()
    test_id, question_ids = await staff.publish(generate_questions(20, 1), 7_200)
    headers = {"Authorization": f"Bearer {staff.token}"}
    async with (
        Http(base_url=f"{api_url}/v1", headers=headers, timeout=_PATIENCE, trust_env=False) as http,
        _probe(staff, api_url, f"/tests/{test_id}", [str(id_) for id_ in question_ids]) as probe,
    ):
        printed = {
            "3 winding questions": await _draft(http, [hostile.winding_text()] * 3),
            "100 questions of 1,000 rows": await _draft(http, [hostile.long_table()] * 100),
        }
        all_hold = True
        for name, send in attacks(printed).items():
            seen = await _seen(name, send, http, probe, home.read_run() or {})
            all_hold &= seen.holds
            print(
                f"{'' if seen.holds else 'FAILED '}{name}: {seen.status} {seen.code} in {seen.seconds:.1f} s;"
                f" slowest probe {seen.slowest * 1_000:.0f} ms, API grew {seen.grown:.0f} MB",
                flush=True,
            )
    for failure in probe.failures[:5]:
        print(f"FAILED probe: {failure}")
    await staff.close()
    return all_hold and not probe.failures


async def _seen(name: str, send: Attack, http: Http, probe: Probe, run: dict[str, Any]) -> Seen:
    pid = run["pids"]["api"]
    await asyncio.sleep(1)  # What the last one left behind is not counted here.
    before, probe.seconds = _megabytes(pid), []
    peak, began = before, time.monotonic()
    sending = asyncio.create_task(_sent(send, http))
    while not sending.done():
        await asyncio.wait({sending}, timeout=EVERY)
        peak = max(peak, _megabytes(pid))
    answer, seconds = sending.result(), time.monotonic() - began
    await asyncio.sleep(2 * EVERY)
    kind = answer.headers.get("content-type", "")
    code = answer.json().get("code", "") if "json" in kind else ""
    return Seen(name, answer.status_code, code, seconds, max(probe.seconds, default=0), peak - before)


async def _sent(send: Attack, http: Http) -> httpx.Response:
    return await send(http)


async def _draft(http: Http, texts: list[str]) -> str:
    """A test of questions with these texts, not published."""
    subject = (await http.get("/subjects")).json()["items"][0]
    ids = []
    for text in texts:
        question = {"subject_id": subject["id"], "type": "single_choice", "text": text, "key": ["a"]}
        options = [{"id": letter, "text": text[:19_000]} for letter in "ab"]
        made = await http.post("/questions", json=question | {"options": options})
        made.raise_for_status()
        ids.append(made.json()["id"])
    marking = {"correct": "2", "incorrect": "-2/3", "dropped": "prorate", "rounding": "upsc"}
    test = {"title": "Hostile", "kind": "full", "duration_seconds": 600, "marking": marking}
    sections = [{"name": "A", "question_ids": ids}]
    draft = await http.post("/tests", json=test | {"sections": sections, "subject_id": subject["id"]})
    draft.raise_for_status()
    return f"/tests/{draft.json()['id']}"


@asynccontextmanager
async def _probe(staff: Author, api_url: str, path: str, question_ids: list[str]) -> AsyncIterator[Probe]:
    account = Account(f"probe-{uuid4().hex[:12]}@example.org", "Probe")
    await account.register(staff.client)
    headers = {"Authorization": f"Bearer {account.token}"}
    async with Http(base_url=f"{api_url}/v1", timeout=_PATIENCE, trust_env=False) as http:
        attempt = (await http.post(f"{path}/start", headers=headers)).json()
        document = (await http.get(f"{path}/questions", headers=headers)).json()
        choices = {entry["id"] for entry in document["questions"] if entry["type"] == "single_choice"}
        probe = Probe(http, path, attempt, next(id_ for id_ in question_ids if id_ in choices))
        running = asyncio.create_task(probe.run())
        yield probe
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _megabytes(pid: int) -> float:
    said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return int(said.stdout or 0) / 1_000


def main() -> int:
    """0 if everything held."""
    with installation.running_or_own() as home:
        run = home.read_run() or {}
        os.environ |= {name: run[name.lower()] for name in SHARED if run.get(name.lower())}
        get_settings.cache_clear()
        return 0 if asyncio.run(attack(home, str(run["api_url"]))) else 1


if __name__ == "__main__":
    sys.exit(main())
