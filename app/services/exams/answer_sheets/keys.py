"""Keys of papers that were sat elsewhere: files with the correct answer to each numbered question."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.core.errors import FieldError, Invalid
from app.sentences import Sentence
from app.services.exams.answer_sheets.headers import numbered
from app.services.exams.answer_sheets.key_cells import key_from_cell
from app.services.exams.answer_sheets.options import NumbersFrom
from app.services.questions.content import Key
from app.sheets.files import read_records
from app.sheets.header_row import find_header
from app.sheets.records import Record

SHEET = "key"
MAX_QUESTIONS = 500
_MAX_REPORTED = 50
_KEY_NAMES = {
    *("key", "answer", "ans", "correct", "correct_answer", "correct_option", "answer_key", "right_answer"),
    *("final_key", "official_key", "उत्तर", "सही_उत्तर", "कुंजी"),
}
_NUMBER_NAMES = {
    *("question", "question_no", "question_number", "q", "q_no", "qno", "qn", "no", "number", "sl", "sl_no"),
    *("s_no", "sr_no", "serial_no", "प्रश्न", "प्रश्न_संख्या", "क्रमांक", "क्र"),
}
PAPER_QUESTION = "paper_question"
_EMPTY_ROW = Sentence("This row is empty. Delete it, or write the key of its question.")
_WEIGHT_NAMES = {"weight", "weights", "weightage"}


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One row of a key: the number of the question in the booklet, if there is one, and in the paper."""

    place: str
    """The key's cell as the spreadsheet names it."""
    cell: str
    number: str | None
    paper_question: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key in the order of its booklet; `paper_questions` are the paper's numbers, if the file has them."""

    keys: Sequence[Key]
    paper_questions: Sequence[int] | None = None


@dataclass(slots=True)
class _Mistakes:
    field_name: str
    errors: list[FieldError] = field(default_factory=list)

    def add(self, cell: str, problem: str) -> None:
        sentence = Sentence("{cell}: {problem}", cell=cell, problem=Sentence(problem))
        self.errors.append(FieldError(self.field_name, sentence))

    def raise_if_any(self) -> None:
        if self.errors:
            raise Invalid("The key cannot be used.", errors=self.errors[:_MAX_REPORTED])


def read_key(file: bytes, numbers_from: NumbersFrom | None = None, field_name: str = "key") -> KeyFile:
    """Read the key of a booklet in the order of its questions. Raises Invalid.

    The file has a column `key` and perhaps one of the questions' numbers; or no header and the two columns
    number and key; or a column for each question and one row.
    """
    header, _, below = find_header(read_records(file, SHEET), _count_known)
    rows = list(_rows([] if header.is_empty else [header, *below], field_name))
    if not 1 <= len(rows) <= MAX_QUESTIONS:
        template = "A paper has 1 to {most} questions. These are {count}."
        raise Invalid.field(field_name, Sentence(template, most=MAX_QUESTIONS, count=len(rows)))
    mistakes = _Mistakes(field_name)
    keys = [_key(row, numbers_from, mistakes) for row in rows]
    numbers = _numbers(rows, [row.number for row in rows], mistakes)
    papers = _numbers(rows, [row.paper_question for row in rows], mistakes)
    mistakes.raise_if_any()
    places = sorted(range(len(rows)), key=lambda place: numbers[place] if numbers else place)
    return KeyFile(
        keys=[key for place in places if (key := keys[place]) is not None],
        paper_questions=[papers[place] for place in places] if papers else None,
    )


def _key(row: KeyRow, numbers_from: NumbersFrom | None, mistakes: _Mistakes) -> Key | None:
    if row.problem is not None:
        mistakes.add(row.place, row.problem)
        return None
    try:
        return key_from_cell(row.cell, numbers_from)
    except ValueError as error:
        mistakes.add(row.place, str(error))
        return None


