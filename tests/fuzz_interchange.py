"""Mutated files of other programs: `python -m tests.fuzz_interchange --count 2000 --seed 1` reads them.

A file may be read or refused, as in `tests/fuzz_sheets.py`, which has the limits. What was read becomes rows,
and is written in each format again. The first files are not drawn: they are made to take long or much memory.
"""

import argparse
import faulthandler
import io
import time
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from random import Random

from app.engine.question_types import Interaction
from app.interchange.formats import FORMATS, FormatName, recognized
from app.interchange.items import Choice, Item, ItemFile, Place
from app.services.questions.item_rows import rows_of
from app.services.questions.rows import EmptyKey
from app.sheets.errors import SheetError
from tests.builders.images import encoded, halves
from tests.builders.workbooks import repacked
from tests.fuzz_sheets import MAX_MEGABYTES, PIECES, Outcome, megabytes, mutated
from tests.interchange import hostile_qti

SIGNS = (
    *(
        "{",
        "}",
        "~",
        "=",
        "->",
        "####",
        "#",
        "\\",
        "::",
        "//",
        "%50%",
        "%-33.3%",
        "$CATEGORY: a/b//c/",
        "\\{",
    ),
    *(
        "ANSWER: ",
        "A. ",
        "B) ",
        "\n\n",
        "{mlang hi}",
        "{mlang}",
        '<span lang="hi" class="multilang">',
        "</span>",
    ),
    *(
        "<b>",
        "</p>",
        "<table><tr><td>",
        "</table>",
        "<sup>",
        "</sup>",
        "<li>",
        "<ol>",
        "<img src='",
        "$$",
        "\\(",
    ),
    *("<![CDATA[", "]]>", "&#x0;", "&#xfffe;", "&amp;lt;", "<!--", "<question type='essay'>", "</question>"),
    *("@@PLUGINFILE@@/", "../../x", "1e999", "-0", "٣", "1/0", '{"fixed": 3}', "// ias: {", '<a href="'),
)
CHOICES = [Choice(letter, {"en": f"{letter} *x*", "hi": f"{letter} क"}) for letter in "abcd"]
LEFT = [Choice(number, {"en": f"left {number}"}) for number in "12"]
IMAGES = {"map.png": encoded(halves())}


def bank() -> list[Item]:
    """A question of each type."""
    keys: Sequence[tuple[Interaction, Mapping[str, object]]] = [
        (Interaction.ONE_OPTION, {"accepted": [["b"]]}),
        (Interaction.SEVERAL_OPTIONS, {"accepted": [["a", "b", "c"]]}),
        (Interaction.TRUE_OR_FALSE, {"accepted": [["true"]]}),
        (Interaction.NUMBER, {"value": "3.14", "tolerance": "0.01"}),
        (Interaction.NUMBER, {"ranges": [{"from": "1", "to": "2"}, {"from": "4", "to": "4"}]}),
        (Interaction.SHORT_TEXT, {"texts": ["New Delhi", "a*b"]}),
        (Interaction.PAIRS, {"pairs": {"1": ["b"], "2": ["a"]}}),
        (Interaction.ESSAY, {"accepted": []}),
    ]
    choices = {
        Interaction.ONE_OPTION: CHOICES,
        Interaction.SEVERAL_OPTIONS: CHOICES,
        Interaction.PAIRS: [*LEFT, *CHOICES],
    }
    return [
        Item(
            Place(number, title=f"q{number}"),
            interaction,
            {"en": f"**Which** {number}?\n1. $x^2$ < 5\n\n| a | b |\n| --- | --- |\n| c | d |", "hi": "कौन?"},
            choices.get(interaction, []),
            key,
            {"en": "Because."},
            ["maps"],
            ["Geography", "Rivers"],
            f"q{number}",
            "hard",
        )
        for number, (interaction, key) in enumerate(keys, start=1)
    ]


@cache
def bases() -> dict[FormatName, bytes]:
    """A file of each format that can be read."""
    plain = [
        Item(Place(), Interaction.ONE_OPTION, {"en": f"Which {n}?"}, _plain(), {"accepted": [["a"]]})
        for n in range(4)
    ]
    pictured = [Item(Place(9), Interaction.ESSAY, {"en": "See."}, images=["map.png"])]
    files = {}
    for name, each in FORMATS.items():
        written = each.write([*bank(), *pictured], IMAGES)
        files[name] = written.content if written.count else each.write(plain, {}).content
    return files


def _plain() -> list[Choice]:
    return [Choice(letter, {"en": f"option {letter}"}) for letter in "abc"]


