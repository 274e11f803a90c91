"""Interleavings of two connections: `python -m tests.faults.interleavings --count 10000 --seed 1`.

Each is a state of an exam, two calls at it, and an order of their statements, all drawn from the seed. Log,
results, histogram and audit are checked each time, and the outcome must be that of a serial order.
"""

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from sqlalchemy.engine import make_url

from devservers.postgres import Postgres
from tests.conftest import _migrate, administer, cloned_database
from tests.faults.interleaving.cases import Case, case_of
from tests.faults.interleaving.planted import PLANTED, planted
from tests.faults.interleaving.running import Report, Runner, open_runner

SHOWN_FAULTS = 3


@dataclass
class Tally:
    """What the interleavings of one process have shown, small enough to be sent to another one."""

    cases: int = 0
    overlapped: int = 0
    spurious: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By the pair of calls: refusals that no serial order gives."""
    faults: list[tuple[str, str]] = field(default_factory=list)
    """The command that shows it again, and what was wrong."""

    def add(self, other: "Tally") -> None:
        """Take another process's in."""
        self.cases += other.cases
        self.overlapped += other.overlapped
        self.spurious += other.spurious
        self.faults += other.faults


def main(argv: Sequence[str] = ()) -> int:
    """Run interleavings and print what they have shown; 1 if anything is wrong."""
    options = _options(argv)
    began = time.monotonic()
    with _server() as superuser_url, _template(superuser_url) as template:
        tally = _run(options, superuser_url, template)
    seconds = time.monotonic() - began
    print(
        f"{tally.cases} interleavings, {tally.overlapped} of which overlapped, in {seconds:.0f} s:"
        f" {len(tally.faults)} with faults, {tally.spurious.total()} refused where no serial order refuses"
    )
    for (names, refusal), count in tally.spurious.most_common():
        print(f"  {count} of {names}: {refusal}")
    if options.planted:
        print(f"planted fault {options.planted}: {'found' if tally.faults else 'NOT FOUND'}")
        return 0 if tally.faults else 1
    return 1 if tally.faults else 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.interleavings", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="how many interleavings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin none after this time")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    parser.add_argument("--pair", help="only these two calls, such as start,cancel")
    parser.add_argument("--replay", help="one interleaving, SEED/NUMBER, statement by statement")
    parser.add_argument("--compared", type=float, default=0.5, help="the share compared with serial orders")
    parser.add_argument("--planted", choices=sorted(PLANTED), help="with a fault that must be found")
    parser.add_argument("--keep-going", action="store_true", help="do not end at the first find")
    return parser.parse_args(argv)


@contextmanager
def _server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="interleavings-") as home:
        server = Postgres(Path(home), durable=False)
        try:
            yield server.start().url("postgres")
        finally:
            server.stop()


@contextmanager
def _template(superuser_url: str) -> Iterator[str]:
    name, owner = f"template_{uuid4().hex[:12]}", f"owner_{uuid4().hex[:12]}"
    create = [f"create role {owner} login password 'owner'", f"create database {name} owner {owner}"]
    asyncio.run(administer(superuser_url, *create))
    url = make_url(superuser_url).set(database=name, username=owner, password="owner")
    asyncio.run(_migrate(url.render_as_string(hide_password=False)))
    # Two that wait for each other are told so soon. It changes no outcome.
    asyncio.run(administer(superuser_url, "alter system set deadlock_timeout = '50ms'"))
    asyncio.run(administer(superuser_url, "select pg_reload_conf()"))
    yield name


def _run(options: argparse.Namespace, superuser_url: str, template: str) -> Tally:
    if options.replay:
        options.seed, only = map(int, options.replay.split("/"))
        return _share(options, superuser_url, template, range(only, only + 1))
    shares = [range(first, options.count, options.jobs) for first in range(options.jobs)]
    if options.jobs == 1:
        return _share(options, superuser_url, template, shares[0])
    total = Tally()
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        work = [(options, superuser_url, template, share) for share in shares]
        for tally in pool.starmap(_share, work):
            total.add(tally)
    return total


def _share(options: argparse.Namespace, superuser_url: str, template: str, numbers: range) -> Tally:
    """The interleavings of one process, over a database of its own."""
    with cloned_database(superuser_url, template) as database_url:
        return asyncio.run(_interleave(options, database_url, numbers))


async def _interleave(options: argparse.Namespace, database_url: str, numbers: range) -> Tally:
    pair = _pair(options.pair)
    tally, began = Tally(), time.monotonic()
    async with open_runner(database_url, compared_share=1 if options.replay else options.compared) as runner:
        for number in numbers:
            report = await _run_one(runner, case_of(options.seed, number, pair), options.planted)
            _count(tally, report, options)
            if options.replay:
                _print_trace(report)
            found = options.planted and tally.faults and not options.keep_going
            if found or time.monotonic() - began > options.seconds:
                break
    return tally


async def _run_one(runner: Runner, case: Case, fault: str | None) -> Report:
    """Run a case. What it shows of a planted fault must be gone without it."""
    with planted(fault):
        report = await runner.run(case)
    if fault and report.faults and (await runner.run(case)).faults:
        report.faults.clear()
    return report


def _pair(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    one, two = text.split(",")
    return one, two


def _count(tally: Tally, report: Report, options: argparse.Namespace) -> None:
    tally.cases += 1
    tally.overlapped += report.overlapped
    if report.spurious:
        tally.spurious[", ".join(call.name for call in report.case.calls), report.spurious] += 1
    if not report.faults:
        return
    command = _replay_command(report.case, options)
    tally.faults.append((command, report.faults[0]))
    names = ", ".join(call.name for call in report.case.calls)
    more = [f"  - {fault}" for fault in report.faults[:SHOWN_FAULTS]]
    print("\n".join([f"FAULT in {names}: {command}", *more]), flush=True)


def _replay_command(case: Case, options: argparse.Namespace) -> str:
    pair = f" --pair {options.pair}" if options.pair else ""
    planted = f" --planted {options.planted}" if options.planted else ""
    return f"python -m tests.faults.interleavings --replay {case.seed}/{case.number}{pair}{planted}"


def _print_trace(report: Report) -> None:
    print(report.case)
    for side, statement in report.trace:
        print(f"{side:>7}: {statement[:200]}")
    for call, outcome in zip(report.case.calls, report.outcomes, strict=True):
        print(f"{call.name}: {outcome.kind} {outcome.summary}")
    print(f"overlapped: {report.overlapped}, refused without need: {report.spurious}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
