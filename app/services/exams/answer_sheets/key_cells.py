"""The correct answer to a question as it stands in a cell of a key."""

import re
import unicodedata

from app.engine.dropped_keys import dropped_from_cell
from app.engine.question_types import OPTION_LETTERS, choice_for, key_answers
from app.sentences import Sentence
from app.services.exams.answer_sheets.cells import letters_of_numbers
from app.services.exams.answer_sheets.options import NumbersFrom
from app.services.questions.content import Key
from app.sheets.cells import unescape_formula

_DROPPED_WORDS = {"x", "*", "bonus", "all", "cancelled", "canceled", "deleted", "withdrawn", "grace"}
_HINDI_LETTERS = str.maketrans("कखगघङ", "abcde")
_ONE = re.compile(r"(?:option\s*)?[(\[]?\s*([a-z])\s*[)\].]?")
_LIST = re.compile(r"[a-z0-9]+(?:\s*(?:[,;/&]|\bor\b|\band\b)\s*[a-z0-9]+)+")
_NUMBER = re.compile(r"[(\[]?\s*([0-9]{1,2})\s*[)\].]?")


def key_from_cell(text: str, numbers_from: NumbersFrom | None) -> Key:
    """`b`, `B)`, `(b)`, `Option B`, `ख`, `bd` for exactly both, `b|d` for either, `dropped`.

    Raises ValueError with the mend for everything else, also for what has two meanings.
    """
    cell = unicodedata.normalize("NFKC", unescape_formula(text.strip())).strip()
    if (dropped_key := dropped_from_cell(cell)) is not None:
        return dropped_key
    plain = cell.casefold().translate(_HINDI_LETTERS)
    _check_meaning(cell, plain)
    if number := _NUMBER.fullmatch(plain):
        plain = _letter(number[1], numbers_from)
    if one := _ONE.fullmatch(plain):
        plain = one[1]
    answers = key_answers(plain)
    if not answers or not {letter for answer in answers for letter in answer} <= {*OPTION_LETTERS}:
        template = 'Write "b", "bd" for exactly both, "b|d" for either, of {letters}, or "dropped".'
        raise ValueError(Sentence(template, letters=OPTION_LETTERS))
    return choice_for(answers).normalized_key({"accepted": answers})


def _check_meaning(cell: str, plain: str) -> None:
    """Raises ValueError for a cell that is empty, or that people write with different meanings."""
    if not plain or plain in {"na", "-"}:
        raise ValueError(
            Sentence(
                'The key is empty. Write the correct option, or "dropped" if the question does not count.'
            )
        )
    if plain in _DROPPED_WORDS:
        template = (
            '"{cell}" is not clear. Write "dropped" for a question that does not count, or "dropped:'
            ' full_marks_to_all" if everybody gets its marks.'
        )
        raise ValueError(Sentence(template, cell=cell))
    if _LIST.fullmatch(plain):
        template = (
            '"{cell}" has two meanings. Write "b|d" if each of b and d is a correct answer, "bd" if only both'
            " together are. An option cannot have a weight of its own."
        )
        raise ValueError(Sentence(template, cell=cell[:50]))


def _letter(number: str, numbers_from: NumbersFrom | None) -> str:
    if numbers_from is None:
        template = (
            'The key "{number}" is a number. Say what the first option is: numbers from 1 make 1 the option'
            " a, numbers from 0 make 0 the option a."
        )
        raise ValueError(Sentence(template, number=number))
    try:
        return letters_of_numbers(number, OPTION_LETTERS, numbers_from)
    except ValueError:
        raise ValueError(Sentence('There is no option "{number}".', number=number)) from None
