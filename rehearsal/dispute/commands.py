"""Programs that the dispute runs: `ias` as an operator does, and the independent grader."""

import asyncio
import os
import re
import sys
from pathlib import Path

from rehearsal.client import UnexpectedResponse

GRADER = Path(__file__).with_name("grader.py")
_DRY_RUN = re.compile(r"The dry run is revision (\d+)\.")


async def ias(*words: str, answer: str = "", ends_with: int = 0) -> str:
    """Run an `ias` command and return what it prints. Raises UnexpectedResponse if it ends otherwise."""
    # With `-P`, no module in the working directory is imported instead of ours.
    return await _run([sys.executable, "-P", "-m", "app.cli", *words], answer, ends_with)


async def dry_run(test_id: str, question: int, right: str, reason: str) -> tuple[int, str]:
    """Try a key revision and do not publish it. Returns its number, and what was printed."""
    change = ("--question", str(question), "--key", right) if right else ("--drop", str(question))
    words = ("test", "revise-key", test_id, *change, "--reason", reason)
    printed = await ias(*words, answer="n\n", ends_with=1)
    if (found := _DRY_RUN.search(printed)) is None:
        raise UnexpectedResponse(f"ias test revise-key: {printed[-300:]}")
    return int(found[1]), printed


async def grade(export: Path) -> tuple[bool, str]:
    """Run the grader apart from everything else. Returns whether nothing differs, and its last line.

    Raises UnexpectedResponse if it cannot grade the export.
    """
    output, code = await _output([sys.executable, "-I", str(GRADER), str(export)], "")
    if code not in (0, 1) or "differences" not in output:
        raise UnexpectedResponse(f"the grader: {output[-300:]}")
    return code == 0, output.strip().splitlines()[-1]


async def _run(words: list[str], answer: str, ends_with: int) -> str:
    output, code = await _output(words, answer)
    if code != ends_with:
        raise UnexpectedResponse(f"{' '.join(words[4:7])} ended with {code}: {output[-300:]}")
    return output


async def _output(words: list[str], answer: str) -> tuple[str, int | None]:
    process = await asyncio.create_subprocess_exec(
        *words,
        env=os.environ | {"COLUMNS": "100"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(answer.encode())
    return output.decode(errors="replace"), process.returncode
