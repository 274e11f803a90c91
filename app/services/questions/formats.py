"""UPSC's ways to ask: parts that an author writes, and the plain question that they make, key included.

Each part says whether it is correct; texts must be there in the same languages. The phrases are those that
UPSC prints, in English and Hindi.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.errors import Invalid
from app.engine.question_types import SINGLE_CHOICE
from app.models import LocalizedText
from app.sentences import Sentence
from app.services.questions.content import Content

_Phrase = Mapping[str, str]
_Combination = tuple[int, ...]

_LANGUAGES = ("en", "hi")
_LETTERS = "abcd"

_CONSIDER_STATEMENTS = {
    "en": "Consider the following statements:",
    "hi": "निम्नलिखित कथनों पर विचार कीजिए:",
}
_CONSIDER_PAIRS = {
    "en": "Consider the following pairs:",
    "hi": "निम्नलिखित युग्मों पर विचार कीजिए:",
}
_WHICH_STATEMENTS = {
    True: {
        "en": "Which of the statements given above is/are correct?",
        "hi": "उपर्युक्त कथनों में से कौन-सा/से सही है/हैं?",
    },
    False: {
        "en": "Which of the statements given above is/are not correct?",
        "hi": "उपर्युक्त कथनों में से कौन-सा/से सही नहीं है/हैं?",
    },
}
_HOW_MANY_STATEMENTS = {
    "en": "How many of the above statements are correct?",
    "hi": "उपर्युक्त में से कितने कथन सही हैं?",
}
_WHICH_PAIRS = {
    "en": "Which of the pairs given above is/are correctly matched?",
    "hi": "उपर्युक्त युग्मों में से कौन-सा/से सही सुमेलित है/हैं?",
}
_HOW_MANY_PAIRS = {
    "en": "How many of the above pairs are correctly matched?",
    "hi": "उपर्युक्त में से कितने युग्म सही सुमेलित हैं?",
}
_ABOUT_TWO_STATEMENTS = {
    "en": "Which one of the following is correct in respect of the above statements?",
    "hi": "उपर्युक्त कथनों के बारे में, निम्नलिखित में से कौन-सा एक सही है?",
}
_STATEMENT_I = {"en": "Statement-I:", "hi": "कथन-I:"}
_STATEMENT_II = {"en": "Statement-II:", "hi": "कथन-II:"}
_ASSERTION_OPTIONS = (
    {
        "en": "Both Statement-I and Statement-II are correct and Statement-II is the correct explanation for "
        "Statement-I",
        "hi": "कथन-I और कथन-II दोनों सही हैं तथा कथन-II, कथन-I की सही व्याख्या है",
    },
    {
        "en": "Both Statement-I and Statement-II are correct and Statement-II is not the correct explanation "
        "for Statement-I",
        "hi": "कथन-I और कथन-II दोनों सही हैं किन्तु कथन-II, कथन-I की सही व्याख्या नहीं है",
    },
    {
        "en": "Statement-I is correct but Statement-II is incorrect",
        "hi": "कथन-I सही है किन्तु कथन-II गलत है",
    },
    {
        "en": "Statement-I is incorrect but Statement-II is correct",
        "hi": "कथन-I गलत है किन्तु कथन-II सही है",
    },
)

# How many of three, of four and of five: UPSC has four options always, so that of four none is no option.
_COUNTS = {3: (1, 2, 3, 0), 4: (1, 2, 3, 4), 5: (2, 3, 4, 5)}
_ONLY = {
    "en": ("", "Only one", "Only two", "Only three", "Only four"),
    "hi": ("", "केवल एक", "केवल दो", "केवल तीन", "केवल चार"),
}
_ALL = {
    "en": {3: "All three", 4: "All four", 5: "All five"},
    "hi": {3: "सभी तीन", 4: "सभी चार", 5: "सभी पाँच"},
}

# The usual options where statements are named, by how many statements there are.
_USUAL: Mapping[int, Sequence[_Combination]] = {
    2: ((1,), (2,), (1, 2), ()),
    3: ((1, 2), (2, 3), (1, 3), (1, 2, 3)),
}


class Ask(StrEnum):
    """Whether the question wants the parts named or counted."""

    WHICH = "which"
    HOW_MANY = "how_many"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, and whether it is correct."""

    text: LocalizedText
    correct: bool


