"""What a candidate has marked, as it stands in one cell."""

import re
from collections.abc import Callable
from functools import lru_cache

from app.engine.scoring import Answer, parse_numeric
from app.services.tests.papers import PaperQuestion
from app.sheets.cells import unescape_formula

AnswerReader = Callable[[str], Answer | None]

_LONGEST_ANSWER = 100
_BLANK = {"", "na", "-"}
_SEPARATORS = re.compile(r"[\s,;|/+&]+")
_TRUE_FALSE = {"t": "true", "f": "false"}


def reader_of(question: PaperQuestion) -> AnswerReader:
    """Reads the cells of one question: what was marked, None for a blank; ValueError says what is wrong.

    `BD`, `b,d` and `d b` are the same answer. Two letters to a question of one answer are an answer too: a
    wrong one, as on the sheet. A paper's questions see few different cells, so each is read once.
    """
    read = _number if question.type == "numeric" else _marks_of(question)

    @lru_cache(maxsize=4_096)
    def answer(text: str) -> Answer | None:
        return None if text.casefold() in _BLANK else read(text)

    def bounded(cell: str) -> Answer | None:
        text = unescape_formula(cell.strip())
        if len(text) > _LONGEST_ANSWER:
            raise ValueError(f"an answer has at most {_LONGEST_ANSWER} characters")
        return answer(text)

    return bounded


def _number(text: str) -> Answer:
    parse_numeric(text)
    return text


def _marks_of(question: PaperQuestion) -> Callable[[str], Answer]:
    names = {option.casefold(): option for option in question.options}
    if question.type == "true_false":
        names |= _TRUE_FALSE
    letters = {name for name in names if len(name) == 1}
    known = ", ".join(question.options)

    def read(text: str) -> Answer:
        marked = []
        for part in _SEPARATORS.split(text.casefold()):
            # "bd" is two letters, unless an option is called so.
            marked += [part] if part in names or not letters else list(part)
        if unknown := [name for name in marked if name not in names]:
            raise ValueError(f'there is no option "{unknown[0][:20]}"; the question has {known}')
        options = [names[name] for name in marked]
        if not options:
            raise ValueError(f"write the marked options, of {known}; NA where nothing is marked")
        if len(set(options)) < len(options):
            raise ValueError("an option is named twice")
        return tuple(sorted(options, key=question.options.index))

    return read
