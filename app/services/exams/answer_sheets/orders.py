"""The order of the paper's questions in each booklet series: from a file, or from the keys of the series."""

from collections.abc import Mapping, Sequence

from app.core.errors import FieldError, Invalid
from app.sentences import Sentence
from app.services.exams.answer_sheets.keys import KeyFile
from app.services.exams.answer_sheets.options import Order
from app.services.exams.answer_sheets.series import series_name
from app.services.questions.content import Key
from app.sheets.files import read_records
from app.sheets.records import Record, non_empty

SHEET = "order"
_MAX_REPORTED = 50
_QUESTION, _POSITION = {"question", "paper_question", "प्रश्न"}, {"position", "number", "place"}


def read_orders(file: bytes, questions: int) -> dict[str, Order]:
    """Read a table of the order in each series. Raises Invalid.

    Its first column is `question` (of the paper), and the others have the place of that question in each
    series; or `position` (in the booklet), and the others have the question of the paper that stands there.
    """
    header, *rows = list(non_empty(read_records(file, SHEET))) or [Record(1, [])]
    first = header.cell(0).strip().casefold()
    series = [series_name(cell) for cell in header.cells[1:] if cell.strip()]
    if first not in _QUESTION | _POSITION or not series or len({*series}) < len(series):
        sentence = Sentence(
            'The first column of the order is "question", with the places in each series beside it, or'
            ' "position", with the questions of each series. The other columns are named by the series.'
        )
        raise Invalid.field("order", sentence)
    errors: list[FieldError] = []
    own = _whole(rows, 0, questions, header.cell(0), errors)
    columns = [_whole(rows, place, questions, name, errors) for place, name in enumerate(series, start=1)]
    if errors:
        raise Invalid("The order of the series cannot be used.", errors=errors[:_MAX_REPORTED])
    pairs = [dict(zip(own, column, strict=True)) for column in columns]
    if first in _POSITION:
        pairs = [{question: place for place, question in each.items()} for each in pairs]
    return {
        name: tuple(each[question] for question in range(questions))
        for name, each in zip(series, pairs, strict=True)
    }


def _whole(
    rows: Sequence[Record], place: int, questions: int, name: str, errors: list[FieldError]
) -> list[int]:
    """The numbers of a column, from 0, which are 1 to the number of questions, each once."""
    numbers = [row.cell(place).strip() for row in rows]
    if sorted(numbers) != sorted(map(str, range(1, questions + 1))):
        template = 'The column "{name}" of the order has each number from 1 to {count} once.'
        errors.append(FieldError("order", Sentence(template, name=name, count=questions)))
        return []
    return [int(number) - 1 for number in numbers]


def orders_of_keys(keys: Mapping[str, KeyFile]) -> tuple[dict[str, Order], list[str]]:
    """Return the order in each series, and the series whose order is assumed. Raises Invalid.

    The paper's order is that of the first series. A key with the column `paper_question` says where its
    questions stand in it. For one without, questions with equal keys are paired in their order: the marks are
    right, but it is not known which question a candidate has answered.
    """
    own = next(iter(keys.values())).keys
    orders: dict[str, Order] = {}
    assumed = []
    for name, file in keys.items():
        if sorted(map(_text, file.keys)) != sorted(map(_text, own)):
            template = (
                "The keys of the series {first} and {other} are not the same answers in another order. Check"
                " both files."
            )
            raise Invalid.field("key", Sentence(template, first=next(iter(keys)), other=name))
        if file.paper_questions is None:
            orders[name] = _paired(own, file.keys)
            assumed += [name] if file.keys != own else []
        else:
            orders[name] = _told(own, file, name)
    return orders, assumed


def _told(own: Sequence[Key], file: KeyFile, name: str) -> Order:
    places = {question - 1: place for place, question in enumerate(file.paper_questions or ())}
    for question, key in enumerate(own):
        if file.keys[places[question]] != key:
            template = (
                "The series {name} has another key for question {number} of the paper. Correct one of them."
            )
            raise Invalid.field("key", Sentence(template, name=name, number=question + 1))
    return tuple(places[question] for question in range(len(own)))


def _paired(own: Sequence[Key], other: Sequence[Key]) -> Order:
    if list(own) == list(other):
        return tuple(range(len(own)))
    waiting: dict[str, list[int]] = {}
    for place, key in enumerate(other):
        waiting.setdefault(_text(key), []).append(place)
    return tuple(waiting[_text(key)].pop(0) for key in own)


def _text(key: Key) -> str:
    return repr(sorted(key.items()))
