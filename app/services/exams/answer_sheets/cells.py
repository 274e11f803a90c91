"""What a candidate has marked, as it stands in one cell."""

from collections.abc import Callable
from functools import lru_cache

from app.engine.answers import Answer
from app.engine.question_types import question_type
from app.sentences import Sentence
from app.services.questions.content import reading_question
from app.services.tests.papers import FrozenQuestion
from app.sheets.cells import unescape_formula

AnswerReader = Callable[[str], Answer | None]

_LONGEST_ANSWER = 100
_BLANK = {"", "na", "-"}


def reader_of(question: FrozenQuestion) -> AnswerReader:
    """Reads the cells of one question: what was marked, None for a blank; ValueError says what is wrong.

    `BD`, `b,d` and `d b` are the same answer. Two letters to a question of one answer are an answer too: a
    wrong one, as on the sheet. A paper's questions see few different cells, so each is read once.
    """
    with reading_question(question.id):
        read = question_type(question.type).answer_reader(question.options)

    @lru_cache(maxsize=4_096)
    def answer(text: str) -> Answer | None:
        return None if text.casefold() in _BLANK else read(text)

    def bounded(cell: str) -> Answer | None:
        text = unescape_formula(cell.strip())
        if len(text) > _LONGEST_ANSWER:
            raise ValueError(Sentence("An answer has at most {most} characters.", most=_LONGEST_ANSWER))
        return answer(text)

    return bounded
