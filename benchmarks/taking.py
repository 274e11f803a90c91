"""`python -m benchmarks taking`: measures starts, paper downloads and saves over HTTP.

The API and a minimal server are measured alternately. The ratio depends less on other load of the machine.
"""

import itertools
import os
import platform
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import uvloop
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.client import Sample, Server, encode, herd, sustain
from benchmarks.content import Content, make_content
from benchmarks.stage import Stage, stage

BATCH = 20
PERCENTILES = (50, 95, 99)

console = Console(highlight=False, width=110)


@dataclass(frozen=True)
class Plan:
    """The parameters of a run."""

    attempts: int
    herd: int
    connections: int
    seconds: float
    rounds: int
    pool_size: int


@dataclass(frozen=True)
class Row:
    """One line of the table: the rounds of a measurement and of its baseline."""

    name: str
    samples: Sequence[Sample]
    baseline: Sequence[Sample] = ()

    @property
    def ratio(self) -> float | None:
        """The median of the ratios of all rounds to their baselines."""
        pairs = zip(self.samples, self.baseline, strict=True) if self.baseline else []
        ratios = [ours.per_second / theirs.per_second for ours, theirs in pairs]
        return statistics.median(ratios) if ratios else None

    def figures(self) -> dict[str, Any]:
        """The row as JSON."""
        latencies = {f"p{p}_ms": round(self._median(p), 2) for p in PERCENTILES}
        cpu_ms = statistics.median(sample.cpu_ms for sample in self.samples)
        refused = sum((sum(sample.refused.values()) for sample in self.samples), 0)
        per_second = statistics.median(sample.per_second for sample in self.samples)
        ratio = None if self.ratio is None else round(self.ratio, 3)
        return {
            "name": self.name,
            "per_second": round(per_second, 1),
            **latencies,
            "cpu_ms": round(cpu_ms, 3),
            "ratio": ratio,
            "refused": refused,
        }

    def _median(self, percent: int) -> float:
        return statistics.median(sample.percentile(percent) for sample in self.samples)


def main(
    attempts: Annotated[int, typer.Option(min=1, help="Attempts that save answers.")] = 200,
    herd_size: Annotated[int, typer.Option("--herd", min=1, help="Candidates who start at once.")] = 500,
    connections: Annotated[int, typer.Option(min=1)] = 32,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="Length of one measurement.")] = 4,
    rounds: Annotated[int, typer.Option(min=1, max=20)] = 3,
    pool_size: Annotated[int, typer.Option(min=1, help="Connections to PostgreSQL.")] = 20,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database, on a real disk.")] = None,
    json: Annotated[Path | None, typer.Option(help="A file to which the figures are written too.")] = None,
) -> None:
    """Measure starts, paper downloads and saves."""
    plan = Plan(attempts, herd_size, connections, seconds, rounds, pool_size)
    with console.status("Starting servers …"), stage(folder, pool_size) as servers:
        rows = uvloop.run(measure(servers, plan))
    figures = [row.figures() for row in rows]
    console.print(_table(figures))
    if json:
        report = {"machine": _machine(), "plan": vars(plan), "figures": figures}
        json.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")


