"""`python -m benchmarks.near_duplicates`: imports of questions of which many are nearly the same as others.

Each import is a process of its own, into a database of its own. `--against` measures another checkout
in turns; its `.venv` starts it, and its migrations make its databases. Ratios are medians over pairs of runs.
"""

import csv
import io
import itertools
import json
import os
import random
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from app.sheets.writers import XlsxWriter
from benchmarks.bank import SYLLABLES
from devservers.postgres import Postgres

IMPORT_ONCE = Path(__file__).with_name("import_once.py")
THIS = Path(__file__).resolve().parent.parent
FIELDS = ("question", "option_a", "option_b", "option_c", "option_d", "explanation")
PASSES = ("into an empty bank", "the same again")
DEVANAGARI = [consonant + vowel for consonant in "कखगचजटडतदनपबमयरलवसह" for vowel in ("", *"ािीुेो")]
VARIANTS = ("english.csv", "hindi.csv", "english.xlsx")

console = Console(highlight=False, width=140)


@dataclass(frozen=True)
class Words:
    """A language made of random words."""

    suffix: str
    """What the headers of the language end with."""
    syllables: Sequence[str]

    def sentence(self, chance: random.Random, words: int) -> str:
        """A text of so many words."""
        return " ".join("".join(chance.choices(self.syllables, k=chance.randint(1, 4))) for _ in range(words))


LANGUAGES = {"english": Words("", SYLLABLES), "hindi": Words("_hi", DEVANAGARI)}


def rows(language: Words, count: int, near: int) -> Iterator[Sequence[str]]:
    """The header and so many questions. `near` of them differ from an earlier one by a word and a number."""
    chance = random.Random(14)
    yield [*(field + language.suffix for field in FIELDS), "key"]
    first: list[list[str]] = []
    for number in range(count):
        if number < count - near:
            texts = [language.sentence(chance, 24), *(language.sentence(chance, 3) for _ in range(4))]
            first.append(texts)
        else:
            text, *options = chance.choice(first)
            words = text.split()
            words[chance.randrange(len(words))] = language.sentence(chance, 1)
            texts = [f"{' '.join(words)} {number}", *options]
        yield [*texts, language.sentence(chance, 12), "abcd"[number % 4]]


def file(variant: str, count: int, near: int) -> bytes:
    """A sheet, such as `hindi.csv`."""
    language, _, extension = variant.partition(".")
    found = rows(LANGUAGES[language], count, near)
    if extension == "csv":
        lines = io.StringIO()
        csv.writer(lines).writerows(found)
        return lines.getvalue().encode()
    out = io.BytesIO()
    writer = XlsxWriter(out, next(found), "questions")
    for row in found:
        writer.add(row)
    writer.finish()
    return out.getvalue()


def measure(checkout: Path, server: Postgres, database: str, path: Path) -> list[dict[str, Any]]:
    """What two imports of the file by a checkout took."""
    url = server.ensure_database(database, "ias", "benchmark")
    python = [str(checkout / ".venv/bin/python"), "-P"]
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(checkout), "LOG_LEVEL": "WARNING"}
    subprocess.run([*python, "-m", "app.cli", "migrate"], env=environment, check=True, cwd=checkout)
    command = [*python, str(IMPORT_ONCE), url, str(path)]
    done = subprocess.run(command, env=environment, check=True, cwd=checkout, stdout=subprocess.PIPE)
    server.execute(f'drop database "{database}" with (force)')
    return [json.loads(line) for line in done.stdout.splitlines()]


def shown(variant: str, found: dict[str, list[list[dict[str, Any]]]]) -> Table:
    """The medians, and those of the ratios."""
    table = Table(variant, "", *found, *(["ratio"] if len(found) > 1 else []), box=SIMPLE)
    for turn, name in enumerate(PASSES):
        of = {checkout: [run[turn]["figures"] for run in runs] for checkout, runs in found.items()}
        for figure in of["this"][0]:
            values = [[run[figure] for run in runs] for runs in of.values()]
            cells = [f"{statistics.median(each):.2f}" for each in values]
            if len(values) > 1 and min(values[1]) > 0:
                ratios = [this / other for this, other in zip(*values, strict=True)]
                cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})")
            table.add_row(name, figure, *cells)
        table.add_row(name, "", *(str(runs[0][turn]["counts"]) for runs in found.values()))
    return table


def main(
    variant: Annotated[list[str] | None, typer.Option(help=f"{', '.join(VARIANTS)}, or such.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Questions of the sheet.")] = 10_000,
    near: Annotated[int, typer.Option(min=0, help="How many are nearly the same as others.")] = 2_000,
    rounds: Annotated[int, typer.Option(min=1, max=20)] = 3,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database.")] = None,
    against: Annotated[Path | None, typer.Option(help="Another checkout, with a .venv.")] = None,
) -> None:
    """Measure imports into an empty bank, and of the same file again."""
    checkouts = {"this": THIS} | ({"other": against.resolve()} if against is not None else {})
    with tempfile.TemporaryDirectory(prefix="ias-bench-", dir=folder) as home, ExitStack() as stack:
        server = Postgres(Path(home))
        stack.callback(server.stop)
        server.start()
        for each in variant or VARIANTS:
            path = Path(home) / each
            path.write_bytes(file(each, count, near))
            found: dict[str, list[list[dict[str, Any]]]] = {name: [] for name in checkouts}
            for turn, (name, checkout) in itertools.product(range(rounds), checkouts.items()):
                found[name].append(measure(checkout, server, f"bench_{name}_{turn}", path))
            console.print(shown(each, found))


if __name__ == "__main__":
    typer.run(main)
