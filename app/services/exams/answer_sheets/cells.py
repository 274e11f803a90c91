"""What a candidate has marked, as it stands in one cell."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.engine.answers import Answer
from app.engine.question_types import question_type
from app.sentences import Sentence
from app.services.exams.answer_sheets.options import AS_IT_IS, FileOptions, NumbersFrom
from app.services.questions.content import reading_question
from app.services.tests.papers import FrozenQuestion
from app.sheets.cells import unescape_formula

AnswerReader = Callable[[str], Answer | None]

_MAX_ANSWER_LENGTH = 100
_BLANK = {"", "na", "-"}
_HINDI_LETTERS = str.maketrans("कखगघङ", "abcde")
_BRACKETS = re.compile(r"(?:option\s*)?\(?\s*([a-z])\s*[).]?")
_NUMBERS = re.compile(r"[0-9](?:[\s,;|/+&]*[0-9])*")


@dataclass(frozen=True, slots=True)
class QuestionReader:
    """Reads the cells of one question: what was marked, None for a blank; ValueError says what is wrong."""

    question: FrozenQuestion
    read: AnswerReader
    takes_one_mark: bool
    """Whether several marks are an incorrect answer to it."""

    def is_multiple(self, answer: Answer | None) -> bool:
        """Whether more is marked than a right answer can have."""
        return self.takes_one_mark and isinstance(answer, tuple) and len(answer) > 1


def reader_of(question: FrozenQuestion, options: FileOptions = AS_IT_IS) -> QuestionReader:
    """Return the reader of a question's cells.

    `BD`, `b,d` and `d b` are the same answer. Two letters to a question of one answer are an answer too: a
    wrong one, as on the sheet. A paper's questions see few different cells, so each is read once.
    """
    with reading_question(question.id):
        kind = question_type(question.type)
        several = kind.several_marks(question.options)
        as_typed = kind.answer_reader(question.options)
        is_choice = bool(kind.choices(question.options))
    letters = _letter_reader(as_typed, question.options, options.numbers_from) if is_choice else as_typed

    @lru_cache(maxsize=4_096)
    def answer(text: str) -> Answer | None:
        word = text.casefold()
        if word in _BLANK or word in options.blank:
            return None
        if word in options.multiple:
            if several is None:
                template = '"{text}" does not say which options are marked. This question needs to know it.'
                raise ValueError(Sentence(template, text=text))
            return several
        return letters(text)

    def bounded(cell: str) -> Answer | None:
        text = unescape_formula(cell.strip())
        if len(text) > _MAX_ANSWER_LENGTH:
            raise ValueError(Sentence("An answer has at most {most} characters.", most=_MAX_ANSWER_LENGTH))
        return answer(text)

    return QuestionReader(question, bounded, several is not None)


def _letter_reader(
    as_typed: Callable[[str], Answer], option_ids: Sequence[str], numbers_from: NumbersFrom | None
) -> Callable[[str], Answer]:
    """Reads `(b)`, `B.`, `ख` and, if it is said what numbers mean, `2` as the option b."""
    have_numbers = any(name.isdecimal() for name in option_ids)

    def read(text: str) -> Answer:
        if _NUMBERS.fullmatch(text) and not have_numbers:
            return as_typed(letters_of_numbers(text, option_ids, numbers_from))
        try:
            return as_typed(text)
        except ValueError:
            plain = text.casefold().translate(_HINDI_LETTERS)
            if (bracketed := _BRACKETS.fullmatch(plain)) is not None:
                return as_typed(bracketed[1])
            if plain != text.casefold():
                return as_typed(plain)
            raise

    return read


def letters_of_numbers(text: str, option_ids: Sequence[str], numbers_from: NumbersFrom | None) -> str:
    """`24` → `b,d`, if the first option is 1. Raises ValueError if it is not said what numbers mean."""
    if numbers_from is None:
        first, second = option_ids[0], option_ids[min(1, len(option_ids) - 1)]
        template = (
            '"{text}" is a number. If numbers stand for options, say what the first one is: `numbers_from` 1'
            " makes 1 the option {first}, `numbers_from` 0 makes 1 the option {second}."
        )
        raise ValueError(Sentence(template, text=text, first=first, second=second))
    places = [int(digit) - int(numbers_from) for digit in re.findall("[0-9]", text)]
    if not all(0 <= place < len(option_ids) for place in places):
        last = len(option_ids) - 1 + int(numbers_from)
        template = '"{text}" is no option. The options are {first} to {last}.'
        raise ValueError(Sentence(template, text=text, first=numbers_from, last=last))
    return ",".join(option_ids[place] for place in places)
