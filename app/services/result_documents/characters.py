"""Refuses documents with characters that no font has: a name with boxes in it is not the name."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from app.core.errors import NotPossible
from app.sentences import Sentence
from app.services.printing import Template, unprintable

MUST_BE_WHOLE: frozenset[Template] = frozenset({"certificate", "merit-list"})
"""Documents that are refused. Sheets of a candidate are printed, because they may be needed at once."""
_MAX_LISTED = 10
_MAX_SHOWN_LENGTH = 60


def check_printable(content: object) -> None:
    """Raise NotPossible for texts of the content, or of a list of texts, that cannot be printed."""
    texts = list(_texts(content))
    characters = unprintable(["".join(set[str]().union(*texts))])
    if not characters:
        return
    wrong = list(_named(dict.fromkeys(texts), frozenset(characters)))
    more = len(wrong) - _MAX_LISTED
    found = "; ".join(wrong[:_MAX_LISTED]) + (f"; … (+{more})" if more > 0 else "")
    template = "No font of the documents has these characters: {found}. Correct the names and titles first."
    raise NotPossible(Sentence(template, found=found))


def _named(texts: Iterable[str], characters: frozenset[str]) -> Iterator[str]:
    """`"ʘ" (U+0298) in "Asha ʘ"`, for each text with such a character."""
    for text in texts:
        if character := next((each for each in text if each in characters), None):
            yield f'"{character}" (U+{ord(character):04X}) in "{text[:_MAX_SHOWN_LENGTH]}"'


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif is_dataclass(content):
        for each in fields(content):
            yield from _texts(getattr(content, each.name))
    elif isinstance(content, dict):
        yield from _texts(list(content.values()))
    elif isinstance(content, list | tuple):
        for each in content:
            yield from _texts(each)
