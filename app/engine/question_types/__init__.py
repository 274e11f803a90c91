"""The question types. Each is a module of its own, and is listed here once."""

from collections.abc import Mapping

from app.engine.question_types.base import (
    DROPPED_KEY,
    LETTER_COLUMNS,
    NO_KEY,
    NOT_ATTEMPTED,
    OPTION_LETTERS,
    AnswerKey,
    ContentProblem,
    Interaction,
    JsonObject,
    Option,
    QuestionType,
    UnreadableQuestion,
)
from app.engine.question_types.choice import (
    SINGLE_CHOICE,
    MultipleChoice,
    TrueFalse,
    choice_for,
    key_answers,
)
from app.engine.question_types.descriptive import Descriptive
from app.engine.question_types.matching import Matching
from app.engine.question_types.numeric import Numeric, shown_ranges
from app.engine.question_types.option_places import KeptOptions, Reason
from app.engine.question_types.ranges import Ranges
from app.engine.question_types.text import Text, shown_spellings
from app.sentences import Sentence

__all__ = [
    "DROPPED_KEY",
    "LETTER_COLUMNS",
    "NOT_ATTEMPTED",
    "NO_KEY",
    "OPTION_LETTERS",
    "QUESTION_TYPES",
    "SINGLE_CHOICE",
    "AnswerKey",
    "ContentProblem",
    "Interaction",
    "JsonObject",
    "KeptOptions",
    "Option",
    "QuestionType",
    "Reason",
    "UnreadableQuestion",
    "choice_for",
    "key_answers",
    "question_type",
    "shown_key",
    "type_with",
]

_TYPES: tuple[QuestionType, ...] = (
    SINGLE_CHOICE,
    MultipleChoice(),
    TrueFalse(),
    Numeric(),
    Ranges(),
    Text(),
    Matching(),
    Descriptive(),
)

QUESTION_TYPES: Mapping[str, QuestionType] = {kind.name: kind for kind in _TYPES}


def question_type(name: str) -> QuestionType:
    """The type of this name. Raises UnreadableQuestion if there is none."""
    try:
        return QUESTION_TYPES[name]
    except KeyError:
        raise UnreadableQuestion(Sentence('There is no question type "{name}".', name=name)) from None


def shown_key(key: JsonObject) -> JsonObject:
    """A stored key in the form of the API. Stored forms stay, because digests are computed from them.

    A key in no known form is returned as it is.
    """
    return shown_ranges(shown_spellings(key))


def type_with(interaction: Interaction) -> QuestionType:
    """The type of questions with this interaction."""
    return next(kind for kind in _TYPES if kind.interaction is interaction)