def _numbers(rows: Sequence[KeyRow], cells: Sequence[str | None], mistakes: _Mistakes) -> list[int]:
    """The numbers 1, 2 … of all rows, in the order of the file; none if the file has no numbers.

    A column of texts, such as the questions themselves, has none. A number that is there twice or missing is
    a mistake.
    """
    found = [_number(cell) for cell in cells]
    if all(number is None for number in found):
        return []
    first: dict[int, str] = {}
    for row, cell, number in zip(rows, cells, found, strict=True):
        if number is None:
            template = '"{cell}" is not the number of a question.'
            mistakes.add(row.place, Sentence(template, cell=(cell or "")[:50]))
        elif (other := first.setdefault(number, row.place)) != row.place:
            template = "The key of question {number} is in {other} too."
            mistakes.add(row.place, Sentence(template, number=number, other=other))
    repeated = sum(number is not None for number in found) - len(first)
    missing = sorted({*range(1, len(rows) - repeated + 1)} - {*first})
    if missing:
        named = ", ".join(map(str, missing[:5])) + (" …" if len(missing) > 5 else "")
        template = "The key has {count} rows, but none for the question {numbers}."
        sentence = Sentence(template, count=len(rows), numbers=named)
        mistakes.errors.append(FieldError(mistakes.field_name, sentence))
    return [number or 0 for number in found]


def _number(cell: str | None) -> int | None:
    name = numbered(cell.strip()) if cell is not None else None
    return name.number if name is not None and name.is_question else None


def _rows(records: Sequence[Record], field_name: str) -> Iterator[KeyRow]:
    if not records:
        return
    header = [_plain(cell) for cell in records[0].cells]
    keys = [place for place, name in enumerate(header) if name in _KEY_NAMES]
    if any(name in _WEIGHT_NAMES for name in header):
        sentence = Sentence("A key has no weights. Give the marks of a correct answer for the whole paper.")
        raise Invalid.field(field_name, sentence)
    if len(keys) == 1:
        yield from _below_header(records[1:], header, keys[0])
    elif _is_wide(records, header):
        yield from _from_columns(records)
    elif not keys and all(_number(record.cell(0)) is not None for record in records):
        yield from _without_header(records)
    else:
        template = (
            'The file of the key has one column "key", with a row for each question. A column "question" may'
            " have the numbers."
        )
        raise Invalid.field(field_name, Sentence(template))


def _plain(name: str) -> str:
    return "_".join(name.casefold().replace(".", " ").split())


def _count_known(cells: Sequence[str]) -> int:
    """Count the cells that name a column of a key."""
    return len({_plain(cell) for cell in cells} & (_KEY_NAMES | _NUMBER_NAMES | {PAPER_QUESTION}))


def _below_header(records: Sequence[Record], header: Sequence[str], key: int) -> Iterator[KeyRow]:
    number = next((place for place, name in enumerate(header) if name in _NUMBER_NAMES), None)
    paper = header.index(PAPER_QUESTION) if PAPER_QUESTION in header else None
    before = 0
    for record in records:
        cell = record.cell(number) if number is not None else None
        if 0 < before < record.row - 1 and _number(cell) is None:
            # Without numbers the keys that follow would move up by one question.
            blank = Record(before + 1, [], sheet=record.sheet)
            yield KeyRow(blank.cell_name(key), "", cell, problem=_EMPTY_ROW)
        before = record.row
        yield KeyRow(
            place=record.cell_name(key),
            cell=record.cell(key),
            number=cell,
            paper_question=record.cell(paper) if paper is not None else None,
            problem=_problem(record),
        )


def _is_wide(records: Sequence[Record], header: Sequence[str]) -> bool:
    return (
        len(records) == 2 and len(header) > 1 and all(_number(cell) is not None for cell in records[0].cells)
    )


def _from_columns(records: Sequence[Record]) -> Iterator[KeyRow]:
    """`a|b` is two marks in such files of scanners' programs, so that it needs to be said what is meant."""
    names, key = records
    for place, name in enumerate(names.cells):
        yield KeyRow(key.cell_name(place), key.cell(place).replace("|", ","), name, problem=_problem(key))


def _without_header(records: Sequence[Record]) -> Iterator[KeyRow]:
    """`q1,C`. Further cells are further answers: the key reader asks what they mean."""
    for record in records:
        cells = [cell.strip() for cell in record.cells[1:] if cell.strip()]
        yield KeyRow(record.cell_name(1), ",".join(cells), record.cell(0), problem=_problem(record))


def _problem(record: Record) -> str | None:
    return record.unreadable or next(iter(record.cell_errors.values()), None)
