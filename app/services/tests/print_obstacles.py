"""What of a paper cannot be printed as it was typed: characters without a font, and formulas."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from app.core.errors import FieldError
from app.core.process_pool import ProcessPool
from app.sentences import Sentence
from app.services.printing import (
    PrintLanguage,
    may_have_formulas,
    printed_text,
    unprintable,
    unreadable_formulas,
)
from app.services.users import Principal

LANGUAGES: Sequence[str] = get_args(PrintLanguage)
_MAX_REPORTED = 100
_MAX_QUOTED_LENGTH = 80

SHORTEN = Sentence(
    "Shorten the longest texts and tables of the paper, or print it in parts: as several tests."
)


def languages_of_print(document: Mapping[str, Any]) -> Sequence[str]:
    """The languages in which the paper can be printed; all of the print, if it has none of them."""
    return [language for language in LANGUAGES if language in document["languages"]] or LANGUAGES


def print_obstacles(
    document: Mapping[str, Any],
    explanations: Mapping[str, Mapping[str, str] | None],
    languages: Sequence[str],
) -> list[FieldError]:
    """Return an error for each character of a printed text that no font of the print has.

    `explanations` are by question, for a print of the solutions.
    """
    found = []
    for field_name, number, _, texts in _texts(document, explanations):
        typed = [text for localized in texts for text in _printed(document, localized, languages)]
        found += [FieldError(field_name, _sentence(character, number)) for character in unprintable(typed)]
        if len(found) >= _MAX_REPORTED:
            break
    return found[:_MAX_REPORTED]


async def formula_obstacles(
    document: Mapping[str, Any],
    explanations: Mapping[str, Mapping[str, str] | None],
    languages: Sequence[str],
    files: ProcessPool,
    author: Principal,
) -> list[FieldError]:
    """Return an error for each formula that cannot be typeset. They are read in a child process."""
    places = [
        (field_name, number, text)
        for field_name, number, has_formulas, texts in _texts(document, explanations)
        if has_formulas
        for localized in texts
        for text in _printed(document, localized, languages)
        if may_have_formulas(text)
    ]
    if not places:
        return []
    texts = [text for _, _, text in places]
    read = await files.run(unreadable_formulas, texts, caller=author.id, advice=SHORTEN)
    found = [
        FieldError(field_name, _formula_sentence(formula, part, number))
        for (field_name, number, _), unreadable in zip(places, read, strict=True)
        for formula, part in unreadable
    ]
    return found[:_MAX_REPORTED]


def _formula_sentence(formula: str, part: str, number: int | None) -> str:
    if len(formula) > _MAX_QUOTED_LENGTH:
        formula = f"{formula[:_MAX_QUOTED_LENGTH]}…"
    if number is None:
        return Sentence(
            "The formula {formula} cannot be typeset. Correct its LaTeX, or write it without dollar signs.",
            formula=formula,
        )
    if part:
        template = (
            'Question {number}: the formula {formula} cannot be typeset because of "{part}". Correct its'
            " LaTeX, or show it as an image."
        )
        return Sentence(template, number=number, formula=formula, part=part)
    template = (
        "Question {number}: the formula {formula} cannot be typeset. Check its braces and commands, or show"
        " it as an image."
    )
    return Sentence(template, number=number, formula=formula)


def _printed(
    document: Mapping[str, Any], localized: Mapping[str, str], languages: Sequence[str]
) -> list[str]:
    """What the prints in these languages have of a text, each once."""
    texts = (printed_text(localized, language, document["languages"]) for language in languages)
    return list(dict.fromkeys(texts))


def _sentence(character: str, number: int | None) -> str:
    code = f"U+{ord(character):04X}"
    if number is None:
        template = 'No font of the print has the character "{character}" ({code}). Replace it.'
        return Sentence(template, character=character, code=code)
    template = (
        'Question {number}: no font of the print has the character "{character}" ({code}). Replace it, or'
        " show it as an image."
    )
    return Sentence(template, number=number, character=character, code=code)


def _texts(
    document: Mapping[str, Any], explanations: Mapping[str, Mapping[str, str] | None]
) -> Iterator[tuple[str, int | None, bool, list[Mapping[str, str]]]]:
    """Fields with the number of their question, whether they may have formulas, and their texts.

    The title and the names of sections are printed without formulas.
    """
    yield "title", None, False, [document["title"]]
    for position, section in enumerate(document["sections"]):
        yield f"sections.{position}.name", None, False, [section["name"]]
    for passage in document["passages"]:
        yield f"passages.{passage['id']}", None, True, [passage["text"]]
    for question in document["questions"]:
        texts = [question["text"], *(option["text"] for option in question["options"])]
        if explanation := explanations.get(question["id"]):
            texts.append(explanation)
        yield f"questions.{question['number']}", question["number"], True, texts