@cache
def attacks() -> dict[str, tuple[FormatName, bytes]]:
    """Files that are made to take long or much memory."""
    texts = {
        "comments": "<!--" * 20_000,
        "signs": "<" * 90_000,
        "entities": "&" * 90_000,
        "attributes": "<a " * 30_000,
        "quotes": "<a b='>" * 15_000,
        "both quotes": "<a b='>" + '<a b=">' * 14_000,
        "ends": "</" * 45_000,
        "declarations": "<!a" * 30_000,
        "bold": "<b>" * 20_000 + "x" + "</b>" * 5_000,
        "lists": "<ol><li>" * 10_000,
        "cells": "<table>" + "<tr><td>" * 8_000,
        "wide": "<table><tr>" + "<td>x" * 10_000 + "</tr>" + "<tr><td>y" * 4_000,
        "languages": '<span lang="hi" class="multilang">' * 2_500,
        "named": "".join(f'<span lang="a{n:04}" class="multilang">x</span>' for n in range(2_000)),
        "plug-in": "{mlang hi}" * 9_000,
        "formulas": "$x" * 40_000,
        "brackets": "\\(" * 40_000,
        "backslashes": "\\" * 90_000,
        "stars": "*" * 90_000,
        "spaced": "* " * 45_000,
    }
    head = '<quiz><question type="essay"><questiontext format="{form}"><text><![CDATA['
    tail = "]]></text></questiontext></question></quiz>"
    made = {
        f"{name} as {form}": (FormatName.MOODLE_XML, (head.format(form=form) + text + tail).encode())
        for name, text in texts.items()
        for form in ("html", "moodle_auto_format", "markdown", "plain_text")
    }
    options = "~a" * 500_000
    return made | {
        "elements": (FormatName.MOODLE_XML, b"<quiz>" + b"<a/>" * 2_000_000 + b"</quiz>"),
        "levels": (FormatName.MOODLE_XML, b"<quiz>" + b"<a>" * 1_000_000),
        "attributes of one": (
            FormatName.MOODLE_XML,
            b"<quiz " + b" ".join(b'a%d="b"' % number for number in range(200_000)) + b"/>",
        ),
        "text": (FormatName.MOODLE_XML, (head.format(form="html") + "x " * 10_000_000 + tail).encode()),
        "options": (FormatName.GIFT, f"Q {{={options}}}".encode()),
        "titles": (FormatName.GIFT, b":" * 5_000_000),
        "questions": (FormatName.GIFT, b"Q {T}\n\n" * 1_000_000),
        "mistakes": (FormatName.GIFT, b"Q {#x}\n\n" * 1_000_000),
        "comments of one": (FormatName.GIFT, b"// [tag:a]\n" * 500_000 + b"Q {T}\n"),
        "ids": (FormatName.GIFT, b"// " + b"[id:" * 500_000 + b"\nQ {T}\n"),
        "lines": (FormatName.AIKEN, b"A. x\n" * 2_000_000),
        "answers": (FormatName.AIKEN, b"ANSWER: A\n" * 1_000_000),
    }


@cache
def attacks_of_qti() -> dict[str, tuple[FormatName, bytes]]:
    """The same for QTI."""
    made = hostile_qti.items() | hostile_qti.packages()
    return {f"{name} in QTI": (FormatName.QTI, file) for name, file in made.items()}


def case(seed: int, number: int) -> tuple[FormatName, bytes]:
    """A file and its format. The first files are attacks, all others are drawn."""
    made = [*attacks().values(), *attacks_of_qti().values()]
    return made[number] if number < len(made) else drawn(seed, number)


def drawn(seed: int, number: int) -> tuple[FormatName, bytes]:
    """A mutated file and its format."""
    random = Random(f"{seed}/{number}")
    files = bases()
    name = random.choice(list(files))
    others, pieces = list(files.values()), (*PIECES, *SIGNS, *SIGNS)
    file = files[name]
    if zipfile.is_zipfile(io.BytesIO(file)) and random.random() < 0.8:
        # The parts of a ZIP are changed before they are packed, or every change would be a damaged ZIP.
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            part = random.choice(archive.namelist())
        return name, repacked(file, change={part: lambda content: mutated(random, content, others, pieces)})
    if random.random() < 0.1:
        file = file.decode(errors="ignore").encode(random.choice(["utf-16", "utf-8-sig"]))
    return name, mutated(random, file, others, pieces)


def read(name: FormatName, file: bytes) -> ItemFile:
    """Read a file as an import does, and write what it has in every format."""
    recognized(file)
    found = FORMATS[name].read(file, "en")
    rows_of(found, empty_key=EmptyKey.DRAFT, needs_subject=False, skip_unsupported=True)
    for each in FORMATS.values():
        each.write(found.items[:100], found.images)
    return found


def outcome(name: FormatName, file: bytes) -> Outcome:
    """What became of a file."""
    began = time.perf_counter()
    try:
        found = read(name, file)
        word = "read" if found.items and not found.errors else "refused"
    except SheetError:
        word = "refused"
    except Exception as error:  # noqa: BLE001 -- any other exception is what is looked for
        word = f"{type(error).__name__}: {error}"[:200]
    return Outcome(name, "items", word, time.perf_counter() - began)


def main() -> int:
    """Read the files and report counts. Returns 1 if there was a failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name, file in bases().items():
        read(name, file)
    case(options.seed, 0)  # Makes the attacks before memory is measured.
    idle, words, slowest = megabytes(), Counter[str](), 0.0
    failures: list[str] = []
    for number in range(options.count):
        faulthandler.dump_traceback_later(60, exit=True)
        found = outcome(*case(options.seed, number))
        words["failed" if found.is_failure else found.word] += 1
        slowest = max(slowest, found.seconds)
        if found.is_failure:
            failures.append(f"{options.seed}/{number} {found}")
    faulthandler.cancel_dump_traceback_later()
    more = megabytes() - idle
    counts = ", ".join(f"{word} {count}" for word, count in sorted(words.items()))
    print(f"{options.count} files: {counts}; slowest {slowest:.2f} s; {more:.0f} MB above {idle:.0f}")
    print(*failures[:20], sep="\n")
    return 1 if failures or more > MAX_MEGABYTES else 0


if __name__ == "__main__":
    raise SystemExit(main())
