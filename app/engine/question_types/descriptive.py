"""Questions that are answered in writing and marked by people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.engine.question_types.base import (
    AnswerKey,
    AnswerReader,
    ContentProblem,
    Interaction,
    JsonObject,
    Option,
    QuestionType,
    UnreadableQuestion,
)
from app.engine.question_types.options import no_options
from app.sentences import Sentence

_NO_KEY = "A descriptive question is marked by people and has no key."


class Descriptive(QuestionType):
    """A question of the bank that no test can hold yet."""

    name = "descriptive"
    title = "descriptive"
    interaction = Interaction.ESSAY
    is_marked = False
    key_example = "none"

    def option_problems(self, options: Sequence[Option]) -> Iterator[ContentProblem]:
        return no_options(self.title, options)

    def key_problems(self, key: JsonObject, options: Sequence[Option]) -> Iterator[ContentProblem]:
        yield ContentProblem("key", _NO_KEY)

    def normalized_key(self, key: JsonObject) -> dict[str, Any]:
        return dict(key)

    def answer_key(self, key: JsonObject) -> AnswerKey:
        raise UnreadableQuestion("A descriptive question has no key.")

    def answer_problem(self, answer: Any, option_ids: Sequence[str]) -> str | None:
        return Sentence("Descriptive questions take no answers yet.")

    def key_from_cell(self, cell: str) -> JsonObject:
        raise ValueError(_NO_KEY)

    def key_to_cell(self, key: JsonObject) -> str:
        return ""

    def answer_reader(self, option_ids: Sequence[str]) -> AnswerReader:
        def read(text: str) -> str:
            raise ValueError("Descriptive questions take no answers yet.")

        return read

    def has_answer_line(self) -> bool:
        return True

    def printed_key(self, key: JsonObject, labels: Mapping[str, str]) -> list[list[str]]:
        return []
