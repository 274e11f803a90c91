"""What a question type is: everything that the rest of the product asks of one.

A type is a module of this package and an entry of its registry. Nothing else knows the type by name.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from app.engine.answers import Answer
from app.engine.partial_rules import Parts
from app.engine.question_types.option_places import KeptOptions, kept_options
from app.sentences import Sentence

JsonObject = Mapping[str, Any]
Option = Mapping[str, Any]
"""`{"id": "a", "text": {"en": "…", "hi": "…"}}`; `"fixed": true` if the author keeps it in its place."""

AnswerReader = Callable[[str], Answer]
"""Reads a cell of an answer sheet that is not blank; ValueError says what is wrong with it."""

OPTION_LETTERS = "abcdef"
"""The ids of options in a sheet and on an answer sheet."""

LETTER_COLUMNS: Mapping[str, str] = {f"option_{letter}": letter for letter in OPTION_LETTERS}

NOT_ATTEMPTED: Mapping[str, str] = {"en": "Question not attempted", "hi": "अनुत्तरित प्रश्न"}
"""The text of the option that a marking scheme adds."""

NO_KEY: JsonObject = {"accepted": []}
"""The key of a question whose key is still to come, or that people mark. Every type has it."""

DROPPED_KEY: JsonObject = {"dropped": True}
"""The key of a question that was withdrawn, of any type. It may name a rule: `engine/dropped_keys.py`."""


class Interaction(StrEnum):
    """What a candidate does, by which formats of other programs know a question (`app/interchange`)."""

    ONE_OPTION = "one option"
    SEVERAL_OPTIONS = "several options"
    TRUE_OR_FALSE = "true or false"
    NUMBER = "a number"
    SHORT_TEXT = "a short text"
    PAIRS = "pairs"
    ESSAY = "an essay"


class UnreadableQuestion(ValueError):
    """Stored data of a question that no question type understands: an unknown type or key."""


class ContentProblem(NamedTuple):
    """What is wrong with a question; `field` is a path such as `key.accepted.0`."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """An answer compared with the key."""

    is_right: bool
    parts: tuple[Parts, ...] = ()
    """What a partial rule looks at; empty where an answer cannot be right in part."""


WRONG = Comparison(is_right=False)


class AnswerKey(ABC):
    """What is right, as marking needs it. Hashable."""

    @abstractmethod
    def compare(self, answer: Answer) -> Comparison:
        """How an answer that is not blank compares with the key. An answer of another shape is wrong."""


class QuestionType(ABC):
    """A type of question."""

    name: ClassVar[str]
    """What the API, sheets, the bank and frozen papers call the type. It never changes."""
    title: ClassVar[str]
    """What a sentence calls it."""
    interaction: ClassVar[Interaction | None] = None
    """None if no format of another program has such questions."""
    is_marked: ClassVar[bool] = True
    """Whether a key marks it. Otherwise people do, and it has no key."""
    has_letters_as_key: ClassVar[bool] = False
    """Whether a sheet names the right options by their letters."""
    takes_not_attempted: ClassVar[bool] = False
    """Whether a marking scheme can add the option "not attempted" to its options."""
    key_example: ClassVar[str]
    key_schema: ClassVar[JsonObject | None] = None
    """The key as JSON Schema, for the API's documentation; None where another type has the same."""

    # What a question holds

    def wrong_key(self) -> str:
        """What is wrong with a key of another form."""
        example = self.key_example
        return Sentence(
            "The key of a {type} question is written like {example}.",
            type=Sentence(self.title),
            example=example,
        )

    def not_the_key(self) -> str:
        """What is wrong with stored data that are no key of this type."""
        return Sentence("This is not the key of a {type} question.", type=Sentence(self.title))

    @abstractmethod
    def option_problems(self, options: Sequence[Option]) -> Iterator[ContentProblem]:
        """What is wrong with the options."""

    def shown_options(self, options: Sequence[Option]) -> Sequence[Option]:
        """Return the options as candidates see them, in the author's order, without anything of the key."""
        return options

    def option_ids(self, options: Sequence[Option]) -> list[str]:
        """What an answer may name, in the author's order."""
        return [option["id"] for option in self.shown_options(options)]

    def shuffled(self, option_ids: Sequence[str]) -> Sequence[str]:
        """The options whose order may differ from attempt to attempt."""
        return ()

    def kept_options(self, text: Mapping[str, str], options: Sequence[Option]) -> KeptOptions:
        """The options that keep their places when options are shuffled, and why."""
        movable = self.shuffled([option["id"] for option in options])
        return kept_options(text, [option for option in options if option["id"] in movable])

    def texts(self, options: Sequence[Option]) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The texts that each language of a test needs, by path, beside the question's own."""
        for option in options:
            yield f"options.{option['id']}", option["text"]

    # Keys

    @abstractmethod
    def key_problems(self, key: JsonObject, options: Sequence[Option]) -> Iterator[ContentProblem]:
        """Yield what is wrong with a key, which may be any JSON object except NO_KEY and DROPPED_KEY."""

    @abstractmethod
    def normalized_key(self, key: JsonObject) -> dict[str, Any]:
        """Return the normal form of a valid key, so that equal keys compare equal."""

    @abstractmethod
    def answer_key(self, key: JsonObject) -> AnswerKey:
        """The stored key for marking. Raises UnreadableQuestion if it is not a key of this type."""

    # Answers

    @abstractmethod
    def answer_problem(self, answer: Any, option_ids: Sequence[str]) -> str | None:
        """Return why a JSON value cannot be an answer to the question; None if it can, right or wrong."""

    # Statistics

    def choices(self, option_ids: Sequence[str]) -> Sequence[str]:
        """The options among which a candidate chooses; none if an answer is not a choice of options."""
        return ()

    def guess_share(self, option_ids: Sequence[str], not_attempted: str | None = None) -> float:
        """How often a blind guess is right: what a blank counts as in all statistics.

        One in the number of the options that can be right, 0 where an answer is typed or written.
        `not_attempted` is the option that a marking scheme adds.
        """
        options = [option for option in self.choices(option_ids) if option != not_attempted]
        return 1 / len(options) if options else 0.0

    def chosen(self, answer: Answer) -> str | None:
        """The option that an answer names; None if it names several, or is not a choice of options."""
        return None

    # Sheets

    option_lists: ClassVar[Sequence[Mapping[str, str]]] = (LETTER_COLUMNS,)
    """The lists of options in a sheet: the columns of each in order, and the option's id in each column."""
    key_hint: ClassVar[str] = ""
    """What a sheet's reader adds to a sentence about a part of the key."""
    sheet_note: ClassVar[tuple[str, str] | None] = None
    """A note of the template: a column, and what to write in it for this type."""

    @cached_property
    def option_columns(self) -> Mapping[str, str]:
        """The columns of all lists of options, and the option's id in each."""
        return {column: option_id for each in self.option_lists for column, option_id in each.items()}

    @cached_property
    def column_of(self) -> Mapping[str, str]:
        """The column of each option, by the option's id."""
        return {option_id: column for column, option_id in self.option_columns.items()}

    @abstractmethod
    def key_from_cell(self, cell: str) -> JsonObject:
        """The key that a cell of a sheet holds. Raises ValueError for a cell that holds none."""

    @abstractmethod
    def key_to_cell(self, key: JsonObject) -> str:
        """Return the key as text that `key_from_cell` reads."""

    @abstractmethod
    def answer_reader(self, option_ids: Sequence[str]) -> AnswerReader:
        """Reads what a candidate marked from a cell of an answer sheet."""

    def several_marks(self, option_ids: Sequence[str]) -> Answer | None:
        """The answer of a sheet that has more marks than are allowed, if it is not known which ones.

        It is incorrect. None if several marks are allowed, or an answer is not a choice of options.
        """
        return None

    # Printing

    hint: ClassVar[Mapping[str, str]] = {}
    """A note beside the printed question, by language: how to answer it."""

    def has_answer_line(self) -> bool:
        """Return whether the printed paper has a line for the answer."""
        return False

    @abstractmethod
    def printed_key(self, key: JsonObject, labels: Mapping[str, str]) -> list[list[str]]:
        """The key for the solutions: alternatives, each a list of things that belong together.

        `labels` says how the paper marks each option, by id.
        """


def is_list_of_texts(value: Any, most: int, longest: int) -> bool:
    """Whether JSON is a list of at most so many texts of at most so many characters."""
    return (
        isinstance(value, list)
        and len(value) <= most
        and all(isinstance(each, str) and len(each) <= longest for each in value)
    )