@dataclass(frozen=True, slots=True)
class PairOf:
    """Two things side by side, and whether they belong together."""

    left: LocalizedText
    right: LocalizedText
    matched: bool


def statements(
    parts: Sequence[Statement],
    *,
    intro: LocalizedText | None = None,
    correct: bool = True,
    combinations: Sequence[_Combination] = (),
) -> Content:
    """“Which of the statements given above is/are correct?”, or not correct."""
    languages = _languages(intro, *(part.text for part in parts))
    true = _numbers(part.correct is correct for part in parts)
    options = combinations or _usual(len(parts), true)
    return _content(
        languages,
        _listed(intro or _CONSIDER_STATEMENTS, [part.text for part in parts], _WHICH_STATEMENTS[correct]),
        [_combination(option, len(parts)) for option in options],
        _place([tuple(sorted(option)) for option in options], true, "combinations"),
    )


def how_many(parts: Sequence[Statement], *, intro: LocalizedText | None = None) -> Content:
    """“How many of the above statements are correct?”"""
    languages = _languages(intro, *(part.text for part in parts))
    true = sum(part.correct for part in parts)
    return _content(
        languages,
        _listed(intro or _CONSIDER_STATEMENTS, [part.text for part in parts], _HOW_MANY_STATEMENTS),
        [_count(count, len(parts)) for count in _counts(parts, "statements")],
        _place(_counts(parts, "statements"), true, "statements"),
    )


def pairs(
    parts: Sequence[PairOf],
    *,
    heads: tuple[LocalizedText, LocalizedText] | None = None,
    ask: Ask = Ask.HOW_MANY,
    combinations: Sequence[_Combination] = (),
) -> Content:
    """“How many of the above pairs are correctly matched?”, or which."""
    languages = _languages(*(heads or ()), *(text for part in parts for text in (part.left, part.right)))
    true = _numbers(part.matched for part in parts)
    if ask is Ask.HOW_MANY:
        counts = _counts(parts, "pairs")
        options = [_pair_count(count, len(parts)) for count in counts]
        return _content(
            languages, _table(parts, heads, _HOW_MANY_PAIRS), options, _place(counts, len(true), "pairs")
        )
    named = combinations or _usual(len(parts), true)
    return _content(
        languages,
        _table(parts, heads, _WHICH_PAIRS),
        [_combination(option, len(parts)) for option in named],
        _place([tuple(sorted(option)) for option in named], true, "combinations"),
    )


def assertion_reason(assertion: Statement, reason: Statement, *, explains: bool = False) -> Content:
    """Two statements, of which the second may explain the first."""
    languages = _languages(assertion.text, reason.text)
    if not assertion.correct and not reason.correct:
        raise Invalid.field("reason.correct", "No option says that both are incorrect. One must be correct.")
    if explains and not (assertion.correct and reason.correct):
        raise Invalid.field("explains", "Only a correct statement explains a correct one.")
    right = {(True, True): 0 if explains else 1, (True, False): 2, (False, True): 3}

    def text(language: str) -> str:
        first = f"{_STATEMENT_I[language]} {assertion.text[language]}"
        second = f"{_STATEMENT_II[language]} {reason.text[language]}"
        return "\n\n".join((first, second, _ABOUT_TWO_STATEMENTS[language]))

    return _content(languages, text, _ASSERTION_OPTIONS, right[assertion.correct, reason.correct])


def _content(
    languages: Sequence[str], text: Callable[[str], str], options: Iterable[_Phrase], right: int
) -> Content:
    return Content(
        type=SINGLE_CHOICE.name,
        text={language: text(language) for language in languages},
        options=[
            {"id": letter, "text": {language: option[language] for language in languages}}
            for letter, option in zip(_LETTERS, options, strict=True)
        ],
        key={"accepted": [[_LETTERS[right]]]},
    )


def _languages(*texts: LocalizedText | None) -> list[str]:
    """The languages of the question: those of every text."""
    spoken = [set(text) for text in texts if text is not None]
    if any(languages != spoken[0] for languages in spoken):
        raise Invalid.field("body", "Write every text in the same languages.")
    if unknown := sorted(spoken[0] - set(_LANGUAGES)):
        raise Invalid.field(
            "body",
            Sentence(
                "There are no phrases in {language}. Write in: {known}.",
                language=unknown[0],
                known=", ".join(_LANGUAGES),
            ),
        )
    return [language for language in _LANGUAGES if language in spoken[0]]