async def measure(servers: Stage, plan: Plan) -> list[Row]:
    """Run all measurements alternately."""
    content = await make_content(servers.database_url, plan.attempts + plan.herd * plan.rounds)
    waiting = iter(content.candidates)
    _, answers = await herd(servers.api, _starts(servers, content, itertools.islice(waiting, plan.attempts)))
    attempts = [orjson.loads(answer) for answer in answers]
    token = attempts[0]["attempt_token"]
    paper_path = f"/v1/tests/{content.test_id}/questions"
    await _keep_paper(servers, encode("GET", paper_path, token))
    ones, twenties = _saves(content, attempts, 1), _saves(content, attempts, BATCH, first=1_000_000)
    bare_ones = _saves(content, attempts, 1, path="/save")
    turns: dict[str, list[Sample]] = {}

    async def turn(name: str, server: Server, requests: Iterator[bytes], connections: int) -> None:
        turns.setdefault(name, []).append(await sustain(server, requests, connections, plan.seconds))

    async def warm_up() -> None:
        await sustain(servers.api, ones, plan.connections, 1)
        await sustain(servers.bare, bare_ones, plan.connections, 1)

    await warm_up()
    for _ in range(plan.rounds):
        await turn("bare insert", servers.bare, bare_ones, plan.connections)
        await turn("save 1", servers.api, ones, plan.connections)
        await turn("save 20", servers.api, twenties, plan.connections)
        await turn("alone", servers.api, ones, 1)
        await turn("bare alone", servers.bare, bare_ones, 1)
        await turn("bare paper", servers.bare, itertools.repeat(encode("GET", "/paper")), plan.connections)
        papers = itertools.repeat(encode("GET", paper_path, token))
        await turn("paper", servers.api, papers, plan.connections)
        requests = _starts(servers, content, itertools.islice(waiting, plan.herd))
        turns.setdefault("herd", []).append((await herd(servers.api, requests))[0])
    return _rows(plan, turns)


def _rows(plan: Plan, turns: dict[str, list[Sample]]) -> list[Row]:
    many = f"{plan.connections} connections"
    return [
        Row(f"bare insert, {many}", turns["bare insert"]),
        Row(f"save, 1 response, {many}", turns["save 1"], turns["bare insert"]),
        Row(f"save, {BATCH} responses, {many}", turns["save 20"], turns["bare insert"]),
        Row("bare insert, 1 connection", turns["bare alone"]),
        Row("save, 1 response, 1 connection", turns["alone"], turns["bare alone"]),
        Row(f"bare paper, {many}", turns["bare paper"]),
        Row(f"paper, {many}", turns["paper"], turns["bare paper"]),
        Row(f"start, {plan.herd} at once", turns["herd"], turns["bare insert"]),
    ]


def _starts(servers: Stage, content: Content, candidates: Iterator[Any]) -> list[bytes]:
    path = f"/v1/tests/{content.test_id}/start"
    return [encode("POST", path, servers.access_token(user_id), {}) for user_id in candidates]


async def _keep_paper(servers: Stage, request: bytes) -> None:
    """Store the API's response for the minimal server."""
    _, answers = await herd(servers.api, [request])
    servers.paper_file.write_bytes(answers[0])


def _saves(
    content: Content, attempts: Sequence[dict[str, Any]], size: int, *, first: int = 1, path: str = ""
) -> Iterator[bytes]:
    """Yield save requests of all attempts without end. After each pass, the revision is incremented."""
    questions = [str(question_id) for question_id in content.question_ids]
    path = path or f"/v1/tests/{content.test_id}/responses"
    for revision in itertools.count(first):
        for place in range(0, len(questions), size):
            responses = [
                {"question_id": question_id, "revision": revision, "answer": ["b"], "time_spent_ms": 5000}
                for question_id in questions[place : place + size]
            ]
            for attempt in attempts:
                body = {"attempt_id": attempt["id"], "lease": attempt["lease"], "responses": responses}
                yield encode("POST", path, attempt["attempt_token"], body)


def _table(figures: Sequence[dict[str, Any]]) -> Table:
    table = Table("Requests, medians of the rounds", box=SIMPLE)
    for heading in (
        "per second",
        *(f"p{percent} ms" for percent in PERCENTILES),
        "CPU ms",
        "of bare",
        "refused",
    ):
        table.add_column(heading, justify="right")
    for row in figures:
        latencies = [f"{row[f'p{percent}_ms']:,.1f}" for percent in PERCENTILES]
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        table.add_row(
            row["name"],
            f"{row['per_second']:,.0f}",
            *latencies,
            f"{row['cpu_ms']:.2f}",
            ratio,
            str(row["refused"] or ""),
        )
    return table


def _machine() -> dict[str, Any]:
    return {"cpus": os.cpu_count(), "load_before": os.getloadavg(), "python": platform.python_version()}


if __name__ == "__main__":
    typer.run(main)
