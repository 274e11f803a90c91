"""Questions whose answer is a choice of options: single choice, multiple choice, true or false."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from app.engine.answers import Answer
from app.engine.partial_rules import Parts
from app.engine.question_types.base import (
    WRONG,
    AnswerKey,
    AnswerReader,
    Comparison,
    ContentProblem,
    Interaction,
    JsonObject,
    Option,
    QuestionType,
    UnreadableQuestion,
    is_list_of_texts,
)
from app.engine.question_types.options import (
    MAX_ID_LENGTH,
    MAX_OPTIONS,
    marks_reader,
    no_options,
    repeated_ids,
)
from app.sentences import Sentence

_MAX_ANSWERS = 64
# A single letter may be an unknown option, which is its own error; a word such as "none" is not a key.
_LETTERS = re.compile(r"[a-f]+(\|[a-f]+)*|[a-z]")


@dataclass(frozen=True)
class Accepted(AnswerKey):
    """Each set of option ids is a whole right answer."""

    options: frozenset[frozenset[str]]

    def __post_init__(self) -> None:
        if not self.options or not all(self.options):
            raise ValueError("A key names at least one right answer, and each has at least one option.")

    def compare(self, answer: Answer) -> Comparison:
        if isinstance(answer, str):
            return WRONG
        marked = frozenset(answer)
        parts = (
            Parts(right=len(marked & accepted), wrong=len(marked - accepted), total=len(accepted))
            for accepted in self.options
        )
        return Comparison(marked in self.options, tuple(parts))


class _Choice(QuestionType):
    """The base of the three."""

    takes_not_attempted = True
    key_example = '{"accepted": [["b"]]}'

    def option_problems(self, options: Sequence[Option]) -> Iterator[ContentProblem]:
        if len(options) < 2:
            yield ContentProblem("options", "A choice needs at least two options.")
        yield from repeated_ids(options)

    def shuffled(self, option_ids: Sequence[str]) -> Sequence[str]:
        return option_ids

    def key_problems(self, key: JsonObject, options: Sequence[Option]) -> Iterator[ContentProblem]:
        if not _is_accepted(key):
            yield ContentProblem("key", self.wrong_key())
            return
        for place, answer in enumerate(key["accepted"]):
            for message in self._answer_mistakes(answer, self.option_ids(options)):
                yield ContentProblem(f"key.accepted.{place}", message)

    def _answer_mistakes(self, answer: Sequence[str], option_ids: Sequence[str]) -> Iterator[str]:
        if not answer:
            yield Sentence("A right answer has at least one option.")
        if len(answer) > 1 and not self._takes_several():
            yield Sentence(
                "A right answer to a {type} question is one option. Name one, or choose another type.",
                type=Sentence(self.title),
            )
        if len(set(answer)) < len(answer):
            yield Sentence("A right answer names each option once.")
        for name in sorted(set(answer) - set(option_ids)):
            known = ", ".join(option_ids)
            yield Sentence(
                '"{name}" is no option of this question. Its options: {known}.', name=name, known=known
            )

    def _takes_several(self) -> bool:
        return False

    def normalized_key(self, key: JsonObject) -> dict[str, Any]:
        return {"accepted": [list(answer) for answer in sorted({tuple(sorted(a)) for a in key["accepted"]})]}

    def answer_key(self, key: JsonObject) -> Accepted:
        if not _is_accepted(key):
            raise UnreadableQuestion(self.not_the_key())
        try:
            return Accepted(frozenset(frozenset(answer) for answer in key["accepted"]))
        except ValueError as error:
            raise UnreadableQuestion(str(error)) from error

    def answer_problem(self, answer: Any, option_ids: Sequence[str]) -> str | None:
        if not is_list_of_texts(answer, MAX_OPTIONS, MAX_ID_LENGTH):
            return Sentence('Send a list of option ids, such as ["b"].')
        if not answer:
            return Sentence("An empty list is no answer. Send null to clear the answer.")
        if len(set(answer)) < len(answer):
            return Sentence("Name each option only once.")
        if unknown := [option for option in answer if option not in option_ids]:
            return Sentence(
                "There is no option {unknown}. The question has: {known}.",
                unknown=", ".join(unknown),
                known=", ".join(option_ids),
            )
        return None

    def choices(self, option_ids: Sequence[str]) -> Sequence[str]:
        return option_ids

    def chosen(self, answer: Answer) -> str | None:
        named = answer[0] if isinstance(answer, tuple) and len(answer) == 1 else None
        return named if isinstance(named, str) else None

    def key_from_cell(self, cell: str) -> JsonObject:
        answers = key_answers(cell)
        if not answers:
            raise ValueError(
                Sentence(
                    '"{cell}" is not a key. Write "b", "bd" for exactly both, "b|d" for either.', cell=cell
                )
            )
        return {"accepted": answers}

    def key_to_cell(self, key: JsonObject) -> str:
        return "|".join("".join(answer) for answer in key["accepted"])

    def answer_reader(self, option_ids: Sequence[str]) -> AnswerReader:
        return marks_reader(option_ids, {})

    def several_marks(self, option_ids: Sequence[str]) -> Answer | None:
        return None if self._takes_several() else tuple(option_ids)

    def printed_key(self, key: JsonObject, labels: Mapping[str, str]) -> list[list[str]]:
        return [[labels[option_id] for option_id in answer] for answer in key["accepted"]]


class SingleChoice(_Choice):
    """One of several options is right. Two marked options are a wrong answer."""

    name = "single_choice"
    title = "single choice"
    interaction = Interaction.ONE_OPTION
    has_letters_as_key = True
    sheet_note = (
        "type",
        "Empty means single_choice, or multiple_choice where the key names several options together.",
    )
    key_schema: ClassVar[JsonObject | None] = {
        "type": "object",
        "title": "AcceptedOptions",
        "description": "Each entry is a whole right answer: the ids of its options.",
        "properties": {
            "accepted": {
                "type": "array",
                "maxItems": _MAX_ANSWERS,
                "items": {
                    "type": "array",
                    "maxItems": MAX_OPTIONS,
                    "items": {"type": "string", "maxLength": MAX_ID_LENGTH},
                },
            }
        },
        "required": ["accepted"],
        "additionalProperties": False,
    }


class MultipleChoice(_Choice):
    """A right answer is a set of options, and a partial rule says what a part of it earns."""

    name = "multiple_choice"
    title = "multiple choice"
    interaction = Interaction.SEVERAL_OPTIONS
    has_letters_as_key = True
    hint: ClassVar[Mapping[str, str]] = {"en": "one or more options", "hi": "एक या अधिक विकल्प"}

    def _takes_several(self) -> bool:
        return True


class TrueFalse(_Choice):
    """A statement that is true or false. The two options are the type's own."""

    name = "true_false"
    title = "true/false"
    interaction = Interaction.TRUE_OR_FALSE

    _OPTIONS = (
        {"id": "true", "text": {"en": "True", "hi": "सही"}},
        {"id": "false", "text": {"en": "False", "hi": "गलत"}},
    )

    def option_problems(self, options: Sequence[Option]) -> Iterator[ContentProblem]:
        return no_options(self.title, options)

    def shown_options(self, options: Sequence[Option]) -> Sequence[Option]:
        return self._OPTIONS

    def shuffled(self, option_ids: Sequence[str]) -> Sequence[str]:
        return ()

    def key_from_cell(self, cell: str) -> JsonObject:
        return {"accepted": [[cell.lower()]]}

    def answer_reader(self, option_ids: Sequence[str]) -> AnswerReader:
        return marks_reader(option_ids, {"t": "true", "f": "false"})


SINGLE_CHOICE = SingleChoice()


def choice_for(answers: Sequence[Sequence[str]]) -> QuestionType:
    """The type of a question of which only the right answers are known."""
    return MultipleChoice() if any(len(answer) > 1 for answer in answers) else SINGLE_CHOICE


def key_answers(cell: str) -> list[list[str]]:
    """`b` → [[b]], `b d` → [[b, d]], `B | D` → [[b], [d]]; empty for anything else, such as `b or d`."""
    parts = [part.split() for part in cell.lower().split("|")]
    if any(len(part) > 1 and max(map(len, part)) > 1 for part in parts):
        return []
    compact = "|".join("".join(part) for part in parts)
    return [list(answer) for answer in compact.split("|")] if _LETTERS.fullmatch(compact) else []


def _is_accepted(key: JsonObject) -> bool:
    answers = key.get("accepted")
    return (
        set(key) == {"accepted"}
        and isinstance(answers, list)
        and len(answers) <= _MAX_ANSWERS
        and all(is_list_of_texts(answer, MAX_OPTIONS, MAX_ID_LENGTH) for answer in answers)
    )
