"""Mutated sheets: `python -m tests.fuzz_sheets --count 2000 --seed 1` reads them as each kind of import does.

A file may be read or refused. Another exception, which would be a 500, more than five seconds, or more than
300 MB above the memory before the first file, is a failure. A file is drawn from the seed and its number.
"""

import argparse
import faulthandler
import io
import resource
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

from app.core.errors import DomainError
from app.core.images import UnusableImage
from app.services.exams.answer_sheets.joining import join_sheets
from app.services.exams.answer_sheets.keys import read_key
from app.services.exams.answer_sheets.options import FileOptions
from app.services.exams.answer_sheets.orders import read_orders
from app.services.exams.answer_sheets.reading import letters_used, read_answer_sheets
from app.services.questions.images import ImageArchive
from app.services.questions.reading import QuestionSheetOptions, read_questions
from app.services.questions.rows import EmptyKey
from app.services.tests.papers import FrozenQuestion
from app.sheets.errors import SheetError
from tests.builders.workbooks import HEADER, RIVER, repacked, workbook

MAX_SECONDS = 5.0
MAX_MEGABYTES = 300
QUESTIONS = [FrozenQuestion(UUID(int=number), "single_choice", tuple("abcd"), None) for number in range(1, 7)]
PIECES = (
    *(
        '"',
        '""',
        ",",
        ";",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\x00",
        "\ufeff",
        "=1+1",
        "'=",
        "@SUM(A1)",
        "q1",
        "Roll",
        "key",
    ),
    *(
        "९" * 20,
        "\u202e",
        "\u200b",
        "9" * 400,
        "1e308",
        "-0.0",
        "NaN",
        "²",
        "A,AB",
        "b|d|" * 200,
        "[" * 2_000,
    ),
    *("प्रश्न १", "Set A", "12?4", "{}", "%s", "\ud7ff", "sep=;\n", "<!DOCTYPE x>", "&amp;", "]]>"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file with one reader: read, refused, or the name of another exception."""

    kind: str
    reader: str
    word: str
    seconds: float

    @property
    def is_failure(self) -> bool:
        return self.word not in ("read", "refused") or self.seconds > MAX_SECONDS


def _csv(*rows: Sequence[str]) -> bytes:
    return "\n".join(",".join(row) for row in rows).encode()


ANSWERS_HEADER = ("error", "Roll", "Set", "q1", "q2", "q3", "q4", "q5", "q6", "score")
ANSWERS = [("", f"R{number}", "A", *"abcdab", "0") for number in range(1, 9)]
SCANNED = (
    "File name;Question01;Question02;Question03;Question04;Question05;Question06;id1;id2\n"
    "a;A|B;B;;C;D;A;0;1\n"
)


def bases() -> dict[str, bytes]:
    """Files that can be read."""
    images = io.BytesIO()
    with zipfile.ZipFile(images, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"map {number}.png", bytes(range(64)))
    return {
        "questions.csv": _csv(HEADER, *([RIVER] * 5)),
        "questions.xlsx": workbook(HEADER, *([RIVER] * 5)),
        "answers.csv": _csv(ANSWERS_HEADER, *ANSWERS),
        "answers.xlsx": workbook(ANSWERS_HEADER, *ANSWERS, title="answers"),
        "scanned.csv": SCANNED.encode(),
        "key.csv": _csv(("question", "key"), *((str(number), "b") for number in range(1, 7))),
        "order.csv": _csv(("question", "A", "B"), *((str(n), str(n), str(7 - n)) for n in range(1, 7))),
        "images.zip": images.getvalue(),
    }


def _options(random: Random) -> FileOptions:
    return FileOptions(
        roll_number=random.choice([None, None, "Roll", "id1-id2", "2"]),
        columns=random.choice([None, None, "4-9", "q1-q6", "Question01-Question06"]),
        blank=frozenset(random.choice([(), ("blank", "0")])),
        multiple=frozenset(random.choice([(), ("mult", "*")])),
        numbers_from=random.choice([None, "0", "1"]),
        mapping=random.choice([{}, {}, {"score": "ignore"}, {"Set": "q1"}]),
        orders=random.choice([{}, {"A": tuple(range(6)), "B": (5, 4, 3, 2, 1, 0)}]),
    )


def readers(random: Random) -> dict[str, Callable[[bytes], object]]:
    """What reads a file, by name."""
    options, is_part = _options(random), random.random() < 0.3
    how = QuestionSheetOptions(random.choice(list(EmptyKey)), needs_subject=random.random() < 0.5)

    def answers(file: bytes) -> object:
        sheet = read_answer_sheets(file, QUESTIONS, options, is_part=is_part)
        return join_sheets([sheet, sheet] if is_part else [sheet], len(QUESTIONS))

    return {
        "questions": lambda file: read_questions(file, how),
        "answer sheets": answers,
        "letters": lambda file: letters_used(file, len(QUESTIONS), options),
        "key": lambda file: read_key(file, options.numbers_from),
        "order": lambda file: read_orders(file, len(QUESTIONS)),
        "images": _read_images,
    }


def _read_images(file: bytes) -> None:
    archive = ImageArchive(file)
    for name in ("map 0.png", "map 1.png"):
        if name in archive:
            archive.read(name)
    archive.others([])


def mutated(random: Random, file: bytes, others: Sequence[bytes], pieces: Sequence[str] = PIECES) -> bytes:
    """The file with one to six changes of bytes."""
    content = bytearray(file)
    for _ in range(random.randint(1, 6)):
        place = random.randrange(len(content) + 1)
        match random.randrange(7):
            case 0 if place < len(content):
                content[place] = random.randrange(256)
            case 1:
                del content[place : place + random.randint(1, 40)]
            case 2:
                content[place:place] = random.choice(pieces).encode() * random.choice([1, 1, 1, 50])
            case 3:
                content[place:place] = content[max(0, place - random.randint(1, 200)) : place] * 3
            case 4:
                content = content[:place]
            case 5:
                other = random.choice(others)
                content[place:] = other[random.randrange(len(other)) :]
            case _:
                content = bytearray(
                    content.replace(*random.choice([(b",", b";"), (b"\n", b"\r"), (b"a", b"\xff")]))
                )
    return bytes(content)


def case(seed: int, number: int) -> tuple[str, bytes, Random]:
    """The kind of a file, the file, and what is random about its reading."""
    random = Random(f"{seed}/{number}")
    files = bases()
    kind = random.choice(list(files))
    others = list(files.values())
    file = files[kind]
    if kind.endswith(("xlsx", "zip")) and random.random() < 0.7:
        # The parts of a ZIP are changed before they are packed, or every change would be a damaged ZIP.
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            part = random.choice(archive.namelist())
        return kind, repacked(file, change={part: lambda content: mutated(random, content, others)}), random
    if kind.endswith("csv") and random.random() < 0.2:
        file = file.decode().encode(random.choice(["utf-16", "utf-16-le", "utf-8-sig", "cp1252"]))
    return kind, mutated(random, file, others), random


def outcomes(seed: int, number: int) -> Iterator[Outcome]:
    """Read one file with each reader."""
    kind, file, random = case(seed, number)
    for name, read in readers(random).items():
        began = time.perf_counter()
        try:
            read(file)
            word = "read"
        except (SheetError, DomainError, UnusableImage):
            word = "refused"
        except Exception as error:  # noqa: BLE001 -- any other exception is what is looked for
            word = f"{type(error).__name__}: {error}"[:200]
        yield Outcome(kind, name, word, time.perf_counter() - began)


def megabytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


def main() -> int:
    """Read the files and report counts. Returns 1 if there was a failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for file in bases().values():
        for read in readers(Random(0)).values():
            try:
                read(file)
            except (SheetError, DomainError, UnusableImage):
                continue
    idle, words, slowest = megabytes(), Counter[str](), 0.0
    failures: list[str] = []
    for number in range(options.count):
        faulthandler.dump_traceback_later(60, exit=True)
        for outcome in outcomes(options.seed, number):
            words["failed" if outcome.is_failure else outcome.word] += 1
            slowest = max(slowest, outcome.seconds)
            if outcome.is_failure:
                failures.append(f"{options.seed}/{number} {outcome}")
    faulthandler.cancel_dump_traceback_later()
    more = megabytes() - idle
    counts = ", ".join(f"{word} {count}" for word, count in sorted(words.items()))
    print(f"{options.count} files: {counts}; slowest {slowest:.2f} s; {more:.0f} MB above {idle:.0f}")
    print(*failures[:20], sep="\n")
    return 1 if failures or more > MAX_MEGABYTES else 0


if __name__ == "__main__":
    raise SystemExit(main())
