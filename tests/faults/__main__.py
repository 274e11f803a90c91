"""`python -m tests.faults`: every fault in turn, a table at the end, exit code 1 if anything was wrong."""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from app.cli.open_files import allow_many
from tests.faults import network, servers
from tests.faults.faulty_rehearsal import Fault, Observed, rehearse_fault
from tests.faults.system import System, plain, proxied
from tests.full_disk import small_disk

MODULES = ("clock", "hostile_bodies", "files", "timing", "interleavings", "revisions")
"""Further scenarios: modules of this package, each of which ends with exit code 0 if all is well."""

_DISK_MEGABYTES = 1500
_SHORT_DISK_MEGABYTES = 400
_TRIES = 3
_MAX_RUN_SECONDS = 2_400.0


def main() -> int:
    """Run what the arguments name; 0 if nothing was wrong."""
    arguments = _arguments()
    allow_many()
    began, observed = time.monotonic(), list[Observed]()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="ias-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user, if this one is root.
        observed = asyncio.run(_run(arguments, folder))
    if arguments.rows:
        arguments.rows.write_text(json.dumps([asdict(row) for row in observed]))
        return 0
    if not arguments.short:
        observed += _run_modules(arguments.only)
    _print_table(observed, time.monotonic() - began, load)
    return int(not observed or any(each.problems for each in observed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="the form for CI: one system, one sitting")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="may be repeated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    parser.add_argument("--part", choices=["servers", "network"], help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--keep-logs", action="store_true", help="print the servers' logs at the end")
    arguments = parser.parse_args()
    if arguments.list:
        print(*(fault.name for fault in (*servers.FAULTS, *network.FAULTS)), *MODULES, sep="\n")
        raise SystemExit(0)
    known = {fault.name for fault in (*servers.FAULTS, *network.FAULTS)} | set(MODULES)
    if unknown := set(arguments.only) - known:
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}; --list names them")
    return arguments


async def _run(arguments: argparse.Namespace, folder: Path) -> list[Observed]:
    """The part that this process is to run; without one, both at the same time, each in a process."""
    seed = arguments.seed
    if arguments.short:
        with small_disk(folder / "disk", _SHORT_DISK_MEGABYTES) as disk:
            return await _on(
                plain(folder, disk),
                [servers.SHORT],
                seed,
                keep_logs=arguments.keep_logs,
                candidates=6,
                seconds=36,
            )
    if arguments.part == "servers":
        with small_disk(folder / "disk", _DISK_MEGABYTES) as disk:
            return await _on(
                plain(folder, disk),
                _chosen(servers.FAULTS, arguments.only),
                seed,
                keep_logs=arguments.keep_logs,
            )
    if arguments.part == "network":
        return await _on(
            proxied(folder, seed),
            _chosen(network.FAULTS, arguments.only),
            seed,
            keep_logs=arguments.keep_logs,
        )
    parts = await asyncio.gather(*(_in_a_process(part, folder) for part in ("servers", "network")))
    return [row for part in parts for row in part]


async def _in_a_process(part: str, folder: Path) -> list[Observed]:
    """A process of its own, since the rehearsal's settings are its process's."""
    rows = folder / f"{part}.json"
    command = [sys.executable, "-m", "tests.faults", *sys.argv[1:], "--part", part, "--rows", str(rows)]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        await asyncio.wait_for(process.wait(), _MAX_RUN_SECONDS)
    except TimeoutError:
        process.terminate()
        await process.wait()
    if not rows.exists():
        return [Observed(part, f"all of {part}", [f"not finished; exit code {process.returncode}"])]
    return [Observed(**row) for row in json.loads(rows.read_text())]


def _chosen(faults: Sequence[Fault], only: Sequence[str]) -> list[Fault]:
    return [fault for fault in faults if not only or fault.name in only]


async def _on(
    opening: AbstractAsyncContextManager[System],
    faults: Sequence[Fault],
    seed: int,
    *,
    keep_logs: bool,
    candidates: int = 8,
    seconds: int | None = None,
) -> list[Observed]:
    """Each fault on the same system: it must have healed from the one before."""
    observed: list[Observed] = []
    began = time.monotonic()
    if not faults:
        return observed
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(opening)
        if keep_logs:
            stack.callback(_print_logs, system.folder)
        for number, fault in enumerate(faults):
            if fault.needs_disk and system.disk is None:
                observed.append(Observed(fault.name, fault.title, skipped=True))
                continue
            length = seconds or round(12 + fault.seconds + fault.recovery)
            observed.append(await _rehearsed(system, fault, seed + number, candidates, length))
            if time.monotonic() - began > _MAX_RUN_SECONDS - 120:
                left = [
                    Observed(each.name, each.title, ["no time was left"]) for each in faults[number + 1 :]
                ]
                return observed + left
    return observed


async def _rehearsed(system: System, fault: Fault, seed: int, candidates: int, seconds: int) -> Observed:
    """The fault in a test of so many seconds; where only the time was too short, in one of twice as many."""
    for _ in range(_TRIES):
        row = await rehearse_fault(system, fault, seed=seed, candidates=candidates, seconds=seconds)
        said = "; ".join(row.problems or row.delays)[:600] or "passed"
        print(f"{row.name}: {said} ({row.seconds:.0f} s)", flush=True)
        if row.problems or not row.delays:
            break
        seconds *= 2
    row.problems += row.delays
    return row


def _run_modules(only: Sequence[str]) -> list[Observed]:
    """The scenarios that are modules of their own. One that is missing is an error."""
    observed = []
    for name in MODULES:
        if only and name not in only:
            continue
        row, began = Observed(name, f"tests/faults/{name}.py"), time.monotonic()
        # A process of its own: such a measurement may change its environment.
        code = subprocess.run([sys.executable, "-m", f"tests.faults.{name}"], check=False).returncode
        row.problems += [f"exit code {code}"] if code else []
        row.seconds = time.monotonic() - began
        observed.append(row)
    return observed


def _print_table(observed: Sequence[Observed], seconds: float, load: float) -> None:
    print(f"\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.machine()}, {os.cpu_count()} cores,", end=" ")
    print(f"load {load:.1f} at the beginning, {os.getloadavg()[0]:.1f} at the end, {seconds:.0f} s in all\n")
    heads = (
        "fault",
        "result",
        "acknowledged",
        "503",
        "lost",
        "slowest save",
        "slowest 503",
        "ready said",
        "healed",
    )
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for row in observed:
        print("| " + " | ".join(_cells(row)) + " |")
    for row in observed:
        for problem in row.problems[:10]:
            print(f"{row.name}: {problem[:1000]}", file=sys.stderr)


def _cells(row: Observed) -> list[str]:
    healed = "" if row.healed_after is None else f"{row.healed_after:.1f} s"
    return [
        row.title,
        "FAILED" if row.problems else "skipped" if row.skipped else "passed",
        f"{row.acknowledged:,}" if row.acknowledged else "",
        str(row.waits or ""),
        str(row.lost or ""),
        f"{row.slowest_save:.1f} s" if row.slowest_save else "",
        f"{row.slowest_refusal:.1f} s" if row.slowest_refusal else "",
        ", ".join(row.said),
        healed,
    ]


def _print_logs(folder: Path) -> None:
    for log in sorted(folder.rglob("*.log")):
        print(f"\n=== {log.name}\n{log.read_text(errors='replace')[-20_000:]}")


if __name__ == "__main__":
    sys.exit(main())