def _listed(intro: _Phrase, texts: Sequence[LocalizedText], question: _Phrase) -> Callable[[str], str]:
    def text(language: str) -> str:
        lines = "\n".join(f"{number}. {said[language]}" for number, said in enumerate(texts, start=1))
        return "\n\n".join((intro[language], lines, question[language]))

    return text


def _table(
    parts: Sequence[PairOf], heads: tuple[LocalizedText, LocalizedText] | None, question: _Phrase
) -> Callable[[str], str]:
    def text(language: str) -> str:
        left, right = (head[language] for head in heads) if heads else ("", "")
        rows = [
            f"| {number}. {_cell(pair.left[language])} | {_cell(pair.right[language])} |"
            for number, pair in enumerate(parts, start=1)
        ]
        table = "\n".join((f"| {_cell(left)} | {_cell(right)} |", "| --- | --- |", *rows))
        return "\n\n".join((_CONSIDER_PAIRS[language], table, question[language]))

    return text


def _cell(text: str) -> str:
    """A text as a cell of a Markdown table."""
    return " ".join(text.replace("|", "\\|").split())


def _numbers(true: Iterable[bool]) -> _Combination:
    return tuple(number for number, is_true in enumerate(true, start=1) if is_true)


def _usual(parts: int, true: _Combination) -> Sequence[_Combination]:
    usual = _USUAL.get(parts, ())
    if true not in usual:
        named = _combination(true, parts)["en"]
        raise Invalid.field(
            "combinations",
            Sentence(
                "The usual options have no “{named}”. Say which four combinations are the options.",
                named=named,
            ),
        )
    return usual


def _counts(parts: Sequence[Any], field: str) -> Sequence[int]:
    if len(parts) not in _COUNTS:
        raise Invalid.field(field, "To ask how many are right, write three, four or five of them.")
    return _COUNTS[len(parts)]


def _place(options: Sequence[Any], true: Any, field: str) -> int:
    """Where the right option stands, if it stands there once and all options differ."""
    if len(options) != len(_LETTERS) or len(set(options)) != len(options):
        raise Invalid.field(field, "Name four different combinations.")
    if true not in options:
        raise Invalid.field(field, "None of the options would be right. Name the right combination.")
    return list(options).index(true)


def _combination(numbers: Sequence[int], parts: int) -> _Phrase:
    """`1 and 3 only`, `Both 1 and 2`, `Neither 1 nor 2`, `1, 2 and 3`."""
    if any(not 1 <= number <= parts for number in numbers) or len(set(numbers)) < len(numbers):
        raise Invalid.field(
            "combinations", Sentence("The parts are numbered from 1 to {parts}. Name each once.", parts=parts)
        )
    every = [str(number) for number in range(1, parts + 1)]
    named = [str(number) for number in sorted(numbers)]
    if not named:
        if parts == 2:
            return {"en": "Neither 1 nor 2", "hi": "न तो 1, न ही 2"}
        return {"en": "None of the above", "hi": "उपर्युक्त में से कोई नहीं"}
    if named == every:
        if parts == 2:
            return {"en": "Both 1 and 2", "hi": "1 और 2 दोनों"}
        return {"en": _joined(named, "and"), "hi": _joined(named, "और")}
    return {"en": f"{_joined(named, 'and')} only", "hi": f"केवल {_joined(named, 'और')}"}


def _joined(named: Sequence[str], word: str) -> str:
    return f" {word} ".join(part for part in (", ".join(named[:-1]), named[-1]) if part)


def _count(count: int, parts: int) -> _Phrase:
    if count == 0:
        return {"en": "None", "hi": "कोई भी नहीं"}
    return {
        language: _ALL[language][parts] if count == parts else _ONLY[language][count]
        for language in _LANGUAGES
    }


def _pair_count(count: int, parts: int) -> _Phrase:
    if count == 0:
        return {"en": "None of the pairs", "hi": "कोई भी युग्म नहीं"}
    said = _count(count, parts)
    return {"en": f"{said['en']} pair{'s' * (count > 1)}", "hi": f"{said['hi']} युग्म"}
